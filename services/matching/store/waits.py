"""How long people waited: each request for its first shortlist."""

from datetime import datetime

from services.matching.domain.waits import Wait
from shared.contract.ids import RequestId
from shared.contract.vocabulary import Mode
from shared.kit.transaction import Transaction


async def begin_wait(tx: Transaction, request_id: RequestId, mode: Mode) -> None:
    """Counts a wait that begins now, if the request has neither waited nor been proposed anybody before."""
    await tx.execute(
        """
        INSERT INTO waits (request_id, mode, since)
        SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM proposals WHERE request_id = $1)
        ON CONFLICT (request_id) DO NOTHING
        """,
        request_id,
        mode.value,
        tx.now,
    )


async def end_wait(tx: Transaction, request_id: RequestId, *, found: bool) -> None:
    """Notes that a wait has ended, with a shortlist or without, if one is counted."""
    await tx.execute(
        "UPDATE waits SET ended_at = $2, found = $3 WHERE request_id = $1 AND ended_at IS NULL",
        request_id,
        tx.now,
        found,
    )


async def waits_since(tx: Transaction, moment: datetime) -> list[Wait]:
    """Every wait that had not ended by that moment."""
    rows = await tx.fetch(
        "SELECT mode, since, ended_at, found FROM waits WHERE ended_at IS NULL OR ended_at > $1", moment
    )
    return [
        Wait(Mode(row["mode"]), row["since"], row["ended_at"], found=row["found"] is True) for row in rows
    ]
