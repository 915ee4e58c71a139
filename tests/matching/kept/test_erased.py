"""Whoever was erased holds nothing for long: their request ends, their seat or place is another's."""

import asyncio
from datetime import timedelta

import pytest

from services.matching import store
from services.matching.handlers import close_erased
from services.matching.store import State
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import GroupPlaceHeld, MatchProposed, SeatRefusal, SeatReserved, SeatUnavailable
from shared.contract.sealing import opened
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.testing import eventually
from tests.matching.builders import a_therapist
from tests.matching.gathering import LEAST, RULE, a_choice, a_leader, in_directory, in_outbox, somebody
from tests.matching.processes import Process
from tests.matching.seated import state_of
from tests.support.builders import a_confirmation, a_rematch, a_request

ADA = a_therapist("ada", seats_offered=1, seats_free=1)


async def proposed(process: Process, request: RequestSubmitted) -> MatchProposed:
    [said] = await process.hear(request)
    assert isinstance(said, MatchProposed)
    return said


async def seats_taken(database: Database) -> int:
    taken: int = await database.pool.fetchval("SELECT seats_taken FROM therapists")
    return taken


async def gathered(process: Process, number: int) -> list[RequestSubmitted]:
    """So many young people with a place in one group."""
    requests = [somebody() for _ in range(number)]
    for each in requests:
        await process.hear(a_choice(await proposed(process, each)))
    return requests


async def test_a_rematch_of_who_was_erased_gives_the_seat_back(database: Database, process: Process) -> None:
    await in_directory(database, ADA)
    proposal = await proposed(process, a_request())
    await process.hear(a_confirmation(proposal, "ada"))
    await database.keys.destroy(proposal.subject_id)  # type: ignore[attr-defined]

    assert await process.hear(a_rematch(proposal, "ada")) == []

    assert await seats_taken(database) == 0
    assert await state_of(database, proposal.request_id) is State.CLOSED


async def test_a_decision_for_who_was_erased_is_refused_and_keeps_no_seat_spoken_for(
    database: Database, process: Process
) -> None:
    await in_directory(database, ADA)
    proposal = await proposed(process, a_request())
    waiting = a_request()
    await process.hear(waiting)
    await database.keys.destroy(proposal.subject_id)  # type: ignore[attr-defined]

    [said] = await process.hear(a_confirmation(proposal, "ada"))
    await process.offer()

    assert isinstance(said, SeatUnavailable)
    assert said.reason is SeatRefusal.REQUEST_CLOSED
    assert await state_of(database, proposal.request_id) is State.CLOSED
    assert await state_of(database, waiting.request_id) is State.PROPOSED


async def test_the_seat_of_who_was_erased_goes_to_who_waits_without_anybody_deciding_anything(
    database: Database, process: Process
) -> None:
    await in_directory(database, ADA)
    proposal = await proposed(process, a_request())
    await process.hear(a_confirmation(proposal, "ada"))
    waiting = a_request()
    await process.hear(waiting)
    assert await close_erased(database) == 0
    await database.keys.destroy(proposal.subject_id)  # type: ignore[attr-defined]

    closed = await asyncio.gather(close_erased(database), close_erased(database))
    await process.offer()

    assert sum(closed) == 1
    assert await state_of(database, waiting.request_id) is State.PROPOSED


async def wishes(database: Database) -> list[str]:
    """Why the list is to be offered again."""
    return [row["because"] for row in await database.pool.fetch("SELECT because FROM reoffers ORDER BY id")]


async def test_the_request_of_who_was_erased_while_they_waited_ends_like_any_other(
    database: Database, process: Process
) -> None:
    waiting = a_request()
    await process.hear(waiting)
    await database.keys.destroy(waiting.subject_id)  # type: ignore[attr-defined]

    await process.offer()

    assert await state_of(database, waiting.request_id) is State.CLOSED
    assert await wishes(database) == ["a request was closed"]


async def test_the_request_of_who_was_erased_in_a_group_ends_with_it_without_a_word_and_the_others_go_on(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, a_leader())
    erased, other = await gathered(process, 2)
    await database.keys.destroy(erased.subject_id)  # type: ignore[attr-defined]
    clock.move(timedelta(days=RULE.gathering.days))

    assert await process.dissolve() == 1

    assert await state_of(database, erased.request_id) is State.CLOSED
    told = [key for key, name in await in_outbox(database) if name == "seat-unavailable"]
    assert told == [str(other.request_id)]
    assert await wishes(database) != []


async def test_many_who_have_seats_are_looked_at_a_few_at_a_time(
    database: Database, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.matching.handlers.closing.AT_ONCE", 2)
    await in_directory(database, a_therapist("ada", seats_offered=5, seats_free=5))
    seated = [await proposed(process, a_request()) for _ in range(5)]
    for each in seated:
        await process.hear(a_confirmation(each, "ada"))
        await database.keys.destroy(each.subject_id)  # type: ignore[attr-defined]

    assert await close_erased(database) == 5
    assert await seats_taken(database) == 0


async def test_who_was_erased_does_not_help_to_form_a_group_and_gives_the_place_back(
    database: Database, process: Process
) -> None:
    await in_directory(database, a_leader())
    erased, *others = await gathered(process, LEAST - 1)
    await database.keys.destroy(erased.subject_id)  # type: ignore[attr-defined]

    [held] = await process.hear(a_choice(await proposed(process, somebody())))
    assert await close_erased(database) == 1
    formed = await process.hear(a_choice(await proposed(process, somebody())))

    assert isinstance(held, GroupPlaceHeld)
    assert opened(held.group).members == LEAST - 1
    assert [type(each) for each in formed] == [SeatReserved] * LEAST
    assert erased.request_id not in {each.key for each in formed}
    assert {each.request_id for each in others} <= {each.key for each in formed}
    assert await state_of(database, erased.request_id) is State.CLOSED
    places = await database.pool.fetch("SELECT places_taken FROM groups")
    assert [each["places_taken"] for each in places] == [LEAST]


async def test_with_the_last_member_who_was_erased_a_group_and_its_seat_go(
    database: Database, process: Process
) -> None:
    await in_directory(database, a_leader())
    [alone] = await gathered(process, 1)
    await database.keys.destroy(alone.subject_id)  # type: ignore[attr-defined]

    await close_erased(database)

    assert await seats_taken(database) == 0


async def test_a_decision_neither_waits_for_an_erased_members_request_nor_frees_their_place_behind_it(
    database: Database, process: Process
) -> None:
    await in_directory(database, a_leader())
    erased, *_ = await gathered(process, LEAST)
    await database.keys.destroy(erased.subject_id)  # type: ignore[attr-defined]
    late = a_choice(await proposed(process, somebody()))

    async with database.transaction() as tx:
        await store.lock_request(tx, erased.request_id)
        joining = asyncio.create_task(process.hear(late))
        await eventually(joining.done, within=30, what="the decision")
        said = await joining

    assert [type(each) for each in said] == [SeatReserved]
    assert await state_of(database, erased.request_id) is State.SEATED
    held = await database.pool.fetchval("SELECT count(*) FROM group_places WHERE freed_at IS NULL")
    assert held == LEAST + 1
