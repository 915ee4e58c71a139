"""Aids for tests: a transaction that records what is said, a service's database, waiting without guessing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar, overload
from uuid import UUID

from shared.contract.envelope import Envelope
from shared.contract.event import Event
from shared.kit import migrating
from shared.kit.clock import Clock
from shared.kit.database import Database
from shared.kit.identifiers import new_id
from shared.kit.keyring import Keyring
from shared.kit.settings import KitSettings
from shared.kit.transaction import Transaction

T = TypeVar("T")


class RecordingTransaction(Transaction):
    """A real transaction, but what is published is kept in `published` and goes nowhere."""

    def __init__(self, tx: Transaction, cause: Envelope | None = None) -> None:
        super().__init__(
            tx.connection,
            service=tx.service,
            keys=tx.keys,
            now=tx.now,
            cause=cause if cause is not None else tx.cause,
        )
        self.published: list[Event] = []

    async def publish_all(self, events: Sequence[Event]) -> list[UUID]:
        """Records the events."""
        self.published += events
        return [new_id() for _ in events]


@asynccontextmanager
async def service_database(
    service: str, settings: KitSettings, clock: Clock | None = None
) -> AsyncIterator[Database]:
    """The migrated database of a service, with its keyring; both databases must exist."""
    await migrating.migrate(settings.keyring_url.get_secret_value(), migrating.of_keyring())
    await migrating.migrate(settings.database_url.get_secret_value(), migrating.of_service(service))
    async with await Keyring.open(settings) as keyring:
        database = await Database.open(settings, service=service, keyring=keyring, clock=clock)
        try:
            yield database
        finally:
            await database.close()


@asynccontextmanager
async def recording(database: Database, cause: Envelope | None = None) -> AsyncIterator[RecordingTransaction]:
    """A recording transaction on a real one; commits at the end of the block."""
    async with database.transaction(cause) as tx:
        yield RecordingTransaction(tx)


@overload
async def eventually(
    check: Callable[[], Awaitable[T | None]], within: float = 10, every: float = 0.05, what: str = "it"
) -> T: ...
@overload
async def eventually(
    check: Callable[[], T | None], within: float = 10, every: float = 0.05, what: str = "it"
) -> T: ...
async def eventually(
    check: Callable[[], Any], within: float = 10, every: float = 0.05, what: str = "it"
) -> Any:
    """Asks until the answer is truthy and returns it; an AssertionError in the check counts as not yet."""
    last: BaseException | None = None
    try:
        async with asyncio.timeout(within):
            while True:
                try:
                    answer = check()
                    value = await answer if isinstance(answer, Awaitable) else answer
                    if value:
                        return value
                except AssertionError as error:
                    last = error
                await asyncio.sleep(every)
    except TimeoutError:
        raise AssertionError(f"{what} did not come true within {within:g} s: {last or 'never'}") from last
