"""What a consumer has already heard, so that a second delivery changes nothing.

Remembered by event id. Versions of a request need no comparing: a relay sends them in order, and what it
sends twice is a duplicate here.
"""

import asyncio
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg

if TYPE_CHECKING:
    from shared.kit.transaction import Transaction

PURGE_AT_ONCE = 1000


class Remembered(StrEnum):
    """What became of an event, as the inbox keeps it."""

    HANDLED = "handled"
    ERASED = "erased"
    PARKED = "parked"


async def claim(tx: "Transaction", consumer: str, event_id: UUID, outcome: Remembered) -> bool:
    """Remembers an event; False if it was heard before, by this process or another.

    A second transaction with the same event waits here for the first, and takes it over if that one fails.
    """
    row = await tx.fetchval(
        """
        INSERT INTO inbox (consumer, event_id, outcome) VALUES ($1, $2, $3)
        ON CONFLICT (consumer, event_id) DO NOTHING
        RETURNING event_id
        """,
        consumer,
        event_id,
        outcome.value,
    )
    return row is not None


async def forget_parked(tx: "Transaction", consumer: str, event_id: UUID) -> None:
    """Lets a parked event be heard again, for a replay."""
    await tx.execute(
        "DELETE FROM inbox WHERE consumer = $1 AND event_id = $2 AND outcome = $3",
        consumer,
        event_id,
        Remembered.PARKED.value,
    )


async def purge(pool: asyncpg.Pool, older_than: timedelta) -> int:
    """Forgets what is older than any topic keeps, a little at a time; returns how many rows went."""
    gone = 0
    while True:
        status = await pool.execute(
            """
            DELETE FROM inbox WHERE ctid IN (SELECT ctid FROM inbox WHERE at < now() - $1::interval LIMIT $2)
            """,
            older_than,
            PURGE_AT_ONCE,
        )
        deleted = int(status.rpartition(" ")[2])
        gone += deleted
        if deleted < PURGE_AT_ONCE:
            return gone
        await asyncio.sleep(1)
