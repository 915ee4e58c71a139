"""What could not be handled: kept with the reason, told to a topic, settled by a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from shared.kit import inbox
from shared.kit.database import Database
from shared.kit.identifiers import new_id
from shared.kit.inbox import Remembered
from shared.kit.outbox import PAYLOAD_LIMIT, Outgoing, lay
from shared.kit.records import UNDECODABLE, Header, Record
from shared.kit.transaction import Transaction

if TYPE_CHECKING:
    from shared.kit.consuming.reading import Faulty

KEY_ROOM = 1_000
HEADER_ROOM = 100_000
"""What key and headers of a record may take in the message about it, which Kafka has to take as a whole."""

HEADER_LENGTHS = 10
"""What a header takes beside its name and value."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A parked record and its story; `record` still holds what was sent."""

    id: UUID
    consumer: str
    record: Record
    event_id: UUID | None
    event_type: str | None
    reason: str
    error_class: str | None
    attempts: int
    cycle: int
    status: str
    parked_at: datetime
    settled_at: datetime | None

    def summary(self) -> dict[str, Any]:
        """What may be shown to anyone who looks after the service: no payload, no headers."""
        return {
            "id": str(self.id),
            "consumer": self.consumer,
            "reason": self.reason,
            "error_class": self.error_class,
            "event_id": str(self.event_id) if self.event_id else None,
            "event_type": self.event_type,
            "request_id": _as_id(self.record.key),
            "topic": self.record.topic,
            "partition": self.record.partition,
            "offset": self.record.offset,
            "recorded_at": self.record.timestamp.isoformat(),
            "parked_at": self.parked_at.isoformat(),
            "attempts": self.attempts,
            "cycle": self.cycle,
            "status": self.status,
            "settled_at": self.settled_at.isoformat() if self.settled_at else None,
        }


async def park(tx: Transaction, consumer: str, faulty: "Faulty") -> bool:
    """Keeps a record that will not work; False if it lies there already or was handled before."""
    record = faulty.record
    if (
        faulty.was_heard
        and faulty.identity is not None
        and not await inbox.claim(tx, consumer, faulty.identity, Remembered.PARKED)
    ):
        return False
    dead_letter_id = await tx.fetchval(
        """
        INSERT INTO dead_letters (
            id, consumer, topic, partition, "offset", event_id, event_type, key, value,
            header_names, header_values, recorded_at, reason, error_class, attempts, parked_at
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        ON CONFLICT ON CONSTRAINT dead_letters_one_per_record DO NOTHING
        RETURNING id
        """,
        new_id(),
        consumer,
        *record.position,
        faulty.identity,
        faulty.event_type,
        record.key,
        record.value,
        [name.encode("utf-8", "surrogateescape") for name, _ in record.headers],
        [value for _, value in record.headers],
        record.timestamp,
        faulty.reason,
        faulty.error_class,
        faulty.attempts,
        tx.now,
    )
    if dead_letter_id is None:
        return False
    await lay(tx, [_message(tx, dead_letter_id, consumer, faulty)])
    return True


async def lie_open(tx: Transaction, request_id: str) -> bool:
    """Whether anything about a request waits here for a person."""
    return bool(
        await tx.fetchval(
            "SELECT EXISTS (SELECT 1 FROM dead_letters WHERE key = $1 AND status = 'open')",
            request_id.encode(),
        )
    )


async def listed(pool: asyncpg.Pool, *, status: str | None = "open", limit: int = 100) -> list[DeadLetter]:
    """The dead letters, the oldest first; `status` None for all."""
    rows = await pool.fetch(
        f"""
        SELECT {_COLUMNS} FROM dead_letters
        WHERE $1::text IS NULL OR status = $1
        ORDER BY parked_at, id LIMIT $2
        """,  # noqa: S608 - the columns are a constant
        status,
        limit,
    )
    return [_dead_letter(row) for row in rows]


