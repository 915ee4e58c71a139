"""Who looks for a group: for whom its time is chosen."""

from dataclasses import dataclass

import asyncpg

from services.matching.domain.grouping import Gathering
from shared.contract.ids import GroupId, RequestId, TherapistId
from shared.contract.vocabulary import Mode, Slot, Variant
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Seeker:
    """Somebody else who looks for a group: their sealed details, and the group their proposal names first."""

    request_id: RequestId
    details: bytes
    named: Gathering | None


async def seekers(tx: Transaction, request_id: RequestId, most: int) -> list[Seeker]:
    """Who else looks for a group and has no place, the oldest request first."""
    rows = await tx.fetch(
        """
        SELECT r.id, r.details, p.group_id, p.first_therapist_id, p.group_variant, p.group_slot, p.group_mode,
               p.group_language
        FROM requests r LEFT JOIN proposals p ON p.id = r.proposal_id AND r.state = 'proposed'
        WHERE r.looks_for_group AND r.state IN ('proposed', 'waiting') AND r.id <> $1
        ORDER BY r.submitted_at, r.id LIMIT $2
        """,
        request_id,
        most,
    )
    return [Seeker(RequestId(row["id"]), row["details"], _named(row)) for row in rows]


async def look_for_group(tx: Transaction, request_id: RequestId, *, looks: bool) -> None:
    """Notes whether a request could be served by a group."""
    await tx.execute(
        "UPDATE requests SET looks_for_group = $2 WHERE id = $1 AND looks_for_group <> $2", request_id, looks
    )


def _named(row: asyncpg.Record) -> Gathering | None:
    if row["group_slot"] is None:
        return None
    return Gathering(
        id=None if row["group_id"] is None else GroupId(row["group_id"]),
        therapist_id=TherapistId(row["first_therapist_id"]),
        variant=Variant(row["group_variant"]),
        slot=Slot(row["group_slot"]),
        mode=Mode(row["group_mode"]),
        language=row["group_language"],
        least=0,
        most=0,
    )
