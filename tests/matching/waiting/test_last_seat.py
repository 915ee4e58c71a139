"""Two processes of the operating system stand before one seat in the same moment, and it is given once."""

from collections import Counter, defaultdict
from itertools import cycle, product

from shared.kit.database import Database
from tests.matching.apart import Apart
from tests.matching.gathering import in_directory, in_outbox
from tests.matching.locks import in_one_moment
from tests.matching.processes import Process
from tests.matching.undecided import ADA, a_proposal, seats_taken
from tests.support.builders import a_confirmation, a_decline, a_request, a_withdrawal

CLIENTS = 8


async def test_one_of_many_decisions_takes_the_last_seat_and_each_is_answered_once(
    database: Database, process: Process, both_apart: tuple[Apart, Apart]
) -> None:
    await in_directory(database, ADA)
    proposals = [await a_proposal(process) for _ in range(CLIENTS)]
    decisions = [a_confirmation(each, therapist_id=ADA.id) for each in proposals]

    taken = [each.take(decision) for each, decision in zip(cycle(both_apart), decisions, strict=False)]
    await in_one_moment(database, ADA.id, taken)

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
    await in_one_moment(database, ADA.id, [each.take(event) for each, event in product(both_apart, ended)])

    assert await seats_taken(database) == {ADA.name: 0}
    assert await database.pool.fetchval("SELECT count(*) FROM seats WHERE freed_at IS NOT NULL") == 1
