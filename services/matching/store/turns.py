"""Whose turn it is: what one process at a time does for all of them."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from shared.kit.database import Database

PRICING, OFFERING = 4_276_301, 4_276_302


def pricing_turn(database: Database) -> AbstractAsyncContextManager[bool]:
    """Whether it is this process's turn to work prices out; nobody else's until the block ends."""
    return _turn(database, PRICING)


def offering_turn(database: Database) -> AbstractAsyncContextManager[bool]:
    """Whether it is this process's turn to go through the waiting list; nobody else's meanwhile."""
    return _turn(database, OFFERING)


@asynccontextmanager
async def _turn(database: Database, lock: int) -> AsyncIterator[bool]:
    async with database.pool.acquire() as session:
        # Of the session and not of a transaction: one that stays open would make every look read more again.
        if not await session.fetchval("SELECT pg_try_advisory_lock($1)", lock):
            yield False
            return
        try:
            yield True
        finally:
            await session.execute("SELECT pg_advisory_unlock($1)", lock)
