"""The outbox as the relay sees it: the next rows in order, done with or put aside."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from shared.kit.records import Header
from shared.kit.transaction import Connection

MENDABLE = ("no_such_topic", "not_allowed")
"""Why a row may be refused today and taken tomorrow."""

WINDOW_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One record that Kafka has not taken yet."""

    id: int
    stream: str
    key: bytes
    payload: bytes | None
    headers: tuple[Header, ...]


async def following(session: Connection, window: int) -> list[Row]:
    """The next rows to send, at most so many; whatever follows a parked row of the same key is held back."""
    rows = await session.fetch(
        """
        WITH waiting AS (
            SELECT id, coalesce(octet_length(payload), 0) AS size
            FROM outbox
            WHERE parked_at IS NULL AND NOT EXISTS (
                SELECT 1 FROM outbox parked
                WHERE parked.parked_at IS NOT NULL
                AND parked.stream = outbox.stream AND parked.key = outbox.key AND parked.id < outbox.id
            )
            ORDER BY id LIMIT $1
        ),
        sized AS (
            SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM waiting
        )
        SELECT outbox.id, stream, key, payload, header_names, header_values
        FROM outbox JOIN sized ON sized.id = outbox.id
        WHERE before < $2
        ORDER BY outbox.id
        """,
        window,
        WINDOW_BYTES,
    )
    return [_row(row) for row in rows]


async def done(session: Connection, ids: Sequence[int]) -> None:
    """Takes rows out that Kafka has acknowledged."""
    await session.execute("DELETE FROM outbox WHERE id = ANY($1)", list(ids))


async def park(session: Connection, ids: Sequence[int], reason: str) -> None:
    """Puts rows aside that Kafka refuses."""
    await session.execute(
        "UPDATE outbox SET parked_at = now(), parked_reason = $2 WHERE id = ANY($1) AND parked_at IS NULL",
        list(ids),
        reason,
    )


async def waiting_streams(session: Connection) -> list[str]:
    """The streams of rows that were refused for something that can be mended at Kafka."""
    rows = await session.fetch(
        "SELECT DISTINCT stream FROM outbox WHERE parked_at IS NOT NULL AND parked_reason = ANY($1)",
        MENDABLE,
    )
    return [row["stream"] for row in rows]


async def try_oldest(session: Connection, streams: Sequence[str]) -> None:
    """Lets the oldest such row of each stream be tried again."""
    await session.execute(
        """
        UPDATE outbox SET parked_at = NULL, parked_reason = NULL
        WHERE id IN (
            SELECT min(id) FROM outbox
            WHERE parked_at IS NOT NULL AND parked_reason = ANY($1) AND stream = ANY($2)
            GROUP BY stream
        )
        """,
        MENDABLE,
        list(streams),
    )


async def reopen(session: Connection, streams: Sequence[str]) -> None:
    """Lets all such rows be sent, for Kafka has taken one of their stream."""
    await session.execute(
        """
        UPDATE outbox SET parked_at = NULL, parked_reason = NULL
        WHERE parked_at IS NOT NULL AND parked_reason = ANY($1) AND stream = ANY($2)
        """,
        MENDABLE,
        list(streams),
    )


async def parked(pool: asyncpg.Pool) -> list[asyncpg.Record]:
    """What lies aside, without what it says."""
    return await pool.fetch(
        """
        SELECT id, event_id, stream, octet_length(payload) AS size, parked_at, parked_reason
        FROM outbox WHERE parked_at IS NOT NULL ORDER BY id
        """
    )


async def release(pool: asyncpg.Pool) -> int:
    """Lets parked rows be tried again, once their cause is mended."""
    status = await pool.execute(
        "UPDATE outbox SET parked_at = NULL, parked_reason = NULL WHERE parked_at IS NOT NULL"
    )
    return int(status.rpartition(" ")[2])


async def drop(pool: asyncpg.Pool, row_id: int) -> bool:
    """Gives a parked row up for good; what was held back behind it goes on."""
    return (
        await pool.execute("DELETE FROM outbox WHERE id = $1 AND parked_at IS NOT NULL", row_id) == "DELETE 1"
    )


def _row(row: asyncpg.Record) -> Row:
    names = [name.decode("utf-8", "replace") for name in row["header_names"]]
    return Row(
        id=row["id"],
        stream=row["stream"],
        key=row["key"],
        payload=row["payload"],
        headers=tuple(zip(names, row["header_values"], strict=True)),
    )
