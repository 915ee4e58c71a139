"""One unit of work: what is read, written and said commits together or not at all."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from shared.contract.envelope import Envelope
from shared.contract.event import Event
from shared.contract.sealing import Purpose
from shared.kit import outbox
from shared.kit.errors import KeyDestroyed
from shared.kit.keyring.boxes import BoxBroken
from shared.kit.keyring.sealing import Keys, open_column, open_columns, seal_column

Connection = asyncpg.Connection | PoolConnectionProxy


@dataclass(slots=True)
class Said:
    """What a transaction has said so far; shared by the views that a batch takes of it."""

    events: list[UUID] = field(default_factory=list)


class Transaction:
    """A handler's or a door's hold on the database; the kit begins and commits it."""

    def __init__(
        self,
        connection: Connection,
        *,
        service: str,
        keys: Keys,
        now: datetime,
        cause: Envelope | None = None,
        said: Said | None = None,
    ) -> None:
        self.now = now
        self.cause = cause
        self.service = service
        self.keys = keys
        self.connection = connection
        self.said = said if said is not None else Said()

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        """All rows."""
        return await self.connection.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> asyncpg.Record | None:
        """The first row, if any."""
        return await self.connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """The first column of the first row, or None."""
        return await self.connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> str:
        """Runs a statement; returns Postgres's status, such as `UPDATE 1`."""
        return await self.connection.execute(sql, *args)

    async def executemany(self, sql: str, args: Iterable[Sequence[Any]]) -> None:
        """Runs a statement once per row of arguments."""
        await self.connection.executemany(sql, args)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part that may fail by itself: an exception undoes it and leaves the transaction usable."""
        async with self.connection.transaction():
            yield

    async def publish(self, event: Event) -> UUID:
        """Says an event: sealed, in its envelope, and sent once this transaction has committed."""
        [event_id] = await self.publish_all([event])
        return event_id

    async def publish_all(self, events: Sequence[Event]) -> list[UUID]:
        """Says many events at once, in their order."""
        event_ids = await outbox.say(self, events) if events else []
        self.said.events += event_ids
        return event_ids

    async def seal(self, subject_id: UUID, purpose: Purpose, data: bytes) -> bytes:
        """Seals a person's data for a column of the service's own."""
        return await seal_column(subject_id, purpose, data, self.keys)

    async def open(self, sealed: bytes) -> bytes | None:
        """Opens what `seal` sealed; None once the person has been erased."""
        try:
            return await open_column(sealed, self.keys)
        except KeyDestroyed:
            return None

    async def open_all(self, sealed: Sequence[bytes]) -> list[bytes | KeyDestroyed | BoxBroken]:
        """Opens many at once; what does not open is answered with why, so that the others are not lost."""
        return await open_columns(sealed, self.keys)

    def caused_by(self, cause: Envelope | None) -> "Transaction":
        """The same transaction, seen by the handler of one event in a batch."""
        return Transaction(
            self.connection, service=self.service, keys=self.keys, now=self.now, cause=cause, said=self.said
        )
