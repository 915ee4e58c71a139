"""Groups: one seat of a caseload each, and places in them, taken while there is one and given back once.

Whoever changes a group locks the requests concerned first, then the therapist, then the group.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import asyncpg

from services.matching.domain.grouping import Gathering
from services.matching.store.directory import lock_entry
from services.matching.store.doubting import say_in_doubt
from services.matching.store.seats import free_seat, leave_caseload
from shared.contract.ids import (
    DecisionId,
    GroupId,
    ProposalId,
    RequestId,
    SeatId,
    StaffId,
    SubjectId,
    TherapistId,
)
from shared.contract.matching import GroupDoubt
from shared.contract.vocabulary import Mode, Slot, Variant
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who has a place, and the decision that gave it to them."""

    seat_id: SeatId
    request_id: RequestId
    subject_id: SubjectId
    proposal_id: ProposalId
    decision_id: DecisionId
    decided_by: StaffId
    details: bytes = b""
    """Of the request, sealed."""


_GROUP = """
    SELECT id, therapist_id, variant, slot, mode, language, least, most, places_taken, deadline,
           joinable_until
    FROM groups
"""


async def joinable_groups(
    tx: Transaction, variants: Sequence[Variant], therapist_id: TherapistId | None = None
) -> list[Gathering]:
    """Groups that still take members, of one therapist or of all; who gathers longest first."""
    rows = await tx.fetch(
        f"""
        {_GROUP}
        WHERE variant = ANY($1) AND ($2::uuid IS NULL OR therapist_id = $2) AND places_taken < most
            AND ((state = 'gathering' AND deadline > $3) OR (state = 'formed' AND joinable_until > $3))
        ORDER BY opened_at, id
        """,
        variants,
        therapist_id,
        tx.now,
    )
    return [_gathering(row) for row in rows]


async def slots_in_use(tx: Transaction) -> dict[TherapistId, frozenset[Slot]]:
    """When therapists have a group, whether it gathers or meets; one that has ended takes no time."""
    rows = await tx.fetch(
        """
        SELECT therapist_id, array_agg(slot) AS slots FROM groups WHERE state <> 'dissolved'
        GROUP BY therapist_id
        """
    )
    return {TherapistId(row["therapist_id"]): frozenset(map(Slot, row["slots"])) for row in rows}


async def open_group(tx: Transaction, group: Gathering) -> bool:
    """Opens a group; False, and nothing changed, if its therapist has another at that time."""
    opened = await tx.fetchval(
        """
        INSERT INTO groups
            (id, therapist_id, variant, slot, mode, language, least, most, state, opened_at, deadline)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'gathering', $9, $10)
        ON CONFLICT (therapist_id, slot) WHERE state <> 'dissolved' DO NOTHING RETURNING id
        """,
        group.id,
        group.therapist_id,
        group.variant,
        group.slot,
        group.mode,
        group.language,
        group.least,
        group.most,
        tx.now,
        group.deadline,
    )
    return opened is not None


