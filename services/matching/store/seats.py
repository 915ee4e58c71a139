"""Seats: taken while one is free, given back once."""

from uuid import UUID

from services.matching.store.directory import lock_entry
from shared.contract.ids import DecisionId, ProposalId, RequestId, SeatId, TherapistId
from shared.contract.vocabulary import Mode
from shared.kit.transaction import Transaction


async def take_seat(
    tx: Transaction,
    seat_id: SeatId,
    *,
    therapist_id: TherapistId,
    request_id: RequestId,
    proposal_id: ProposalId,
    decision_id: DecisionId,
    mode: Mode,
) -> bool:
    """Takes one of the therapist's seats for a request; False, and nothing changed, if none is free."""
    if not await join_caseload(tx, therapist_id):
        return False
    await tx.execute(
        """
        INSERT INTO seats (id, therapist_id, request_id, proposal_id, decision_id, mode, taken_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        seat_id,
        therapist_id,
        request_id,
        proposal_id,
        decision_id,
        mode,
        tx.now,
    )
    return True


async def free_seat(tx: Transaction, request_id: RequestId, because: str) -> bool:
    """Gives a request's seat back; False if it holds none, or no longer."""
    therapist_id: UUID | None = await tx.fetchval(
        "SELECT therapist_id FROM seats WHERE request_id = $1 AND freed_at IS NULL", request_id
    )
    if therapist_id is None:
        return False
    # Else somebody who was removed and is just coming back could be counted a seat that is gone by then.
    await lock_entry(tx, therapist_id)
    freed = await tx.fetchval(
        """
        UPDATE seats SET freed_at = $2, freed_because = $3
        WHERE request_id = $1 AND freed_at IS NULL RETURNING true
        """,
        request_id,
        tx.now,
        because,
    )
    if freed is None:
        return False
    await leave_caseload(tx, TherapistId(therapist_id))
    return True


async def seated_after(tx: Transaction, last: RequestId | None, most: int) -> list[tuple[RequestId, bytes]]:
    """The next requests by id that hold a seat or a place, with their sealed details."""
    rows = await tx.fetch(
        """
        SELECT id, details FROM requests
        WHERE state = 'seated' AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2
        """,
        last,
        most,
    )
    return [(RequestId(row["id"]), row["details"]) for row in rows]


async def join_caseload(tx: Transaction, therapist_id: TherapistId) -> bool:
    """Takes one seat of a caseload, for a client or for a whole group; False if none is free."""
    # The condition is checked again under the row's lock: of two who see the last seat, one gets it.
    taken = await tx.fetchval(
        """
        UPDATE therapists SET seats_taken = seats_taken + 1
        WHERE id = $1 AND seats_taken < seats_offered RETURNING id
        """,
        therapist_id,
    )
    return taken is not None


async def leave_caseload(tx: Transaction, therapist_id: TherapistId) -> None:
    """Gives one seat of a caseload back, if its therapist is still in the directory."""
    await tx.execute("UPDATE therapists SET seats_taken = seats_taken - 1 WHERE id = $1", therapist_id)


async def decision_has_seat(tx: Transaction, decision_id: DecisionId) -> bool:
    """Whether a decision was already carried out, with a seat or a place in a group."""
    found = await tx.fetchval(
        """
        SELECT 1 FROM seats WHERE decision_id = $1
        UNION ALL SELECT 1 FROM group_places WHERE decision_id = $1
        """,
        decision_id,
    )
    return found is not None
