"""Whom to write to about a request, and what they have been told so far."""

from dataclasses import dataclass

from shared.contract.ids import ProposalId, RequestId, SubjectId
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Correspondent:
    """Whom to write to about a request; contacts are sealed."""

    request_id: RequestId
    subject_id: SubjectId
    contact: bytes
    therapist: bytes | None
    waiting_told: bool
    closed: bool
    turned_down: ProposalId | None
    """The proposal whose match came to nothing last."""


async def add_correspondent(
    tx: Transaction, request_id: RequestId, subject_id: SubjectId, contact: bytes
) -> bool:
    """Keeps whom to write to; False if that is known already."""
    status = await tx.execute(
        """
        INSERT INTO correspondents (request_id, subject_id, contact) VALUES ($1, $2, $3)
        ON CONFLICT (request_id) DO NOTHING
        """,
        request_id,
        subject_id,
        contact,
    )
    return status == "INSERT 0 1"


async def find_correspondent(tx: Transaction, request_id: RequestId) -> Correspondent | None:
    """Whom to write to about a request; locked until the transaction ends."""
    row = await tx.fetchrow(
        """
        SELECT request_id, subject_id, contact, therapist, waiting_told, closed,
               turned_down
        FROM correspondents WHERE request_id = $1 FOR UPDATE
        """,
        request_id,
    )
    return Correspondent(**row) if row is not None else None


async def set_therapist(tx: Transaction, request_id: RequestId, therapist: bytes) -> None:
    """Keeps the therapist who is written to; a match ends the waiting."""
    await tx.execute(
        "UPDATE correspondents SET therapist = $2, waiting_told = false WHERE request_id = $1",
        request_id,
        therapist,
    )


async def turn_down(tx: Transaction, request_id: RequestId, proposal_id: ProposalId) -> None:
    """Notes that nothing has come of a proposal."""
    await tx.execute(
        "UPDATE correspondents SET turned_down = $2 WHERE request_id = $1", request_id, proposal_id
    )


async def set_waiting_told(tx: Transaction, request_id: RequestId, *, told: bool) -> None:
    """Remembers whether the client knows that they are waiting."""
    await tx.execute("UPDATE correspondents SET waiting_told = $2 WHERE request_id = $1", request_id, told)


async def close(tx: Transaction, request_id: RequestId) -> None:
    """From now on nothing new is written about this request."""
    await tx.execute("UPDATE correspondents SET closed = true WHERE request_id = $1", request_id)
