"""Takes therapists out of the directory for good."""

from uuid import UUID

from services.matching.store.directory import lock_entry
from services.matching.store.waiting_list import want_reoffer
from shared.contract.ids import RequestId, TherapistId
from shared.contract.matching import TherapistRemoved
from shared.kit.transaction import Transaction


async def remove_therapist(tx: Transaction, therapist_id: UUID) -> list[RequestId] | None:
    """Removes an entry and says so; None if there is none, else who has a place with them still and keeps it.

    Proposals that name them, and groups that they gather, are seen to by the background's next look.
    """
    await lock_entry(tx, therapist_id)
    removed = await tx.fetchval("DELETE FROM therapists WHERE id = $1 RETURNING id", therapist_id)
    if removed is None:
        return None
    await tx.publish(TherapistRemoved(therapist_id=TherapistId(removed)))
    await want_reoffer(tx, "a therapist was removed")
    rows = await tx.fetch(
        """
        SELECT request_id FROM seats WHERE therapist_id = $1 AND freed_at IS NULL
        UNION ALL
        SELECT p.request_id FROM group_places p JOIN groups g ON g.id = p.group_id
        WHERE g.therapist_id = $1 AND g.state = 'formed' AND p.freed_at IS NULL
        ORDER BY request_id
        """,
        therapist_id,
    )
    return [RequestId(row["request_id"]) for row in rows]
