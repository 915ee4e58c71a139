"""Nobody is put into a group beside somebody whom the person who decided has not seen."""

import asyncio
from collections.abc import Sequence
from itertools import cycle

import pytest

from services.matching.handlers.closing import close_erased
from shared.contract.event import Event
from shared.contract.ids import RequestId, SubjectId
from shared.contract.matching import GroupPlaceHeld, MatchProposed, SeatRefusal, SeatReserved, SeatUnavailable
from shared.contract.review import MatchConfirmed
from shared.contract.sealing import opened
from shared.kit.database import Database
from shared.kit.keyring import Keyring
from tests.matching.gathering import (
    LEAST,
    MOST,
    a_choice,
    a_leader,
    gather,
    group_on,
    groups,
    in_directory,
    shown,
    somebody,
)
from tests.matching.locks import in_one_moment
from tests.matching.processes import Process
from tests.support.builders import a_request, a_withdrawal

ADA = a_leader()


@pytest.fixture(autouse=True)
async def leader(database: Database) -> None:
    await in_directory(database, ADA)


async def proposed(process: Process) -> MatchProposed:
    [said] = await process.hear(somebody())
    assert isinstance(said, MatchProposed)
    return said


def seeing(proposal: MatchProposed, *others: MatchProposed) -> MatchConfirmed:
    """A decision by somebody who was shown that these have a place."""
    return having_seen(proposal, [each.request_id for each in others])


def having_seen(proposal: MatchProposed, members: Sequence[RequestId]) -> MatchConfirmed:
    """The same by their requests."""
    return a_choice(proposal).model_copy(update={"beside": tuple(members)})


def proposed_anew(said: list[Event]) -> MatchProposed:
    """The list that follows at once where a decision was refused because of somebody unseen."""
    refused, fresh = said
    assert isinstance(refused, SeatUnavailable)
    assert refused.reason is SeatRefusal.JOINED_UNSEEN
    assert isinstance(fresh, MatchProposed)
    return fresh


def told(said: list[Event]) -> tuple[RequestId, ...]:
    """Who all are in the group, as the refusal names them."""
    assert isinstance(said[0], SeatUnavailable)
    return opened(said[0].members)


def held(said: list[Event]) -> bool:
    return [type(each) for each in said] == [GroupPlaceHeld]


async def places(database: Database) -> set[RequestId]:
    rows = await database.pool.fetch("SELECT request_id FROM group_places WHERE freed_at IS NULL")
    return {row["request_id"] for row in rows}


@pytest.mark.parametrize(
    ("there", "given"), [(0, GroupPlaceHeld), (LEAST, SeatReserved)], ids=["to be opened", "formed"]
)
async def test_of_two_decisions_in_one_moment_the_second_is_made_again_with_the_first_in_sight(
    database: Database, process: Process, another: Process, there: int, given: type[Event]
) -> None:
    before = [each.request_id for each in await gather(process.hear, there)]
    both = [await proposed(process) for _ in range(2)]
    hearing = [
        each.hear(having_seen(proposal, before))
        for each, proposal in zip((process, another), both, strict=True)
    ]

    answers = await in_one_moment(database, ADA.id, hearing)

    [late] = [place for place, said in enumerate(answers) if [type(each) for each in said] != [given]]
    first = both[1 - late].request_id
    fresh = proposed_anew(answers[late])
    assert await places(database) == {*before, first}
    assert set(told(answers[late])) == {*before, first}
    assert group_on(shown(fresh)).members == there + 1
    again = await another.hear(having_seen(fresh, told(answers[late])))
    assert [type(each) for each in again] == [given]
    assert await places(database) == {*before, *(each.request_id for each in both)}


async def test_however_many_decide_at_once_each_round_of_looking_again_gives_somebody_a_place(
    database: Database, process: Process, another: Process
) -> None:
    undecided = [seeing(await proposed(process)) for _ in range(MOST)]

    for number in range(MOST):
        assert len(undecided) == MOST - number
        hearing = [
            each.hear(choice) for each, choice in zip(cycle((process, another)), undecided, strict=False)
        ]
        refused = [said for said in await asyncio.gather(*hearing) if isinstance(said[0], SeatUnavailable)]
        undecided = [having_seen(proposed_anew(said), told(said)) for said in refused]

    assert undecided == []
    assert await groups(database) == [("formed", MOST)]


async def test_a_group_that_was_to_be_opened_is_not_joined_unseen_once_another_decision_has_opened_it(
    database: Database, process: Process
) -> None:
    early, late = await proposed(process), await proposed(process)
    assert group_on(shown(late)).group_id is None
    assert held(await process.hear(seeing(early)))

    proposed_anew(await process.hear(seeing(late)))
    assert await places(database) == {early.request_id}


async def test_who_was_seen_and_has_left_since_is_no_matter(process: Process) -> None:
    early, stays, late = [await proposed(process) for _ in range(3)]
    await process.hear(seeing(early))
    await process.hear(seeing(stays, early))
    await process.hear(a_withdrawal(a_request(request_id=early.request_id, subject_id=early.subject_id)))

    assert held(await process.hear(seeing(late, early, stays)))


async def test_who_was_erased_and_still_has_a_place_is_no_matter(
    database: Database, process: Process
) -> None:
    early, stays, late = [await proposed(process) for _ in range(3)]
    await process.hear(seeing(early))
    await process.hear(seeing(stays, early))
    assert isinstance(database.keys, Keyring)
    await database.keys.destroy(SubjectId(early.subject_id))

    assert held(await process.hear(seeing(late, stays)))
    assert await close_erased(database) == 1
    assert await places(database) == {stays.request_id, late.request_id}


async def test_a_decision_that_does_not_say_whom_its_author_saw_is_carried_out_as_before(
    process: Process,
) -> None:
    early, late = await proposed(process), await proposed(process)
    await process.hear(a_choice(early))

    assert held(await process.hear(a_choice(late)))
