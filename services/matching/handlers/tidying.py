"""Tidies up: ends what erased people hold, forgets old rankings and the history of the directory."""

import asyncio
from datetime import timedelta

from services.matching import store
from services.matching.handlers.closing import close_erased
from services.matching.handlers.skipping import trying_again
from shared.kit import logs
from shared.kit.database import Database
from shared.kit.service import Service, Worker

EVERY_SECONDS = 3600
AT_ONCE = 500


def tidying_worker(days: int) -> Worker:
    """A worker that tidies up for as long as the service runs."""

    async def tidy_up(service: Service) -> None:
        while True:
            with trying_again("not tidied up, will try again"):
                if closed := await close_erased(service.database):
                    logs.logger().info("requests of erased people closed", closed=closed)
                await forget(service.database, days)
            await asyncio.sleep(EVERY_SECONDS)

    return tidy_up


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
