"""A decision for a group gives the place that staff were shown, or none; what is unreadable stops nobody."""

from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.matching.handlers import Matcher, dissolve_groups, offer_to_waiting
from shared.contract.event import Event, RequestEvent
from shared.contract.ids import RequestId
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import GroupPlaceHeld, MatchProposed, SeatRefusal, SeatUnavailable
from shared.contract.review import MatchConfirmed
from shared.contract.sealing import opened
from shared.contract.vocabulary import Mode, Slot
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.gathering import (
    LEAST,
    RULE,
    a_choice,
    a_leader,
    group_on,
    in_directory,
    in_outbox,
    shown,
    somebody,
)
from tests.matching.recorded import hear
from tests.support.builders import a_withdrawal
from tests.support.keys import Counted

TUESDAY, WEDNESDAY = (Slot.TUE_EVENING,), (Slot.WED_MORNING,)
BOTH = (*TUESDAY, *WEDNESDAY)


async def heard(database: Database, matcher: Matcher, event: Event) -> list[Event]:
    """What is said about a request; what the directory says besides has tests of its own."""
    said = await hear(database, matcher, event)
    return [each for each in said if isinstance(each, RequestEvent)]


async def proposed(database: Database, matcher: Matcher, request: RequestSubmitted) -> MatchProposed:
    [said] = await heard(database, matcher, request)
    assert isinstance(said, MatchProposed)
    return said


async def decided(database: Database, matcher: Matcher, request: RequestSubmitted) -> MatchConfirmed:
    """Somebody is proposed a group, and a person confirms it."""
    choice = a_choice(await proposed(database, matcher, request))
    await hear(database, matcher, choice)
    return choice


async def spoil(database: Database, request_id: RequestId) -> None:
    """One byte of somebody's sealed details is no longer what it was."""
    await database.pool.execute(
        "UPDATE requests SET details = set_byte(details, 40, get_byte(details, 40) # 1) WHERE id = $1",
        request_id,
    )


async def mend(database: Database, request_id: RequestId) -> None:
    await spoil(database, request_id)


def names(said: list[tuple[str, str]], request_id: RequestId) -> list[str]:
    return [name for key, name in said if key == str(request_id)]


def refusal(said: list[Event]) -> SeatRefusal:
    """Why a decision was not carried out; a fresh list follows."""
    refused, fresh = said
    assert isinstance(refused, SeatUnavailable)
    assert isinstance(fresh, MatchProposed)
    return refused.reason


# ---------------------------------------------------------------------------------------- what was shown


async def shown_tuesday_in_person(database: Database, matcher: Matcher) -> MatchProposed:
    """Of the times, ways and languages that would suit somebody, staff are shown one group to be opened."""
    proposal = await proposed(
        database,
        matcher,
        somebody(availability=BOTH, mode=Mode.EITHER, outcode="E2", languages=("en", "pl")),
    )
    candidate, group = shown(proposal), group_on(shown(proposal))
    assert (group.group_id, group.slot, group.language) == (None, Slot.TUE_EVENING, "en")
    assert candidate.mode is Mode.IN_PERSON
    return proposal


@pytest.mark.parametrize("seats", [1, 4])
async def test_nobody_comes_into_a_group_at_another_time_than_staff_were_shown(
    database: Database, matcher: Matcher, seats: int
) -> None:
    await in_directory(database, a_leader(seats_offered=seats, seats_free=seats))
    proposal = await shown_tuesday_in_person(database, matcher)
    await decided(database, matcher, somebody(availability=WEDNESDAY, mode=Mode.ONLINE))

    said = await heard(database, matcher, a_choice(proposal))

    if seats == 1:
        assert refusal(said) is SeatRefusal.NO_SEAT_LEFT
    else:
        [held] = said
        assert isinstance(held, GroupPlaceHeld)
        assert opened(held.group).slot is Slot.TUE_EVENING


@pytest.mark.parametrize(
    "other",
    [{"mode": Mode.ONLINE}, {"mode": Mode.IN_PERSON, "outcode": "E2", "languages": ("pl",)}],
    ids=["mode", "language"],
)
async def test_a_group_that_was_opened_otherwise_than_staff_were_shown_is_for_them_to_decide_on_afresh(
    database: Database, matcher: Matcher, other: dict[str, Any]
) -> None:
    await in_directory(database, a_leader(languages=frozenset({"en", "pl"})))
    proposal = await shown_tuesday_in_person(database, matcher)
    await decided(database, matcher, somebody(availability=TUESDAY, **other))

    said = await heard(database, matcher, a_choice(proposal))

    assert refusal(said) is SeatRefusal.GROUP_GONE
    assert group_on(shown(said[1])).members == 1


async def test_a_group_that_was_opened_just_as_staff_were_shown_is_joined(
    database: Database, matcher: Matcher
) -> None:
    await in_directory(database, a_leader())
    proposal = await shown_tuesday_in_person(database, matcher)
    await decided(database, matcher, somebody(availability=TUESDAY, mode=Mode.IN_PERSON, outcode="E2"))

    [held] = await heard(database, matcher, a_choice(proposal))

    assert isinstance(held, GroupPlaceHeld)
    assert opened(held.group).members == 2


