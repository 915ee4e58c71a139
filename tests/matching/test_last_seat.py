"""Two processes of the operating system stand before one seat in the same moment, and it is given once."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import cycle, product

from shared.contract.event import Event
from shared.kit.database import Database
from shared.kit.testing import eventually
from tests.matching.apart import Apart
from tests.matching.gathering import in_directory, in_outbox
from tests.matching.locks import how_many_wait_for_a_lock
from tests.matching.processes import Process
from tests.matching.undecided import ADA, a_proposal, seats_taken
from tests.support.builders import a_confirmation, a_decline, a_request, a_withdrawal

CLIENTS = 8


async def in_one_moment(database: Database, told: Sequence[tuple[Apart, Event]]) -> None:
    """Tells each process what it is to hear, and lets none go on before all have come as far as the seat."""
    async with asyncio.TaskGroup() as group, database.transaction() as tx:
        await tx.execute("SELECT FROM therapists WHERE id = $1 FOR UPDATE", ADA.id)
        for process, event in told:
            group.create_task(process.take(event))
        await eventually(lambda: all_stand_there(database, len(told)), within=60, what="all of them waiting")


async def all_stand_there(database: Database, number: int) -> bool:
    return await how_many_wait_for_a_lock(database) == number


async def test_one_of_many_decisions_takes_the_last_seat_and_each_is_answered_once(
    database: Database, process: Process, both_apart: tuple[Apart, Apart]
) -> None:
    await in_directory(database, ADA)
    proposals = [await a_proposal(process) for _ in range(CLIENTS)]
    decisions = [a_confirmation(each, therapist_id=ADA.id) for each in proposals]

    await in_one_moment(database, list(zip(cycle(both_apart), decisions, strict=False)))

    answers = defaultdict(list)
    for key, name in await in_outbox(database):
        if name in {"seat-reserved", "seat-unavailable"}:
            answers[key].append(name)
    assert set(answers) == {str(each.request_id) for each in decisions}
    assert Counter(map(tuple, answers.values())) == {
        ("seat-reserved",): 1,
        ("seat-unavailable",): CLIENTS - 1,
    }
    assert await seats_taken(database) == {ADA.name: 1}
    assert await database.pool.fetchval("SELECT count(*) FROM seats WHERE freed_at IS NULL") == 1


async def test_a_seat_that_is_given_back_in_two_ways_at_once_is_freed_once(
    database: Database, process: Process, both_apart: tuple[Apart, Apart]
) -> None:
    await in_directory(database, ADA)
    proposal = await a_proposal(process)
    await process.hear(a_confirmation(proposal, therapist_id=ADA.id))
    assert await seats_taken(database) == {ADA.name: 1}
    request = a_request(request_id=proposal.request_id, subject_id=proposal.subject_id)

    ended = [a_withdrawal(request), a_decline(request)]
    await in_one_moment(database, list(product(both_apart, ended)))

    assert await seats_taken(database) == {ADA.name: 0}
    assert await database.pool.fetchval("SELECT count(*) FROM seats WHERE freed_at IS NOT NULL") == 1
