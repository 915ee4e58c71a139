"""Where nobody can be found for who waits, a short look says so; the full one is made once a day."""

from dataclasses import replace
from datetime import timedelta

from services.matching import store
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import MatchNotFound
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import a_therapist
from tests.matching.gathering import in_directory, in_outbox
from tests.matching.processes import Process
from tests.support.builders import a_case, a_request

NUMBER = 6
ADA = a_therapist("ada", seats_offered=1, seats_free=1)

Watched = tuple[Process, list[str]]


async def wait(process: Process, clock: MovableClock, *requests: RequestSubmitted) -> None:
    for request in requests:
        clock.move(timedelta(minutes=1))
        [said] = await process.hear(request)
        assert isinstance(said, MatchNotFound)


async def full_looks(watched: Watched) -> int:
    """How often one pass reads entries of the directory, to explain what the engine says of them."""
    passing, asked = watched
    asked.clear()
    await passing.offer()
    return sum("WHERE t.id = ANY($1)" in each for each in asked)


async def change_something(database: Database) -> None:
    async with database.transaction() as tx:
        await store.want_reoffer(tx, "test")


async def test_only_who_is_offered_the_one_seat_is_looked_at_in_full(
    database: Database, process: Process, clock: MovableClock, watched: Watched
) -> None:
    await wait(process, clock, *[a_request() for _ in range(NUMBER)])

    await in_directory(database, ADA)

    assert await full_looks(watched) == 1


async def test_who_waits_for_something_else_than_what_became_free_is_not_looked_at_in_full(
    database: Database, process: Process, clock: MovableClock, watched: Watched
) -> None:
    unfit = [a_request(details=a_case(languages=("cy",))) for _ in range(NUMBER)]
    await wait(process, clock, *unfit)

    await in_directory(database, ADA)

    assert await full_looks(watched) == 0


async def test_everybody_who_waits_is_looked_at_in_full_once_a_day(
    database: Database, process: Process, clock: MovableClock, watched: Watched
) -> None:
    await in_directory(database, replace(ADA, seats_free=0, seats_offered=0))
    await wait(process, clock, *[a_request() for _ in range(NUMBER)])

    clock.move(timedelta(days=1))
    await change_something(database)
    first = await full_looks(watched)
    await change_something(database)
    second = await full_looks(watched)

    assert (first, second) == (NUMBER, 0)


async def test_who_came_on_the_list_without_a_word_is_looked_at_in_full_and_told(
    database: Database, process: Process, clock: MovableClock, watched: Watched
) -> None:
    await wait(process, clock, a_request())
    await in_directory(database, ADA)
    clock.move(timedelta(minutes=1))
    newcomer = a_request()
    assert await process.hear(newcomer) == []

    looks = await full_looks(watched)

    assert looks == 2
    assert (str(newcomer.request_id), "match-not-found") in await in_outbox(database)