async def test_a_group_that_is_gone_is_not_opened_anew_by_a_decision_for_it(
    database: Database, matcher: Matcher
) -> None:
    await in_directory(database, a_leader())
    request = somebody()
    await hear(database, matcher, a_choice(await proposed(database, matcher, request)))
    late = await proposed(database, matcher, somebody())
    assert group_on(shown(late)).group_id is not None
    await hear(database, matcher, a_withdrawal(request))

    said = await heard(database, matcher, a_choice(late))

    assert refusal(said) is SeatRefusal.GROUP_GONE
    assert group_on(shown(said[1])).group_id is None


# ---------------------------------------------------------------------------------------- what cannot be read


async def test_a_member_who_cannot_be_read_holds_up_no_group_at_its_deadline(
    database: Database, matcher: Matcher, clock: MovableClock
) -> None:
    await in_directory(database, a_leader("ada"), a_leader("ben", slots=frozenset({Slot.SAT_MORNING})))
    spoilt = await decided(database, matcher, somebody(availability=TUESDAY))
    beside = await decided(database, matcher, somebody(availability=TUESDAY))
    clock.move(timedelta(minutes=1))
    elsewhere = await decided(database, matcher, somebody(availability=(Slot.SAT_MORNING,)))
    await spoil(database, spoilt.request_id)
    clock.move(timedelta(days=RULE.gathering.days))

    with capture_logs() as logged:
        assert await dissolve_groups(database, matcher) == 2
    # Who comes behind somebody that waits is looked for with the list.
    await offer_to_waiting(database, matcher)

    said = await in_outbox(database)
    assert names(said, spoilt.request_id) == ["seat-unavailable"]
    assert names(said, beside.request_id) == ["seat-unavailable", "match-proposed"]
    assert names(said, elsewhere.request_id) == ["seat-unavailable", "match-proposed"]
    assert "a member of a dissolved group was passed over" in {each["event"] for each in logged}
    assert {each["request_id"] for each in logged} == {str(spoilt.request_id)}


async def test_a_member_who_can_be_read_again_is_found_among_those_who_wait(
    database: Database, matcher: Matcher, clock: MovableClock
) -> None:
    await in_directory(database, a_leader())
    spoilt = await decided(database, matcher, somebody())
    await spoil(database, spoilt.request_id)
    clock.move(timedelta(days=RULE.gathering.days))
    await dissolve_groups(database, matcher)

    await mend(database, spoilt.request_id)
    await offer_to_waiting(database, matcher)

    assert names(await in_outbox(database), spoilt.request_id) == ["seat-unavailable", "match-proposed"]


async def test_a_group_that_cannot_be_dissolved_holds_up_no_other(
    database: Database, matcher: Matcher, clock: MovableClock
) -> None:
    await in_directory(database, a_leader("ada"), a_leader("ben", slots=frozenset({Slot.SAT_MORNING})))
    stuck = await decided(database, matcher, somebody(availability=TUESDAY))
    clock.move(timedelta(minutes=1))
    other = await decided(database, matcher, somebody(availability=(Slot.SAT_MORNING,)))
    # What the database refuses to one group, for a reason that nobody has thought of.
    await database.pool.execute(
        f"ALTER TABLE group_places ADD CHECK (freed_at IS NULL OR request_id <> '{stuck.request_id}'::uuid)"
    )
    clock.move(timedelta(days=RULE.gathering.days))

    with capture_logs() as logged:
        assert await dissolve_groups(database, matcher) == 1

    said = await in_outbox(database)
    assert names(said, stuck.request_id) == []
    assert names(said, other.request_id) == ["seat-unavailable", "match-proposed"]
    assert [each["event"] for each in logged] == ["a group could not be dissolved"]


@pytest.mark.parametrize("has_place", [False, True], ids=["seeker", "member"])
async def test_who_cannot_be_read_keeps_nobody_else_from_being_ranked_and_confirmed(
    database: Database, matcher: Matcher, has_place: bool
) -> None:
    await in_directory(database, a_leader())
    spoilt = await proposed(database, matcher, somebody())
    if has_place:
        await hear(database, matcher, a_choice(spoilt))
    await spoil(database, spoilt.request_id)

    with capture_logs() as logged:
        choices = [await decided(database, matcher, somebody()) for _ in range(LEAST - 1)]

    state, members = await database.pool.fetchrow("SELECT state, places_taken FROM groups") or ("none", 0)
    assert (state, members) == (("formed", LEAST) if has_place else ("gathering", LEAST - 1))
    assert len(choices) == LEAST - 1
    assert {each["request_id"] for each in logged} == {str(spoilt.request_id)}


async def test_however_many_groups_and_seekers_there_are_their_keys_are_asked_for_in_two_looks(
    database: Database, matcher: Matcher
) -> None:
    await in_directory(database, a_leader("ada"), a_leader("ben", slots=frozenset({Slot.SAT_MORNING})))
    for time in (TUESDAY, WEDNESDAY, (Slot.SAT_MORNING,)):
        await decided(database, matcher, somebody(availability=time))
        await proposed(database, matcher, somebody(availability=time))
    keys = Counted(database.keys)
    counting = Database(database.pool, service="matching", keys=keys, clock=database.clock)

    await proposed(counting, matcher, somebody())

    assert (keys.single, keys.looks) == (0, 2)
