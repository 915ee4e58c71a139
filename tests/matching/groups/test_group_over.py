"""A formed group gives back its seat and its weekly time once its course must be over, once and silently."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from services.matching import store
from services.matching.store import State
from shared.contract.matching import MatchNotFound
from shared.contract.vocabulary import Slot
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.gathering import (
    LEAST,
    RULE,
    a_leader,
    gather,
    groups,
    in_directory,
    in_outbox,
    proposed_to,
    seats_free,
    somebody,
)
from tests.matching.locks import in_one_moment
from tests.matching.processes import Process
from tests.matching.seated import a_request_with_a_seat, state_of
from tests.support.builders import a_request, a_withdrawal, id_of

ADA = a_leader(slots=frozenset({Slot.TUE_EVENING}), seats_offered=2, seats_free=2)
TO_THE_END = timedelta(days=RULE.starting.days, weeks=RULE.course.sessions)
A_MOMENT = timedelta(seconds=1)


async def confirmed_again(database: Database, clock: MovableClock) -> None:
    """As entries are, from time to time."""
    await in_directory(database, replace(ADA, confirmed_on=clock.now().date()))


async def test_a_group_formed_by_a_build_that_did_not_say_when_it_ends_ends_as_well(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, ADA)
    await gather(process.hear, LEAST)
    async with database.transaction() as tx:
        assert await tx.execute("UPDATE groups SET over_at = NULL") == "UPDATE 1"

    clock.move(TO_THE_END - A_MOMENT)
    before = await process.end()
    clock.move(A_MOMENT)

    assert (before, await process.end(), await process.end()) == (0, 1, 0)
    assert await seats_free(database, "ada") == ADA.seats_free


async def test_the_next_who_asks_is_proposed_the_time_of_a_group_whose_course_is_over(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, ADA)
    await gather(process.hear, LEAST)
    clock.move(TO_THE_END - A_MOMENT)
    await confirmed_again(database, clock)
    late = somebody()

    [said] = await process.hear(late)
    ended_before = await process.end()
    await process.offer()
    offered_before = await proposed_to(database)
    clock.move(A_MOMENT)
    ended = await process.end()
    await process.offer()

    assert isinstance(said, MatchNotFound)
    assert (ended_before, offered_before) == (0, [])
    assert ended == 1
    assert await proposed_to(database) == [str(late.request_id)]
    assert await gather(process.hear, LEAST - 1)
    assert await groups(database) == [("dissolved", 0), ("gathering", LEAST - 1)]


async def test_any_number_of_processes_give_the_seat_back_once_and_say_nothing(
    database: Database, process: Process, another: Process, clock: MovableClock
) -> None:
    await in_directory(database, replace(ADA, seats_offered=3))
    await a_request_with_a_seat(database, ADA)
    choices = await gather(process.hear, LEAST)
    said = await in_outbox(database)
    taken = await seats_free(database)
    clock.move(TO_THE_END)

    ended = await in_one_moment(database, ADA.id, [process.end(), another.end(), process.end()])

    assert sorted(ended) == [0, 0, 1]
    assert await process.end() == 0
    assert (taken, await seats_free(database)) == (1, 2)
    assert await in_outbox(database) == said
    assert {await state_of(database, each.request_id) for each in choices} == {State.SEATED}
    rows = await database.pool.fetch("SELECT DISTINCT freed_because, group_id FROM group_places")
    assert [tuple(row) for row in rows] == [(store.COURSE_ENDED, None)]


async def test_who_withdraws_as_their_course_ends_gives_nothing_back_twice(
    database: Database, process: Process, another: Process, clock: MovableClock
) -> None:
    await in_directory(database, replace(ADA, seats_offered=3))
    await a_request_with_a_seat(database, ADA)
    choices = await gather(process.hear, LEAST)
    clock.move(TO_THE_END)
    leaving = [process.take(a_withdrawal(a_request(request_id=each.request_id))) for each in choices]

    await asyncio.gather(another.end(), *leaving)

    assert await seats_free(database) == 2
    assert await groups(database) == [("dissolved", 0)]


async def test_one_course_that_is_over_ends_though_another_cannot_be_ended_yet(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, ADA)
    await gather(process.hear, LEAST)
    await in_directory(database, replace(ADA, seats_offered=0), a_leader("ben"))
    await gather(process.hear, LEAST)
    clock.move(TO_THE_END)

    async with database.transaction() as tx:
        await store.lock_entry(tx, ADA.id)
        beside = await process.end()

    assert beside == 1
    assert await seats_free(database, "ben") == 4
    assert await process.end() == 1


async def test_a_leader_who_was_removed_and_comes_back_after_the_course_has_all_seats_free(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, ADA)
    await gather(process.hear, LEAST)
    async with database.transaction() as tx:
        await store.remove_therapist(tx, id_of("ada"))
    clock.move(TO_THE_END)

    assert await process.end() == 1
    await confirmed_again(database, clock)

    assert await seats_free(database) == 2
