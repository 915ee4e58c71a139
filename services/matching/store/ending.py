"""Courses that have ended: what they held is given back once, and the case stays as it is."""

from dataclasses import dataclass
from datetime import datetime

from services.matching.store.directory import lock_entry
from services.matching.store.groups import end_group
from services.matching.store.requests import lock_request
from services.matching.store.seats import free_seat
from services.matching.store.waiting_list import want_reoffer
from shared.contract.ids import GroupId, RequestId, TherapistId
from shared.kit.transaction import Transaction

COURSE_ENDED = "course ended"


@dataclass(frozen=True, slots=True)
class Held:
    """The seat or place that a request has, or the last that it had."""

    request_id: RequestId
    therapist_id: TherapistId | None
    """None where a place was given back: it keeps no link to its group."""

    group_id: GroupId | None
    gathers: bool
    """Whether it is a place in a group that is not formed yet."""

    others: tuple[RequestId, ...]
    """Who else has a place in the group."""

    freed_at: datetime | None
    freed_because: str | None


async def lock_held(tx: Transaction, request_id: RequestId) -> Held | None:
    """What a request has or had, with all locked that may change it; None if it never had anything."""
    if await lock_request(tx, request_id) is None:
        return None
    held = await _held(tx, request_id)
    if held is None or held.therapist_id is None or held.freed_at is not None:
        return held
    await lock_entry(tx, held.therapist_id)
    # Its group may have been formed, or have ended, while it was waited for.
    return await _held(tx, request_id)


async def end_course(tx: Transaction, held: Held) -> bool:
    """Gives back what is held and locked, for a group its one seat; False if that was done before."""
    if held.group_id is not None:
        return await end_group_course(tx, held.group_id)
    if not await free_seat(tx, held.request_id, COURSE_ENDED):
        return False
    await want_reoffer(tx, "a course has ended")
    return True


async def courses_over(tx: Transaction) -> list[GroupId]:
    """Formed groups whose course must be over."""
    rows = await tx.fetch(
        # An older build may still form groups without saying when they end: after eight weeks.
        """
        SELECT id FROM groups
        WHERE state = 'formed' AND coalesce(over_at, joinable_until + interval '8 weeks') <= $1
        ORDER BY joinable_until, id
        """,
        tx.now,
    )
    return [GroupId(row["id"]) for row in rows]


async def end_group_course(tx: Transaction, group_id: GroupId) -> bool:
    """Gives back a group's seat, time and places, with its therapist locked; False if it has ended before."""
    if not await end_group(tx, group_id, COURSE_ENDED, places_because=COURSE_ENDED):
        return False
    await want_reoffer(tx, "a course has ended")
    return True


async def _held(tx: Transaction, request_id: RequestId) -> Held | None:
    row = await tx.fetchrow(
        """
        SELECT therapist_id, group_id, gathers, others, freed_at, freed_because
        FROM (
            SELECT therapist_id, NULL::uuid AS group_id, false AS gathers, '{}'::uuid[] AS others,
                   taken_at, freed_at, freed_because
            FROM seats WHERE request_id = $1
            UNION ALL
            SELECT g.therapist_id, g.id, coalesce(g.state = 'gathering', false),
                   ARRAY(
                       SELECT o.request_id FROM group_places o
                       WHERE o.group_id = g.id AND o.freed_at IS NULL AND o.id <> p.id ORDER BY o.request_id
                   ),
                   p.taken_at, p.freed_at, p.freed_because
            FROM group_places p LEFT JOIN groups g ON g.id = p.group_id WHERE p.request_id = $1
        ) had
        ORDER BY freed_at DESC NULLS FIRST, taken_at DESC LIMIT 1
        """,
        request_id,
    )
    if row is None:
        return None
    return Held(
        request_id=request_id,
        therapist_id=None if row["therapist_id"] is None else TherapistId(row["therapist_id"]),
        group_id=None if row["group_id"] is None else GroupId(row["group_id"]),
        gathers=row["gathers"],
        others=tuple(RequestId(each) for each in row["others"]),
        freed_at=row["freed_at"],
        freed_because=row["freed_because"],
    )
