"""Places in a group: held by people's decisions, made seats once enough have one, and given back."""

import asyncio
from datetime import timedelta

from services.matching.handlers import Matcher, dissolve_groups
from shared.contract.matching import GroupMeeting, GroupPlaceHeld, SeatRefusal, SeatReserved, SeatUnavailable
from shared.contract.sealing import opened
from shared.contract.vocabulary import Slot
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import a_registration
from tests.matching.gathering import (
    LEAST,
    MOST,
    RULE,
    Hear,
    a_choice,
    a_leader,
    gather,
    groups,
    in_directory,
    proposed,
    seats_free,
    shown,
    somebody,
)
from tests.support.builders import a_decline, a_rematch, a_withdrawal


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
