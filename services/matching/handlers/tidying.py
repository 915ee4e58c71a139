"""Forgets rankings that are older than the clinic keeps them, and the directory's history with them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg

from services.matching import store
from shared.kit import logs
from shared.kit.database import Database
from shared.kit.service import Service

EVERY_SECONDS = 3600
AT_ONCE = 500

Worker = Callable[[Service], Awaitable[None]]


def tidying_worker(days: int) -> Worker:
    """A worker that forgets for as long as the service runs."""

    async def forget_old_rankings(service: Service) -> None:
        while True:
            try:
                await forget(service.database, days)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
                logs.logger().warning("old rankings not forgotten, will try again", **logs.fault(error))
            await asyncio.sleep(EVERY_SECONDS)

    return forget_old_rankings


async def forget(database: Database, days: int) -> tuple[int, int]:
    """Forgets, a little at a time, what is older; returns how many rankings and changes went."""
    rankings = changes = 0
    while True:
        async with database.transaction() as tx:
            gone = await store.forget_rankings(tx, tx.now - timedelta(days=days), AT_ONCE)
        rankings += gone
        if gone < AT_ONCE:
            break
    while True:
        async with database.transaction() as tx:
            gone = await store.forget_history(tx, AT_ONCE)
        changes += gone
        if gone < AT_ONCE:
            return rankings, changes
