"""A last seat that was shown to two is given to one of them, and the other is looked for again."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from services.matching import store
from services.matching.handlers.events import propose_match
from services.matching.store import State
from shared.contract.event import Event
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import MatchNotFound, MatchProposed, SeatRefusal, SeatReserved, SeatUnavailable
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import RULES, a_therapist
from tests.matching.gathering import in_directory, proposed_to, shown
from tests.matching.processes import Process
from tests.matching.seated import state_of
from tests.support.builders import a_confirmation, a_proposal, a_request, a_withdrawal

ADA = a_therapist("ada", seats_offered=1, seats_free=1)
BEN = a_therapist("ben", seats_offered=1, seats_free=1)
LAPSES = timedelta(days=RULES.policy.proposal_days)

Two = tuple[RequestSubmitted, RequestSubmitted]


async def one_after_the_other(process: Process, another: Process, _: MovableClock) -> Two:
    """Two come while nobody waits, so that neither waits for a decision on the other."""
    first, second = a_request(), a_request()
    await process.take(first)
    await another.take(second)
    return first, second


async def at_the_same_moment(process: Process, another: Process, _: MovableClock) -> Two:
    """Neither has ended their transaction when the other is looked for."""
    first, second = a_request(), a_request()
    async with process.database.transaction() as one, another.database.transaction() as other:
        await propose_match(first, one, process.matcher)
        await propose_match(second, other, another.matcher)
    return first, second


async def during_a_pass(process: Process, another: Process, clock: MovableClock) -> Two:
    """A pass offers the seat to who is back on the list, and a newcomer's transaction has not ended."""
    early, newcomer = a_request(), a_request()
    await process.take(early)
    async with another.database.transaction() as tx:
        await propose_match(newcomer, tx, another.matcher)
        clock.move(LAPSES)
        assert await process.lapse() == 1
        assert await process.offer() == 1
    return early, newcomer


@pytest.fixture(params=[one_after_the_other, at_the_same_moment, during_a_pass])
def shows_both(request: pytest.FixtureRequest) -> Callable[[Process, Process, MovableClock], Awaitable[Two]]:
    """How two can be shown the same last seat."""
    shows: Callable[[Process, Process, MovableClock], Awaitable[Two]] = request.param
    return shows


@pytest.fixture
async def both(
    database: Database,
    process: Process,
    another: Process,
    clock: MovableClock,
    shows_both: Callable[[Process, Process, MovableClock], Awaitable[Two]],
) -> list[MatchProposed]:
    """The open proposals of two who were shown Ada's only seat."""
    await in_directory(database, ADA)
    async with database.transaction() as tx:
        # Else the second to rank under a new policy waits for the first to have noted it.
        await store.keep_policy(tx, RULES)
    proposals = []
    for each in await shows_both(process, another, clock):
        row = await database.pool.fetchrow(
            """
            SELECT p.id, p.named FROM requests r JOIN proposals p ON p.id = r.proposal_id
            WHERE r.id = $1 AND r.state = 'proposed'
            """,
            each.request_id,
        )
        assert row is not None
        assert row["named"] == [ADA.id]
        proposals.append(a_proposal(each, proposal_id=row["id"]))
    return proposals


async def decided_at_once(
    both: list[MatchProposed], process: Process, another: Process
) -> tuple[SeatReserved, list[Event]]:
    """Two processes hear a decision each: who has the seat, and what is said of the other."""
    said = await asyncio.gather(
        *(
            each.hear(a_confirmation(proposal, "ada"))
            for each, proposal in zip((process, another), both, strict=True)
        )
    )
    [[seat]] = [each for each in said if isinstance(each[0], SeatReserved)]
    [other] = [each for each in said if not isinstance(each[0], SeatReserved)]
    assert isinstance(seat, SeatReserved)
    return seat, other


async def test_the_other_is_told_and_proposed_somebody_else(
    database: Database, process: Process, another: Process, both: list[MatchProposed]
) -> None:
    await in_directory(database, BEN)

    seat, (refused, anew) = await decided_at_once(both, process, another)

    assert isinstance(refused, SeatUnavailable)
    assert refused.reason is SeatRefusal.NO_SEAT_LEFT
    assert {seat.request_id, refused.request_id} == {each.request_id for each in both}
    assert shown(anew).therapist_id == BEN.id
    assert await database.pool.fetchval("SELECT sum(seats_taken) FROM therapists") == 1


async def test_the_other_waits_if_there_is_nobody_else_and_has_the_seat_once_it_comes_back(
    database: Database, process: Process, another: Process, both: list[MatchProposed]
) -> None:
    seat, (refused, anew) = await decided_at_once(both, process, another)
    assert isinstance(refused, SeatUnavailable)
    assert isinstance(anew, MatchNotFound)
    assert await state_of(database, refused.request_id) is State.WAITING

    await process.hear(a_withdrawal(a_request(request_id=seat.request_id)))
    await process.offer()

    assert (await proposed_to(database))[-1] == str(refused.request_id)
    assert await state_of(database, refused.request_id) is State.PROPOSED
