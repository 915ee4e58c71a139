"""Takes therapists out of the directory for good, and says so of each of their clients."""

from uuid import UUID

from services.matching.store.directory import lock_entry
from services.matching.store.waiting_list import want_reoffer
from shared.contract.ids import DecisionId, RequestId, SeatId, TherapistId
from shared.contract.matching import TherapistGone
from shared.kit.transaction import Transaction


async def remove_therapist(tx: Transaction, therapist_id: UUID) -> list[RequestId] | None:
    """Removes an entry; None if there is none, else who has a seat or place with them still.

    They keep it until staff, who are told of each, decide what becomes of it.

    Proposals that name them, and groups that they gather, are seen to by the background's next look.
    """
    await lock_entry(tx, therapist_id)
    removed = await tx.fetchval("DELETE FROM therapists WHERE id = $1 RETURNING id", therapist_id)
    if removed is None:
        return None
    await want_reoffer(tx, "a therapist was removed")
    rows = await tx.fetch(
        """
        SELECT id, request_id, decision_id FROM seats WHERE therapist_id = $1 AND freed_at IS NULL
        UNION ALL
        SELECT p.id, p.request_id, p.decision_id FROM group_places p JOIN groups g ON g.id = p.group_id
        WHERE g.therapist_id = $1 AND g.state = 'formed' AND p.freed_at IS NULL
        ORDER BY request_id
        """,
        therapist_id,
    )
    await tx.publish_all(
        [
            TherapistGone(
                request_id=RequestId(row["request_id"]),
                decision_id=DecisionId(row["decision_id"]),
                seat_id=SeatId(row["id"]),
                therapist_id=TherapistId(removed),
            )
            for row in rows
        ]
    )
    return [RequestId(row["request_id"]) for row in rows]
