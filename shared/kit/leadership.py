"""Who leads in what one process at a time does for all: the one whose database session holds the lock."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import asyncpg

from shared.kit.transaction import Connection

LOCK = 4_276_002
IDLE_SECONDS = 10
"""A leader that is silent for so long has its session ended by the server, and with it the lock."""

BEAT_SECONDS = 2.0
COMMAND_SECONDS = 8.0

T = TypeVar("T")


class Leadership:
    """One database session, and the lock it may hold.

    All the leader's SQL goes through this session: if the server has ended it, because the process was
    frozen, the next statement fails, and the leader knows that it is none.
    """

    def __init__(self, session: Connection) -> None:
        self.session = session

    async def seek(self, what: str) -> bool:
        """Tries to become the leader in something."""
        # Also within a transaction that it has begun, and for as long as the session is its own.
        row = await self.session.fetchrow(
            """
            SELECT set_config('idle_session_timeout', $3, false),
                   set_config('idle_in_transaction_session_timeout', $3, false),
                   pg_try_advisory_lock($1, hashtext($2)) AS leads
            """,
            LOCK,
            what,
            f"{IDLE_SECONDS}s",
        )
        assert row is not None  # noqa: S101 - a row without FROM
        return bool(row["leads"])

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """Does some work elsewhere while giving the server signs of life; stops it if the session is gone."""
        task = asyncio.create_task(work)
        try:
            while not (await asyncio.wait({task}, timeout=BEAT_SECONDS))[0]:
                await self.session.execute("SELECT 1")
            return await task
        finally:
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task


@asynccontextmanager
async def candidacy(url: str, service: str) -> AsyncIterator[Leadership]:
    """A session to lead the relay with, ended at the end, and the lock with it."""
    session = await asyncpg.connect(
        url,
        timeout=10,
        command_timeout=COMMAND_SECONDS,
        server_settings={"application_name": f"attune-{service}-relay"},
    )
    try:
        yield Leadership(session)
    finally:
        # A session whose end the server does not confirm is cut.
        try:
            await session.close(timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            session.terminate()