async def find(pool: asyncpg.Pool, dead_letter_id: UUID) -> DeadLetter | None:
    """One dead letter."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM dead_letters WHERE id = $1", dead_letter_id)  # noqa: S608
    return _dead_letter(row) if row is not None else None


async def discard(database: Database, ids: Sequence[UUID]) -> list[UUID]:
    """Gives open dead letters up: their story stays, what was sent goes. Returns those that were open."""
    async with database.transaction(step="discard") as tx:
        return await settled(tx, ids, "discarded")


async def settled(tx: Transaction, ids: Sequence[UUID], status: str) -> list[UUID]:
    """Marks open dead letters as settled and empties them; returns those that were open."""
    rows = await tx.fetch(
        """
        UPDATE dead_letters
        SET status = $2, settled_at = $3, value = NULL, header_names = '{}', header_values = '{}',
            key = CASE WHEN event_type IS NULL THEN NULL ELSE key END
        WHERE id = ANY($1) AND status = 'open'
        RETURNING id
        """,
        list(ids),
        status,
        tx.now,
    )
    return [row["id"] for row in rows]


_COLUMNS = """
    id, consumer, topic, partition, "offset", event_id, event_type, key, value, header_names, header_values,
    recorded_at, reason, error_class, attempts, cycle, status, parked_at, settled_at
"""


def _dead_letter(row: asyncpg.Record) -> DeadLetter:
    headers = tuple(
        (name.decode("utf-8", "surrogateescape"), value)
        for name, value in zip(row["header_names"], row["header_values"], strict=True)
    )
    return DeadLetter(
        id=row["id"],
        consumer=row["consumer"],
        record=Record(
            topic=row["topic"],
            partition=row["partition"],
            offset=row["offset"],
            timestamp=row["recorded_at"],
            key=row["key"],
            value=row["value"],
            headers=headers,
            # Nothing to replay: what was sent is not here, only where it lies.
            decodable=[name for name, _ in headers] != [UNDECODABLE],
        ),
        event_id=row["event_id"],
        event_type=row["event_type"],
        reason=row["reason"],
        error_class=row["error_class"],
        attempts=row["attempts"],
        cycle=row["cycle"],
        status=row["status"],
        parked_at=row["parked_at"],
        settled_at=row["settled_at"],
    )


def _message(tx: Transaction, dead_letter_id: UUID, consumer: str, faulty: "Faulty") -> Outgoing:
    """The dead letter for the topic: the record verbatim, with its story in `dlq-` headers."""
    record = faulty.record
    story: dict[str, str | None] = {
        "dlq-id": str(dead_letter_id),
        "dlq-reason": faulty.reason,
        "dlq-error-class": faulty.error_class,
        "dlq-consumer": consumer,
        "dlq-topic": record.topic,
        "dlq-partition": str(record.partition),
        "dlq-offset": str(record.offset),
        "dlq-timestamp": record.timestamp.isoformat(),
        "dlq-parked-at": tx.now.isoformat(),
        "dlq-attempts": str(faulty.attempts),
    }
    headers: list[Header] = [(name, value) for name, value in record.headers if not name.startswith("dlq-")]
    value = record.value
    # Our own streams are sealed; a record from outside holds personal data in clear and stays in the table.
    if value is not None and (faulty.confidential or len(value) > PAYLOAD_LIMIT):
        story["dlq-value-kept-back"] = str(len(value))
        value = None
    taken = sum(
        HEADER_LENGTHS + len(name.encode("utf-8", "replace")) + len(content or b"")
        for name, content in headers
    )
    if faulty.confidential or taken > HEADER_ROOM:
        story["dlq-headers-kept-back"] = str(len(headers))
        headers = []
    key = record.key or b""
    if faulty.confidential or len(key) > KEY_ROOM:
        story["dlq-key-kept-back"] = str(len(key))
        key = b""
    told: list[Header] = [(name, text.encode()) for name, text in story.items() if text is not None]
    return Outgoing(new_id(), f"{tx.service}.dead-letters", key, value, (*headers, *told))


def _as_id(key: bytes | None) -> str | None:
    try:
        return str(UUID((key or b"").decode("ascii")))
    except ValueError:
        return None
