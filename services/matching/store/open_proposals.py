"""Open proposals: which have lapsed, and which must be looked at again."""

from datetime import date, datetime

from shared.contract.ids import RequestId
from shared.kit.transaction import Transaction


async def lapse_proposals(tx: Transaction, made_by: datetime) -> int:
    """Puts back on the list, at their place, whose proposal is as old as that; returns how many."""
    # SKIP LOCKED: whoever holds a request is deciding about it, and if not, the next look finds it.
    status = await tx.execute(
        """
        WITH overdue AS (
            SELECT r.id, r.submitted_at FROM requests r JOIN proposals p ON p.id = r.proposal_id
            WHERE r.state = 'proposed' AND p.proposed_at <= $1
            FOR UPDATE OF r SKIP LOCKED
        ), lapsed AS (
            UPDATE requests SET state = 'waiting', proposal_id = NULL
            FROM overdue WHERE requests.id = overdue.id RETURNING requests.id, overdue.submitted_at
        )
        INSERT INTO waiting_list (request_id, submitted_at, since, shortfall)
        SELECT id, submitted_at, $2, NULL FROM lapsed
        """,
        made_by,
        tx.now,
    )
    return int(status.rpartition(" ")[2])


async def proposals_to_look_at(tx: Transaction, today: date) -> list[RequestId]:
    """Whose proposal was not looked at today, or not since an entry that it names has changed."""
    rows = await tx.fetch(
        """
        SELECT r.id FROM requests r JOIN proposals p ON p.id = r.proposal_id
        WHERE r.state = 'proposed' AND (
            p.looked_on IS NULL OR p.looked_on < $1 OR EXISTS (
                SELECT FROM therapists t
                WHERE t.id = ANY(p.named) AND NOT pg_visible_in_snapshot(t.changed_by, p.seen)
            )
        )
        ORDER BY r.submitted_at, r.id
        """,
        today,
    )
    return [RequestId(row["id"]) for row in rows]


async def snapshot(tx: Transaction) -> str:
    """Which changes of others are seen by now."""
    seen: str = await tx.fetchval("SELECT pg_current_snapshot()::text")
    return seen


async def note_look(tx: Transaction, request_id: RequestId, *, on: date, seen: str) -> None:
    """Notes that a request's open proposal was looked at, with those changes seen."""
    await tx.execute(
        """
        UPDATE proposals SET looked_on = $2, seen = $3::text::pg_snapshot
        FROM requests WHERE requests.id = $1 AND proposals.id = requests.proposal_id
        """,
        request_id,
        on,
        seen,
    )
