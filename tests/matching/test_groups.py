"""Groups on a real database: gathered by people's decisions, formed with enough, dissolved in time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from services.matching import store
from services.matching.handlers import Matcher, dissolve_groups, handlers, offer_to_waiting
from services.matching.handlers.reading import open_shortlist
from shared.contract.event import Event, RequestEvent
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import (
    GroupMeeting,
    GroupPlaceHeld,
    MatchNotFound,
    MatchProposed,
    SeatRefusal,
    SeatReserved,
    SeatUnavailable,
)
from shared.contract.review import MatchConfirmed
from shared.contract.sealing import opened
from shared.contract.vocabulary import Format, Mode, Slot, Therapy, Variant
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.testing import recording
from tests.matching.builders import RULES, a_registration, a_therapist
from tests.matching.gathering import (
    LEAST,
    MOST,
    RULE,
    a_choice,
    a_leader,
    group_on,
    in_directory,
    in_outbox,
    shown,
    somebody,
)
from tests.support.builders import (
    a_decline,
    a_rematch,
    a_request,
    a_withdrawal,
    id_of,
)

Hear = Callable[[Event], Awaitable[list[Event]]]


@pytest.fixture
def matcher() -> Matcher:
    """What a process has for ranking when it has just begun."""
    return Matcher(RULES, store.DirectoryInMemory(RULES))


@pytest.fixture
def hear(database: Database, matcher: Matcher) -> Hear:
    """Lets matching hear an event, and returns what it says about it."""

    async def heard(event: Event) -> list[Event]:
        function = handlers.events[type(event)]
        async with recording(database) as tx:
            needs_matcher = "matcher" in function.__annotations__
            await (function(event, tx, matcher) if needs_matcher else function(event, tx))
        # What the directory says besides has tests of its own.
        return [event for event in tx.published if isinstance(event, RequestEvent)]

    return heard


async def proposed(hear: Hear, request: RequestSubmitted | None = None) -> MatchProposed:
    [said] = await hear(request or somebody())
    assert isinstance(said, MatchProposed)
    return said


async def gather(hear: Hear, number: int) -> list[MatchConfirmed]:
    """So many young people are confirmed, one after the other."""
    choices = [a_choice(await proposed(hear)) for _ in range(number)]
    for each in choices:
        await hear(each)
    return choices


async def seats_free(database: Database, name: str = "ada") -> int:
    async with database.transaction() as tx:
        entry = await store.find_therapist(tx, id_of(name))
    assert entry is not None
    return entry.seats_free


async def groups(database: Database) -> list[tuple[str, int]]:
    """Every group there ever was: its state, and how many have a place in it."""
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT state, places_taken FROM groups ORDER BY opened_at, id")
    return [(row["state"], row["places_taken"]) for row in rows]


# ------------------------------------------------------------------------------------------- the shortlist


async def test_a_shortlist_says_which_group_staff_would_decide_on(database: Database, hear: Hear) -> None:
    await in_directory(database, a_leader())

    candidate = shown(await proposed(hear))

    group = group_on(candidate)
    assert (candidate.variant, group.slot, group.language) == (Variant.IPT_AST, Slot.TUE_EVENING, "en")
    assert (group.group_id, group.members, group.least, group.most) == (None, 0, LEAST, MOST)
    assert (group.individual_first, group.sessions, group.minutes) == (2, 8, 90)
    assert sum(reason.points for reason in candidate.reasons) == candidate.score
    assert candidate.reasons[-1].text == (
        "Would open a group on Tuesday evenings, which begins once 4 have a place."
    )


async def test_whoever_comes_next_is_proposed_the_group_that_gathers(database: Database, hear: Hear) -> None:
    # Ben has more times in common with the second, but two half groups help nobody.
    ada = a_leader("ada", slots=frozenset({Slot.WED_MORNING}))
    ben = a_leader("ben", slots=frozenset({Slot.TUE_EVENING, Slot.THU_EVENING}))
    times = (Slot.TUE_EVENING, Slot.WED_MORNING, Slot.THU_EVENING)
    await in_directory(database, ada, ben)
    assert shown(await proposed(hear, somebody(12, availability=times))).therapist_id == ben.id
    await hear(a_choice(await proposed(hear, somebody(16, availability=(Slot.WED_MORNING,)))))

    second = shown(await proposed(hear, somebody(16, availability=times)))

    assert second.therapist_id == ada.id
    assert (group_on(second).slot, group_on(second).members) == (Slot.WED_MORNING, 1)
    assert second.reasons[-1].text == "Gathers a group on Wednesday mornings: 1 of at least 4 have a place."


async def test_whoever_comes_next_is_proposed_what_was_proposed_before_any_decision(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader())
    await proposed(hear, somebody(availability=(Slot.WED_MORNING,)))

    group = group_on(shown(await proposed(hear)))

    assert (group.slot, group.members, group.group_id) == (Slot.WED_MORNING, 0, None)


async def test_a_group_is_opened_when_most_of_those_who_look_for_one_can_come(
    database: Database, hear: Hear, matcher: Matcher
) -> None:
    first = somebody()
    for request in (first, *(somebody(availability=(Slot.WED_MORNING,)) for _ in range(2))):
        [said] = await hear(request)
        assert isinstance(said, MatchNotFound)
    await in_directory(database, a_leader())

    await offer_to_waiting(database, matcher)

    async with database.transaction() as tx:
        asked = await store.lock_request(tx, first.request_id)
        assert asked is not None
        assert asked.proposal_id is not None
        shortlist = await open_shortlist(tx, asked.proposal_id)
    assert shortlist is not None
    assert group_on(shortlist.candidates[0]).slot is Slot.WED_MORNING


@pytest.mark.parametrize("look", ["seekers", "slots_in_use", "joinable_groups"])
async def test_a_decision_that_comes_while_others_are_looked_at_hides_no_group(
    database: Database, hear: Hear, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    await in_directory(database, a_leader("ada"), a_leader("ben"))
    first = await proposed(hear)
    looks = getattr(store, look)

    async def looks_and_is_overtaken(*arguments: Any) -> Any:
        seen = await looks(*arguments)
        monkeypatch.undo()
        await hear(a_choice(first))
        return seen

    monkeypatch.setattr(store, look, looks_and_is_overtaken)
    second = await proposed(hear)

    assert shown(second).therapist_id == shown(first).therapist_id
    assert group_on(shown(second)).slot is group_on(shown(first)).slot


async def test_no_time_in_common_means_no_group(database: Database, hear: Hear) -> None:
    await in_directory(database, a_leader())

    [said] = await hear(somebody(availability=(Slot.SUN_EVENING,)))

    assert isinstance(said, MatchNotFound)
    found = opened(said.findings)
    assert found.text == "No group gathers, and none can be opened, at a time that the client has."
    assert [(each.gate, each.therapists) for each in found.gates] == [("group_time", 1)]


async def test_without_a_time_for_a_group_another_form_is_proposed(database: Database, hear: Hear) -> None:
    await in_directory(database, a_therapist("ada"))

    candidate = shown(await proposed(hear, somebody(availability=(Slot.SUN_EVENING,))))

    assert (candidate.variant, candidate.group) == (Variant.IPT_A, None)


@pytest.mark.parametrize(
    "other",
    [
        {"age": 12},
        {"availability": (Slot.WED_MORNING,)},
        {"mode": Mode.IN_PERSON, "outcode": "E2"},
    ],
    ids=["age", "time", "mode"],
)
async def test_whoever_does_not_fit_a_group_is_not_put_into_it(
    database: Database, hear: Hear, other: dict[str, Any]
) -> None:
    await in_directory(database, a_leader())
    await hear(a_choice(await proposed(hear, somebody(16, availability=(Slot.TUE_EVENING,)))))

    [said] = await hear(somebody(**other))

    candidate = shown(said) if isinstance(said, MatchProposed) else None
    assert candidate is None or group_on(candidate).group_id is None


async def test_a_group_that_gathers_needs_no_further_seat(database: Database, hear: Hear) -> None:
    await in_directory(database, a_leader(seats_offered=1, seats_free=1))
    await hear(a_choice(await proposed(hear)))
    assert await seats_free(database) == 0

    candidate = shown(await proposed(hear))

    assert group_on(candidate).members == 1
    assert candidate.seats_free == 0


async def test_whoever_leads_a_group_that_gathers_is_not_said_to_be_kept_off_by_having_no_seat(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader(seats_offered=1, seats_free=1))
    await hear(a_choice(await proposed(hear)))

    shortlist = opened((await proposed(hear)).shortlist)

    assert [each.therapist_id for each in shortlist.candidates] == [id_of("ada")]
    assert (shortlist.gates, shortlist.next_best) == ((), None)


async def test_a_full_caseload_is_the_next_best_for_a_group_only_with_a_time_for_one(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader(seats_offered=0, seats_free=0))

    said = [(await hear(somebody(availability=(slot,))))[0] for slot in (Slot.TUE_EVENING, Slot.SUN_EVENING)]

    missed = [opened(each.findings).next_best for each in said if isinstance(each, MatchNotFound)]
    assert [each and each.gate for each in missed] == ["seat", None]


# ------------------------------------------------------------------------------------------- a decision


async def test_a_confirmed_place_is_held_and_takes_one_seat_for_the_whole_group(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader())
    choice = a_choice(await proposed(hear))

    [held] = await hear(choice)

    assert isinstance(held, GroupPlaceHeld)
    assert (held.decision_id, held.decided_by) == (choice.decision_id, choice.decided_by)
    told = opened(held.group)
    assert (told.members, told.formed, told.group_id is None) == (1, False, False)
    assert await seats_free(database) == 3
    await hear(a_choice(await proposed(hear)))
    assert await seats_free(database) == 3


async def test_with_the_least_number_the_group_is_formed_and_each_seat_names_its_own_decision(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader())
    before = await gather(hear, LEAST - 1)
    last = a_choice(await proposed(hear))

    said = await hear(last)

    assert [type(each) for each in said] == [SeatReserved] * LEAST
    seats = {each.request_id: each for each in said if isinstance(each, SeatReserved)}
    for choice in (*before, last):
        seat = seats[choice.request_id]
        assert (seat.decision_id, seat.proposal_id, seat.subject_id) == (
            choice.decision_id,
            choice.proposal_id,
            choice.subject_id,
        )
        assert opened(seat.group).members == LEAST
        assert opened(seat.meets) == GroupMeeting(slot=Slot.TUE_EVENING, individual_first=2)
    assert await groups(database) == [("formed", LEAST)]


async def test_a_formed_group_takes_more_until_it_is_full_or_has_begun(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    await in_directory(database, a_leader())
    await gather(hear, LEAST)

    [seat] = await hear(a_choice(await proposed(hear)))

    assert isinstance(seat, SeatReserved)
    assert opened(seat.group).members == LEAST + 1
    late = await proposed(hear)
    clock.move(timedelta(days=RULE.starting.days))
    [said, *_] = await hear(a_choice(late))
    assert isinstance(said, SeatUnavailable)
    assert await groups(database) == [("formed", LEAST + 1)]


async def test_of_many_decisions_at_once_no_more_get_a_place_than_there_are(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader(seats_offered=1, seats_free=1))
    choices = [a_choice(await proposed(hear)) for _ in range(MOST + 1)]

    said = await asyncio.gather(*map(hear, choices))

    flat = [each for answers in said for each in answers]
    assert sum(isinstance(each, GroupPlaceHeld) for each in flat) == LEAST - 1
    assert sum(isinstance(each, SeatReserved) for each in flat) == MOST
    assert [each.reason for each in flat if isinstance(each, SeatUnavailable)] == [SeatRefusal.NO_SEAT_LEFT]
    assert await groups(database) == [("formed", MOST)]
    assert await seats_free(database) == 0


async def test_a_decision_heard_twice_takes_one_place(database: Database, hear: Hear) -> None:
    await in_directory(database, a_leader())
    choice = a_choice(await proposed(hear))
    await hear(choice)

    assert await hear(choice) == []
    assert await groups(database) == [("gathering", 1)]


async def test_a_lapsed_leader_gets_nobody(database: Database, hear: Hear, clock: MovableClock) -> None:
    await in_directory(database, a_leader(registration=a_registration(expires_on=clock.now().date())))
    choice = a_choice(await proposed(hear))
    clock.move(timedelta(days=1))

    [said, *_] = await hear(choice)

    assert isinstance(said, SeatUnavailable)
    assert said.reason is SeatRefusal.NO_LONGER_ELIGIBLE
    assert await groups(database) == []


# ------------------------------------------------------------------------------------------- leaving


async def test_whoever_leaves_gives_the_place_back(database: Database, hear: Hear) -> None:
    await in_directory(database, a_leader())
    request = somebody()
    proposal = await proposed(hear, request)
    await hear(a_choice(proposal))
    await gather(hear, 1)

    await hear(a_withdrawal(request))

    assert await groups(database) == [("gathering", 1)]
    assert await seats_free(database) == 3


async def test_with_the_last_member_the_group_and_its_seat_go(database: Database, hear: Hear) -> None:
    await in_directory(database, a_leader())
    request = somebody()
    await hear(a_choice(await proposed(hear, request)))

    await hear(a_decline(request))
    await hear(a_withdrawal(request))

    assert await groups(database) == [("dissolved", 0)]
    assert await seats_free(database) == 4


async def test_a_member_who_is_ranked_again_gives_the_place_back_and_keeps_the_queue(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader("ada"), a_leader("ben"))
    proposal = await proposed(hear)
    first = shown(proposal).therapist_id
    await hear(a_choice(proposal))

    [said] = await hear(a_rematch(proposal).model_copy(update={"exclude": (first,)}))

    assert shown(said).therapist_id != first
    assert await groups(database) == [("dissolved", 0)]


async def test_a_formed_group_stays_although_somebody_leaves(
    database: Database, hear: Hear, matcher: Matcher, clock: MovableClock
) -> None:
    await in_directory(database, a_leader())
    request = somebody()
    await hear(a_choice(await proposed(hear, request)))
    await gather(hear, LEAST - 1)

    await hear(a_withdrawal(request))
    clock.move(timedelta(days=RULE.gathering.days))

    assert await dissolve_groups(database, matcher) == 0
    assert await groups(database) == [("formed", LEAST - 1)]


# ------------------------------------------------------------------------------------------- the deadline


async def test_a_group_too_small_at_its_deadline_is_dissolved_and_everybody_is_offered_anew(
    database: Database, hear: Hear, matcher: Matcher, clock: MovableClock
) -> None:
    await in_directory(database, a_leader())
    choices = await gather(hear, LEAST - 1)
    waits = await proposed(hear)

    clock.move(timedelta(days=RULE.gathering.days) - timedelta(seconds=1))
    assert await dissolve_groups(database, matcher) == 0
    clock.move(timedelta(seconds=1))
    dissolved = await asyncio.gather(
        dissolve_groups(database, matcher),
        dissolve_groups(database, Matcher(RULES, store.DirectoryInMemory(RULES))),
    )

    assert sum(dissolved) == 1
    assert await groups(database) == [("dissolved", 0)]
    assert await seats_free(database) == 4
    said = await in_outbox(database)
    for choice in choices:
        about = [name for key, name in said if key == str(choice.request_id)]
        assert about == ["seat-unavailable", "match-proposed"]
    assert not [name for key, name in said if key == str(waits.request_id)]


async def test_the_old_decision_means_nothing_once_the_group_is_dissolved(
    database: Database, hear: Hear, matcher: Matcher, clock: MovableClock
) -> None:
    await in_directory(database, a_leader())
    [choice] = await gather(hear, 1)
    clock.move(timedelta(days=RULE.gathering.days))
    await dissolve_groups(database, matcher)

    assert await hear(choice) == []
    assert await groups(database) == [("dissolved", 0)]


async def test_who_waits_for_the_seat_of_a_group_gets_it_when_the_group_is_dissolved(
    database: Database, hear: Hear, matcher: Matcher, clock: MovableClock
) -> None:
    await in_directory(database, a_leader(seats_offered=1, seats_free=1))
    [choice] = await gather(hear, 1)
    adult = somebody(30, format=Format.GROUP, therapy=Therapy.IPT)
    assert [type(each) for each in await hear(adult)] == [MatchNotFound]

    await hear(a_withdrawal(a_request(request_id=choice.request_id)))
    await offer_to_waiting(database, matcher)

    said = await in_outbox(database)
    assert (str(adult.request_id), "match-proposed") in said


async def test_all_who_would_open_one_group_speak_for_one_seat_until_it_is_open(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader())

    async def spoken_for() -> int:
        async with database.transaction() as tx:
            return sum((await store.spoken_for(tx)).values())

    proposals = [await proposed(hear, somebody(availability=(Slot.TUE_EVENING,))) for _ in range(3)]
    one_group = await spoken_for()
    await proposed(hear, somebody(availability=(Slot.WED_MORNING,)))
    another = await spoken_for()
    await hear(a_choice(proposals[0]))

    assert (one_group, another, await spoken_for()) == (1, 2, 1)


async def test_those_who_wait_are_all_proposed_the_one_group_that_the_last_seat_allows(
    database: Database, hear: Hear, matcher: Matcher, clock: MovableClock
) -> None:
    waiting = [somebody() for _ in range(MOST + 1)]
    for each in waiting:
        await hear(each)
        clock.move(timedelta(minutes=1))

    await in_directory(database, a_leader(seats_offered=1, seats_free=1))
    await offer_to_waiting(database, matcher)

    said = await in_outbox(database)
    assert said == [(str(each.request_id), "match-proposed") for each in waiting[:MOST]]
