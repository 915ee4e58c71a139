"""`seats end` gives the seat of a finished course back once: others are offered it, and no client is told."""

import asyncio
from dataclasses import replace

import pytest

from services.matching.handlers import close_erased
from services.matching.settings import Settings
from services.matching.store import State
from shared.contract.ids import RequestId
from shared.contract.matching import MatchNotFound, MatchProposed
from shared.kit.database import Database
from shared.kit.identifiers import new_id
from tests.matching.answers import a_choice, one
from tests.matching.builders import a_therapist
from tests.matching.commands import Command, Outcome, begun, ended
from tests.matching.gathering import (
    LEAST,
    a_leader,
    gather,
    groups,
    in_directory,
    in_outbox,
    proposed_to,
    seats_free,
)
from tests.matching.locks import in_one_moment
from tests.matching.processes import Process
from tests.matching.seated import a_request_with_a_seat, end_course, state_of
from tests.matching.undecided import a_proposal
from tests.support.builders import a_rematch, a_request, a_withdrawal, id_of
from tests.support.environment import environment

ADA = a_therapist("ada", seats_offered=1, seats_free=1)


@pytest.fixture
def seats(settings: Settings, database: Database) -> Command:
    """Runs `python -m services.matching seats end …` on the database of the test."""
    needed = {"DATABASE_URL": environment(settings)["DATABASE_URL"]}

    async def run(*arguments: object) -> Outcome:
        return await ended(await begun(needed, "seats", "end", *map(str, arguments)))

    return run


async def seated(process: Process) -> MatchProposed:
    """Somebody who has a seat of the only therapist."""
    proposal = await a_proposal(process)
    await process.hear(a_choice(proposal))
    assert await state_of(process.database, proposal.request_id) is State.SEATED
    return proposal


async def test_the_seat_goes_to_who_waits_and_the_client_hears_nothing(
    database: Database, process: Process, seats: Command
) -> None:
    await in_directory(database, ADA)
    first = await seated(process)
    waits = a_request()
    one(await process.hear(waits), MatchNotFound)
    await process.offer()
    said = await in_outbox(database)

    outcome = await seats(first.request_id)
    said_by_it = (await in_outbox(database))[len(said) :]
    await process.offer()

    assert outcome.code == 0
    assert str(first.request_id) in outcome.out
    assert said_by_it == []
    assert await proposed_to(database) == [str(waits.request_id)]
    assert await state_of(database, first.request_id) is State.SEATED


async def test_it_is_given_back_once_however_often_it_is_asked(
    database: Database, process: Process, seats: Command
) -> None:
    await in_directory(database, replace(ADA, seats_offered=2))
    await seated(process)
    request_id = (await seated(process)).request_id

    first = await seats(request_id, "--json")
    again = await seats(request_id, "--json")

    assert first.document == {"therapist": str(ADA.id), "ended": [str(request_id)]}
    assert (again.code, again.out) == (1, "")
    assert "course ended" in again.err
    assert await seats_free(database) == 1


async def test_of_many_at_once_one_gives_it_back(database: Database, process: Process) -> None:
    await in_directory(database, replace(ADA, seats_offered=2))
    await seated(process)
    request_id = (await seated(process)).request_id

    done = await asyncio.gather(*(end_course(database, request_id) for _ in range(8)))

    assert sum(done) == 1
    assert await seats_free(database) == 1


@pytest.mark.parametrize("then", ["withdraws", "is erased"])
async def test_whoever_ends_otherwise_afterwards_gives_nothing_back_again(
    database: Database, process: Process, then: str
) -> None:
    await in_directory(database, replace(ADA, seats_offered=2))
    await seated(process)
    proposal = await seated(process)
    await end_course(database, proposal.request_id)

    if then == "withdraws":
        await process.hear(a_withdrawal(a_request(request_id=proposal.request_id)))
    else:
        await process.database.keys.destroy(proposal.subject_id)  # type: ignore[attr-defined]
        assert await close_erased(database) == 1

    assert await state_of(database, proposal.request_id) is State.CLOSED
    assert await seats_free(database) == 1


async def test_staff_can_still_look_for_somebody_else_for_them(database: Database, process: Process) -> None:
    await in_directory(database, replace(ADA, seats_offered=2))
    await seated(process)
    proposal = await seated(process)
    await end_course(database, proposal.request_id)
    await in_directory(database, a_therapist("ben"))

    said = await process.hear(a_rematch(proposal, "ada"))
    await process.hear(a_choice(one(said, MatchProposed)))
    again = await end_course(database, proposal.request_id)

    assert again
    assert await seats_free(database, "ada") == 1
    assert await seats_free(database, "ben") == 4


async def test_what_is_no_seat_of_a_course_is_refused_and_says_why(
    database: Database, process: Process, seats: Command
) -> None:
    await in_directory(database, ADA)
    gone = (await seated(process)).request_id
    await process.hear(a_withdrawal(a_request(request_id=gone)))
    alone = (await seated(process)).request_id
    waits = a_request()
    await process.hear(waits)
    await in_directory(database, a_leader("ben", seats_offered=1))
    await process.offer()
    [gathers] = await gather(process.hear, 1)

    refused = {
        "never had one": await seats(new_id()),
        "and never": await seats(waits.request_id),
        "(withdrawn)": await seats(gone),
        "gathers": await seats(gathers.request_id),
        "in no group": await seats(alone, "--whole-group"),
    }

    for why, outcome in refused.items():
        assert (outcome.code, outcome.out) == (1, "")
        assert why in outcome.err
    assert (await seats_free(database, "ada"), await seats_free(database, "ben")) == (0, 0)
    assert await groups(database) == [("gathering", 1)]


async def test_a_group_ends_for_all_who_are_in_it_only_if_that_was_said(
    database: Database, process: Process, seats: Command
) -> None:
    await in_directory(database, a_leader("ada", seats_offered=1))
    first, *others = await gather(process.hear, LEAST)
    said = await in_outbox(database)

    refused = await seats(first.request_id)
    unchanged = await groups(database)
    outcome = await seats(first.request_id, "--whole-group", "--json")
    again = await seats(others[0].request_id, "--whole-group")

    assert (refused.code, outcome.code, again.code) == (1, 0, 1)
    assert f"{LEAST - 1} others" in refused.err
    assert unchanged == [("formed", LEAST)]
    assert outcome.document["ended"] == [
        str(each) for each in (first.request_id, *sorted(each.request_id for each in others))
    ]
    assert await seats_free(database) == 1
    assert await groups(database) == [("dissolved", 0)]
    assert await in_outbox(database) == said


async def test_two_members_named_at_once_end_their_group_once(database: Database, process: Process) -> None:
    leader = a_leader("ada", seats_offered=3)
    await in_directory(database, leader)
    await a_request_with_a_seat(database, leader)
    choices = await gather(process.hear, LEAST)

    done = await in_one_moment(
        database, id_of("ada"), [end_course(database, RequestId(each.request_id)) for each in choices]
    )

    assert sum(done) == 1
    assert await seats_free(database) == 2
