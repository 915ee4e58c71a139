"""A service's own database: the pool, and transactions on it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Self, TypeVar

import asyncpg

from shared.contract.envelope import Envelope
from shared.kit import failpoints, migrating, outbox
from shared.kit.clock import Clock, SystemClock
from shared.kit.errors import Fatal
from shared.kit.keyring import Keyring
from shared.kit.keyring.sealing import Keys
from shared.kit.leadership import Leadership
from shared.kit.migrating import Migration
from shared.kit.settings import DatabaseSettings
from shared.kit.transaction import Connection, Transaction

ACQUIRE_SECONDS = 10.0
COMMAND_SECONDS = 30.0
"""Below `stuck_after_seconds`: a database that hangs is a fault that may pass, not a stuck handler."""

T = TypeVar("T")


class Database:
    """Opens transactions for handlers and doors."""

    def __init__(self, pool: asyncpg.Pool, *, service: str, keys: Keys, clock: Clock | None = None) -> None:
        self.pool = pool
        self.service = service
        self.keys = keys
        self.clock = clock if clock is not None else SystemClock()

    @classmethod
    async def open(
        cls,
        settings: DatabaseSettings,
        *,
        service: str,
        keyring: Keyring,
        clock: Clock | None = None,
        wait_seconds: float = 60,
    ) -> Self:
        """Connects; waits for a database that is still starting, for a bounded time."""
        url = settings.database_url.get_secret_value()
        await (await migrating.connect(url, wait_seconds)).close(timeout=5)
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=settings.database_pool_size,
            timeout=ACQUIRE_SECONDS,
            command_timeout=COMMAND_SECONDS,
            server_settings={
                "application_name": f"attune-{service}",
                "idle_in_transaction_session_timeout": "60s",
                "jit": "off",
            },
        )
        return cls(pool, service=service, keys=keyring, clock=clock)

    @asynccontextmanager
    async def transaction(
        self, cause: Envelope | None = None, *, step: str = "request"
    ) -> AsyncIterator[Transaction]:
        """One unit of work; commits if the block ends well, leaves nothing if not.

        `step` names it for the failpoints around the commit.
        """
        async with (
            self.pool.acquire(timeout=ACQUIRE_SECONDS) as connection,
            self._transaction(connection, cause, step) as tx,
        ):
            yield tx

    @asynccontextmanager
    async def turn(self, what: str) -> AsyncIterator["Turn | None"]:
        """A turn at what one process at a time does for all; None while it is another's."""
        async with self.pool.acquire(timeout=ACQUIRE_SECONDS) as session:
            leadership = Leadership(session)
            # Given back to the pool, the session forgets the lock.
            yield Turn(self, leadership) if await leadership.seek(f"{self.service}: {what}") else None

    @asynccontextmanager
    async def _transaction(
        self, connection: Connection, cause: Envelope | None, step: str
    ) -> AsyncIterator[Transaction]:
        async with connection.transaction():
            tx = Transaction(
                connection, service=self.service, keys=self.keys, now=self.clock.now(), cause=cause
            )
            yield tx
            if tx.said.events:
                await outbox.wake_relay(connection)
            failpoints.reach(f"{step}.before_commit")
        failpoints.reach(f"{step}.after_commit")

    async def check_migrated(self, migrations: Sequence[Migration]) -> None:
        """Refuses to work on a database that lacks what this build needs."""
        async with self.pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
            lacking = await migrating.missing(connection, migrations)
        if lacking:
            raise Fatal(
                f"the database lacks {', '.join(lacking)}: run `python -m services.{self.service} migrate`"
            )

    async def close(self, within: float = 10) -> None:
        """Gives the connections back; ends them if somebody keeps one."""
        try:
            async with asyncio.timeout(within):
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()


class Turn:
    """This process's turn: all its transactions are on the one session that holds it.

    A process that was frozen finds that session ended: it can neither finish what it had in hand nor begin
    anything else, for meanwhile another had its turn.
    """

    def __init__(self, database: Database, leadership: Leadership) -> None:
        self._database = database
        self._leadership = leadership

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """One unit of work, as `Database.transaction` opens it."""
        return self._database._transaction(self._leadership.session, None, "turn")

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """Keeps the turn while some work is done that asks nothing of the database."""
        return await self._leadership.during(work)
