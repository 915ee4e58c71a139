"""Open proposals: which have lapsed, which must be looked at again, and the seats that they speak for."""

from datetime import date, datetime

from shared.contract.ids import RequestId, TherapistId
from shared.kit.transaction import Transaction


async def lapse_proposals(tx: Transaction, made_by: datetime) -> int:
    """Puts back on the list, at their place, whose proposal is as old as that; returns how many."""
    # SKIP LOCKED: whoever holds a request is deciding about it, and if not, the next look finds it.
    status = await tx.execute(
        """
        WITH overdue AS (
            SELECT r.id, r.submitted_at FROM proposals p JOIN requests r ON r.id = p.request_id
            WHERE p.open AND p.proposed_at <= $1 AND r.state = 'proposed' AND r.proposal_id = p.id
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
    """Whose proposal was not looked at today, or not since an entry that it names has changed or gone."""
    rows = await tx.fetch(
        """
        WITH changed AS (
            SELECT id, facts_changed_by AS changed_by FROM therapists
            WHERE changed_by >= (SELECT min(pg_snapshot_xmin(seen)) FROM proposals WHERE open)
            UNION ALL
            SELECT therapist_id, changed_by FROM therapist_history
            WHERE entry IS NULL AND era = current_era()
            AND changed_by >= (SELECT min(pg_snapshot_xmin(seen)) FROM proposals WHERE open)
        ), doubtful AS (
            SELECT request_id FROM proposals WHERE open AND (looked_on IS NULL OR looked_on < $1)
            UNION
            SELECT p.request_id FROM changed JOIN proposals p ON p.named @> ARRAY[changed.id]
            WHERE p.open AND NOT pg_visible_in_snapshot(changed.changed_by, p.seen)
        )
        SELECT id FROM requests WHERE id = ANY(ARRAY(SELECT request_id FROM doubtful))
        ORDER BY submitted_at, id
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


async def spoken_for(
    tx: Transaction, *, beside: RequestId | None = None, of_who_waited: bool = False
) -> dict[TherapistId, int]:
    """How many seats of each therapist open proposals name first; all who would open one group need one.

    `beside` one request leaves out its own, `of_who_waited` counts only those of who had to wait, or was
    proposed somebody else before.
    """
    rows = await tx.fetch(
        """
        SELECT p.first_therapist_id,
               count(*) FILTER (WHERE p.group_slot IS NULL)
               + count(DISTINCT p.group_slot) FILTER (WHERE p.group_slot IS NOT NULL AND NOT EXISTS (
                   SELECT FROM groups g WHERE g.therapist_id = p.first_therapist_id AND g.slot = p.group_slot
                       AND g.state <> 'dissolved')) AS proposals
        FROM proposals p
        WHERE p.open AND p.request_id IS DISTINCT FROM $1 AND (
            NOT $2 OR EXISTS (SELECT FROM waits w WHERE w.request_id = p.request_id)
            OR EXISTS (SELECT FROM proposals o WHERE o.request_id = p.request_id AND o.id <> p.id)
        )
        GROUP BY p.first_therapist_id
        """,
        beside,
        of_who_waited,
    )
    return {TherapistId(row["first_therapist_id"]): row["proposals"] for row in rows}
