"""Who looks for a group: for whom its time is chosen."""

from dataclasses import dataclass

from shared.contract.ids import ProposalId, RequestId
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Seeker:
    """Somebody else who looks for a group, with what is sealed of them."""

    request_id: RequestId
    details: bytes
    proposal_id: ProposalId | None
    shortlist: bytes | None
    """Of that open proposal, if they have one."""


async def seekers(tx: Transaction, request_id: RequestId, most: int) -> list[Seeker]:
    """Who else looks for a group and has no place, the oldest request first."""
    rows = await tx.fetch(
        """
        SELECT r.id, r.details, p.id AS proposal_id, p.shortlist
        FROM requests r LEFT JOIN proposals p ON p.id = r.proposal_id AND r.state = 'proposed'
        WHERE r.looks_for_group AND r.state IN ('proposed', 'waiting') AND r.id <> $1
        ORDER BY r.submitted_at, r.id LIMIT $2
        """,
        request_id,
        most,
    )
    return [Seeker(*row) for row in rows]


async def look_for_group(tx: Transaction, request_id: RequestId, *, looks: bool) -> None:
    """Notes whether a request could be served by a group."""
    await tx.execute(
        "UPDATE requests SET looks_for_group = $2 WHERE id = $1 AND looks_for_group <> $2", request_id, looks
    )
