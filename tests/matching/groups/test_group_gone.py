"""A decision for a group that is not there any more as it was shown says so, and nothing of the therapist."""

from dataclasses import replace
from datetime import timedelta

from shared.contract.event import Event
from shared.contract.matching import MatchNotFound, MatchProposed, SeatRefusal, SeatReserved, SeatUnavailable
from shared.contract.vocabulary import Slot
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import a_registration
from tests.matching.gathering import (
    LEAST,
    MOST,
    RULE,
    a_choice,
    a_leader,
    group_on,
    in_directory,
    shown,
    somebody,
)
from tests.matching.processes import Process
from tests.support.builders import a_withdrawal

ADA = a_leader(seats_offered=4, seats_free=4)


async def proposed(process: Process, age: int = 14) -> MatchProposed:
    [said] = await process.hear(somebody(age))
    assert isinstance(said, MatchProposed)
    return said


async def join(process: Process, number: int, age: int = 14) -> None:
    """So many come into the group, one after the other."""
    for _ in range(number):
        await process.hear(a_choice(await proposed(process, age)))


def refusal(said: list[Event]) -> SeatRefusal:
    assert isinstance(said[0], SeatUnavailable)
    return said[0].reason


async def test_a_group_that_is_full_at_the_shown_time_is_gone(database: Database, process: Process) -> None:
    await in_directory(database, ADA)
    late = await proposed(process)
    await join(process, MOST)

    assert refusal(await process.hear(a_choice(late))) is SeatRefusal.GROUP_GONE


async def test_a_group_that_was_joined_by_others_until_it_was_full_is_gone(
    database: Database, process: Process
) -> None:
    await in_directory(database, replace(ADA, seats_offered=1, seats_free=1))
    await join(process, 1)
    late = await proposed(process)
    assert group_on(shown(late)).group_id is not None
    await join(process, MOST - 1)

    # Nobody but the group has the therapist's only seat.
    assert refusal(await process.hear(a_choice(late))) is SeatRefusal.GROUP_GONE


async def test_a_group_that_has_begun_is_gone(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, ADA)
    await join(process, LEAST)
    late = await proposed(process)
    clock.move(timedelta(days=RULE.starting.days))

    assert refusal(await process.hear(a_choice(late))) is SeatRefusal.GROUP_GONE


async def test_a_group_whose_time_to_gather_is_over_is_gone_though_nobody_has_dissolved_it_yet(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, replace(ADA, seats_offered=1, seats_free=1))
    await join(process, 1)
    late = await proposed(process)
    clock.move(timedelta(days=RULE.gathering.days))

    refused, fresh = await process.hear(a_choice(late))

    assert isinstance(refused, SeatUnavailable)
    assert refused.reason is SeatRefusal.GROUP_GONE
    # It has the only seat still, and is nobody's choice any more.
    assert isinstance(fresh, MatchNotFound)


async def test_a_group_that_has_become_too_old_for_somebody_is_gone(
    database: Database, process: Process
) -> None:
    await in_directory(database, ADA)
    await join(process, 1)
    young = await proposed(process, 12)
    await join(process, 1, 16)

    assert refusal(await process.hear(a_choice(young))) is SeatRefusal.GROUP_GONE


async def test_a_time_that_the_therapist_has_given_up_is_gone(database: Database, process: Process) -> None:
    await in_directory(database, ADA)
    early = await proposed(process)
    await in_directory(database, replace(ADA, slots=frozenset({Slot.SAT_MORNING})))

    assert refusal(await process.hear(a_choice(early))) is SeatRefusal.GROUP_GONE


async def test_a_group_whose_last_member_left_is_gone(database: Database, process: Process) -> None:
    await in_directory(database, ADA)
    first = await proposed(process)
    await process.hear(a_choice(first))
    late = await proposed(process)
    await process.hear(a_withdrawal(somebody().model_copy(update={"request_id": first.request_id})))

    assert refusal(await process.hear(a_choice(late))) is SeatRefusal.GROUP_GONE


async def test_a_leader_who_may_not_lead_any_more_is_named_as_such_whatever_became_of_the_group(
    database: Database, process: Process, clock: MovableClock
) -> None:
    lapsing = replace(ADA, registration=a_registration(expires_on=clock.now().date()))
    await in_directory(database, lapsing)
    await join(process, 1)
    late = await proposed(process)
    clock.move(timedelta(days=1))

    assert refusal(await process.hear(a_choice(late))) is SeatRefusal.NO_LONGER_ELIGIBLE


async def test_a_group_that_is_there_as_it_was_shown_is_joined(database: Database, process: Process) -> None:
    await in_directory(database, ADA)
    late = await proposed(process)
    await join(process, MOST - 1)

    [said] = await process.hear(a_choice(late))

    assert isinstance(said, SeatReserved)