async def take_place(tx: Transaction, group: Gathering, member: Member) -> bool:
    """Takes a place; False, and nothing changed, if none is free."""
    taken = await tx.fetchval(
        """
        UPDATE groups SET places_taken = places_taken + 1
        WHERE id = $1 AND state <> 'dissolved' AND places_taken < most RETURNING id
        """,
        group.id,
    )
    if taken is None:
        return False
    await tx.execute(
        """
        INSERT INTO group_places (id, group_id, request_id, proposal_id, decision_id, decided_by, taken_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        member.seat_id,
        group.id,
        member.request_id,
        member.proposal_id,
        member.decision_id,
        member.decided_by,
        tx.now,
    )
    return True


async def form_group(
    tx: Transaction, group: Gathering, *, joinable_until: datetime, over_at: datetime
) -> None:
    """From now on the group stays, whoever leaves, until nobody is left or its course is over."""
    await tx.execute(
        """
        UPDATE groups SET state = 'formed', formed_at = $2, joinable_until = $3, over_at = $4 WHERE id = $1
        """,
        group.id,
        tx.now,
        joinable_until,
        over_at,
    )


async def give_back(tx: Transaction, request_id: RequestId, because: str) -> None:
    """Gives back whatever a request holds, a seat or a place in a group."""
    if not await free_seat(tx, request_id, because):
        await _leave_group(tx, request_id, because)


async def _leave_group(tx: Transaction, request_id: RequestId, because: str) -> bool:
    """Gives a request's place back; False if it has none. With the last one the group and its seat go.

    Of a formed group that it leaves too small, the others are said to be in doubt in the same step.
    """
    group = await tx.fetchrow(
        """
        SELECT groups.id, groups.therapist_id
        FROM group_places JOIN groups ON groups.id = group_places.group_id
        WHERE group_places.request_id = $1 AND group_places.freed_at IS NULL
        """,
        request_id,
    )
    if group is None:
        return False
    await lock_entry(tx, group["therapist_id"])
    freed = await tx.fetchval(
        """
        UPDATE group_places SET freed_at = $2, freed_because = $3, group_id = NULL
        WHERE request_id = $1 AND freed_at IS NULL RETURNING true
        """,
        request_id,
        tx.now,
        because,
    )
    if freed is None:
        return False
    left = await tx.fetchrow(
        """
        UPDATE groups SET places_taken = places_taken - 1 WHERE id = $1
        RETURNING places_taken,
            state = 'formed' AND places_taken < least AND (over_at IS NULL OR over_at > $2) AS too_few
        """,
        group["id"],
        tx.now,
    )
    if left is None:
        raise AssertionError("a group went while its therapist was locked")
    if left["places_taken"] == 0:
        await end_group(tx, GroupId(group["id"]), "nobody is left")
    elif left["too_few"]:
        await say_in_doubt(tx, GroupId(group["id"]), GroupDoubt.TOO_FEW)
    return True


async def dissolve_group(tx: Transaction, group: Gathering, because: str) -> None:
    """Ends a group, frees every place in it and gives its seat back, once."""
    if group.id is not None:
        await end_group(tx, group.id, because)


async def end_group(
    tx: Transaction, group_id: GroupId, because: str, *, places_because: str = "group dissolved"
) -> bool:
    """Ends a group whose therapist is locked, with its places and its seat; False if it has ended before."""
    therapist_id = await tx.fetchval(
        """
        UPDATE groups SET state = 'dissolved', places_taken = 0, dissolved_at = $2, dissolved_because = $3
        WHERE id = $1 AND state <> 'dissolved' RETURNING therapist_id
        """,
        group_id,
        tx.now,
        because,
    )
    if therapist_id is None:
        return False
    await tx.execute(
        """
        UPDATE group_places SET freed_at = $2, freed_because = $3, group_id = NULL
        WHERE group_id = $1 AND freed_at IS NULL
        """,
        group_id,
        tx.now,
        places_because,
    )
    await leave_caseload(tx, TherapistId(therapist_id))
    return True


async def members_of(tx: Transaction, group: Gathering) -> list[Member]:
    """Who has a place, the oldest request first."""
    return [member for _, member in await members_of_each(tx, [group])]


async def members_of_each(tx: Transaction, groups: Sequence[Gathering]) -> list[tuple[GroupId, Member]]:
    """Who has a place in which of several groups, the oldest request first."""
    rows = await tx.fetch(
        """
        SELECT p.group_id, p.id, p.request_id, r.subject_id, p.proposal_id, p.decision_id, p.decided_by,
               r.details
        FROM group_places p JOIN requests r ON r.id = p.request_id
        WHERE p.group_id = ANY($1) AND p.freed_at IS NULL ORDER BY r.submitted_at, r.id
        """,
        [group.id for group in groups],
    )
    return [(GroupId(group_id), Member(*row)) for group_id, *row in rows]


async def groups_to_look_at(tx: Transaction, today: date) -> list[Gathering]:
    """Groups that gather and are out of time, or whose leader has changed or gone since the last look."""
    rows = await tx.fetch(
        f"""
        {_GROUP}
        WHERE state = 'gathering' AND (
            deadline <= $1 OR looked_on IS NULL OR looked_on < $2 OR NOT EXISTS (
                SELECT FROM therapists t
                WHERE t.id = groups.therapist_id AND pg_visible_in_snapshot(t.facts_changed_by, groups.seen)
            )
        )
        ORDER BY deadline, id
        """,
        tx.now,
        today,
    )
    return [_gathering(row) for row in rows]


async def find_gathering(tx: Transaction, group_id: GroupId | None) -> Gathering | None:
    """A group as it is now; None if it gathers no more."""
    row = await tx.fetchrow(f"{_GROUP} WHERE state = 'gathering' AND id = $1", group_id)
    return None if row is None else _gathering(row)


async def note_leader(tx: Transaction, group: Gathering, *, on: date, seen: str) -> None:
    """Notes that a group's leader was looked at, with those changes seen."""
    await tx.execute(
        "UPDATE groups SET looked_on = $2, seen = $3::text::pg_snapshot WHERE id = $1", group.id, on, seen
    )


def _gathering(row: asyncpg.Record) -> Gathering:
    return Gathering(
        id=GroupId(row["id"]),
        therapist_id=TherapistId(row["therapist_id"]),
        variant=Variant(row["variant"]),
        slot=Slot(row["slot"]),
        mode=Mode(row["mode"]),
        language=row["language"],
        least=row["least"],
        most=row["most"],
        members=row["places_taken"],
        deadline=row["deadline"],
        joinable_until=row["joinable_until"],
    )
