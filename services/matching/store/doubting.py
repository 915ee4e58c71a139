"""Formed groups in doubt: whose leader must be looked at again, and what is said of each member."""

from dataclasses import dataclass
from datetime import date

from services.matching.store.directory import lock_entry
from shared.contract.ids import DecisionId, GroupId, RequestId, SeatId, TherapistId
from shared.contract.matching import GroupDoubt, GroupInDoubt
from shared.contract.vocabulary import Variant
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Formed:
    """A formed group, and whether its leader had lapsed when they were looked at last."""

    id: GroupId
    therapist_id: TherapistId
    variant: Variant
    leader_lapsed: bool


async def formed_to_look_at(tx: Transaction, today: date) -> list[GroupId]:
    """Formed groups whose leader was not looked at today, or has changed since the last look.

    Who has left the directory is looked at once a day only: of them it was said when they left.
    """
    rows = await tx.fetch(
        """
        SELECT id FROM groups
        WHERE state = 'formed' AND (over_at IS NULL OR over_at > $1) AND (
            looked_on IS NULL OR looked_on < $2 OR EXISTS (
                SELECT FROM therapists t
                WHERE t.id = groups.therapist_id
                    AND NOT pg_visible_in_snapshot(t.facts_changed_by, groups.seen)
            )
        )
        ORDER BY id
        """,
        tx.now,
        today,
    )
    return [GroupId(row["id"]) for row in rows]


async def lock_formed(tx: Transaction, group_id: GroupId) -> Formed | None:
    """A group with its therapist locked, so that nobody comes or goes; None if nobody is left in it."""
    therapist_id = await tx.fetchval("SELECT therapist_id FROM groups WHERE id = $1", group_id)
    await lock_entry(tx, therapist_id)
    row = await tx.fetchrow(
        "SELECT variant, leader_lapsed FROM groups WHERE id = $1 AND state = 'formed'", group_id
    )
    if row is None:
        return None
    return Formed(group_id, TherapistId(therapist_id), Variant(row["variant"]), row["leader_lapsed"])


async def note_lapse(tx: Transaction, group: Formed, *, lapsed: bool, on: date, seen: str) -> None:
    """Notes that a group's leader was looked at, with those changes seen, and whether they have lapsed."""
    await tx.execute(
        "UPDATE groups SET leader_lapsed = $2, looked_on = $3, seen = $4::text::pg_snapshot WHERE id = $1",
        group.id,
        lapsed,
        on,
        seen,
    )


async def say_in_doubt(tx: Transaction, group_id: GroupId, doubt: GroupDoubt) -> None:
    """Says of each member of a group, whose therapist is locked, that staff must decide; they stay in it."""
    rows = await tx.fetch(
        """
        SELECT p.request_id, p.decision_id, p.id AS seat_id, g.therapist_id
        FROM group_places p JOIN groups g ON g.id = p.group_id
        WHERE g.id = $1 AND p.freed_at IS NULL ORDER BY p.request_id
        """,
        group_id,
    )
    await tx.publish_all(
        [
            GroupInDoubt(
                request_id=RequestId(row["request_id"]),
                decision_id=DecisionId(row["decision_id"]),
                seat_id=SeatId(row["seat_id"]),
                therapist_id=TherapistId(row["therapist_id"]),
                doubt=doubt,
            )
            for row in rows
        ]
    )
