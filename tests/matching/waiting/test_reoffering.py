"""What becomes free is offered to who waits: in order, once, and a dear seat to whoever has waited long."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.matching import store
from services.matching.handlers import waiting
from shared.contract.ids import RequestId
from shared.contract.matching import MatchNotFound, MatchProposed
from shared.contract.vocabulary import ProblemArea
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.answers import who_wait
from tests.matching.builders import RULES, a_therapist
from tests.matching.gathering import in_directory, in_outbox, proposed_to
from tests.matching.processes import Process
from tests.support.builders import a_case, a_confirmation, a_decline, a_rematch, a_request, a_withdrawal

ADA = a_therapist("ada", seats_offered=1, seats_free=1)
WORSE = a_therapist("ben", problem_areas=frozenset({ProblemArea.GRIEF}))
GAP = RULES.policy.weights.problem_area
PER_WEEK = RULES.policy.prices.credit_per_week

Freed = Callable[[Database, Process, MatchProposed], Awaitable[None]]


async def first_named(database: Database, request_id: RequestId) -> Any:
    return await database.pool.fetchval(
        "SELECT p.named[1] FROM requests r JOIN proposals p ON p.id = r.proposal_id WHERE r.id = $1",
        request_id,
    )


# ------------------------------------------------------------------------------------------- in order


async def withdrawn(_: Database, process: Process, seated: MatchProposed) -> None:
    await process.hear(a_withdrawal(a_request(request_id=seated.request_id)))


async def declined(_: Database, process: Process, seated: MatchProposed) -> None:
    await process.hear(a_decline(a_request(request_id=seated.request_id)))


async def turned_down(_: Database, process: Process, seated: MatchProposed) -> None:
    await process.hear(a_rematch(seated, "ada"))


async def raised(database: Database, _: Process, __: MatchProposed) -> None:
    await in_directory(database, replace(ADA, seats_offered=2))


async def imported(database: Database, _: Process, __: MatchProposed) -> None:
    await in_directory(database, a_therapist("cem", seats_offered=1, seats_free=1))


@pytest.mark.parametrize("freed", [withdrawn, declined, turned_down, raised, imported])
async def test_of_several_who_wait_the_first_is_offered_what_has_become_free(
    database: Database, process: Process, clock: MovableClock, freed: Freed
) -> None:
    await in_directory(database, ADA)
    [seated] = await process.hear(a_request())
    assert isinstance(seated, MatchProposed)
    await process.hear(a_confirmation(seated, "ada"))
    unfit = a_request(details=a_case(languages=("cy",)))
    await process.hear(unfit)
    first, *_ = await who_wait(process.hear, clock, 3)
    assert await process.offer() == 0

    await freed(database, process, seated)
    await process.offer()
    await process.offer()

    assert await proposed_to(database) == [str(first.request_id)]


@pytest.mark.parametrize("passed", [False, True])
async def test_who_comes_after_a_place_has_become_free_does_not_overtake_who_waits_for_it(
    database: Database, process: Process, clock: MovableClock, passed: bool
) -> None:
    [first] = await who_wait(process.hear, clock, 1)
    await in_directory(database, ADA)
    newcomer = a_request()

    if passed:
        await process.offer()
    clock.move(timedelta(minutes=1))
    said = await process.hear(newcomer)
    await process.offer()

    assert await proposed_to(database) == [str(first.request_id)]
    if passed:
        # The seat is not taken yet, but it is offered.
        assert [type(each) for each in said] == [MatchNotFound]
    else:
        # The newcomer had to wait for the pass, which said what came of it.
        assert said == []
        assert (str(newcomer.request_id), "match-not-found") in await in_outbox(database)


async def test_as_many_as_there_are_seats_are_offered_them_one_after_the_other(
    database: Database, process: Process, clock: MovableClock
) -> None:
    requests = await who_wait(process.hear, clock, 6)

    await in_directory(database, replace(ADA, seats_offered=2), a_therapist("cem", seats_offered=2))
    await process.offer()

    assert await proposed_to(database) == [str(each.request_id) for each in requests[:4]]
    named = Counter([await first_named(database, each.request_id) for each in requests[:4]])
    assert set(named.values()) == {2}


async def test_who_comes_on_the_list_again_stands_where_the_request_was_submitted(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, ADA)
    early = a_request()
    [turned_away] = await process.hear(early)
    assert isinstance(turned_away, MatchProposed)
    await process.hear(a_confirmation(turned_away, "ada"))
    await who_wait(process.hear, clock, 2)
    await process.hear(a_rematch(turned_away, "ada"))

    await in_directory(database, replace(ADA, seats_offered=0), a_therapist("cem", seats_offered=1))
    await process.offer()

    assert await proposed_to(database) == [str(early.request_id)]


async def test_a_dear_seat_goes_to_who_has_waited_and_is_held_back_from_who_came_yesterday(
    database: Database, process: Process, clock: MovableClock
) -> None:
    [patient] = await who_wait(process.hear, clock, 1)
    clock.move(timedelta(weeks=3))
    [recent] = await who_wait(process.hear, clock, 1)
    clock.move(timedelta(days=1))
    async with database.transaction() as tx:
        await store.add_prices(tx, RULES.policy.version, {ADA.id: GAP + 2 * PER_WEEK + 1})

    await in_directory(database, replace(ADA, seats_offered=2), WORSE)
    await process.offer()

    assert await first_named(database, patient.request_id) == ADA.id
    assert await first_named(database, recent.request_id) == WORSE.id


# ------------------------------------------------------------------------------------------- once


async def test_two_processes_that_pass_at_once_offer_a_seat_to_one(
    database: Database, process: Process, another: Process, clock: MovableClock
) -> None:
    first, *_ = await who_wait(process.hear, clock, 5)
    await in_directory(database, ADA)

    await asyncio.gather(*(each.offer() for each in (process, another) * 3))

    assert await proposed_to(database) == [str(first.request_id)]


async def test_who_finds_another_at_it_leaves_the_list_to_them_and_nothing_is_forgotten(
    database: Database, process: Process, another: Process, clock: MovableClock
) -> None:
    await who_wait(process.hear, clock, 1)
    await in_directory(database, ADA)

    async with another.database.turn(waiting.TURN) as turn:
        assert turn
        meanwhile = await process.offer()
    afterwards = await process.offer()

    assert (meanwhile, afterwards) == (0, 1)


async def test_a_pass_counts_what_is_spoken_for_once_however_many_wait(
    database: Database, process: Process, clock: MovableClock, watched: tuple[Process, list[str]]
) -> None:
    await who_wait(process.hear, clock, 12)
    await in_directory(database, replace(ADA, seats_offered=3), a_therapist("cem", seats_offered=3))
    passing, asked = watched

    offered = await passing.offer()

    assert offered == 6
    assert sum("GROUP BY p.first_therapist_id" in each for each in asked) == 1
    assert sum("FROM requests WHERE id = $1 FOR UPDATE" in each for each in asked) == 12


async def test_a_pass_reads_how_long_people_waited_once_however_many_are_told(
    process: Process, clock: MovableClock, watched: tuple[Process, list[str]]
) -> None:
    await who_wait(process.hear, clock, 12)
    clock.move(timedelta(days=1))
    passing, asked = watched

    await passing.offer()

    assert sum("FROM waiting_list WHERE request_id = $1" in each for each in asked) >= 12
    assert sum("FROM waits WHERE ended_at" in each for each in asked) == 1
