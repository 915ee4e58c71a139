"""An open proposal lapses if nobody decides in time, and its request waits at its old place."""

import asyncio
from datetime import timedelta

from services.matching import store
from services.matching.store import State
from shared.contract.matching import MatchProposed, SeatRefusal, SeatReserved, SeatUnavailable
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import RULES, a_therapist
from tests.matching.gathering import in_directory
from tests.matching.processes import Process
from tests.matching.seated import state_of
from tests.matching.undecided import ADA, BEN, a_proposal, said_of, seats_taken, spoken_for
from tests.support.builders import a_case, a_confirmation, a_request, a_withdrawal

LAPSES = timedelta(days=RULES.policy.proposal_days)


async def test_a_proposal_lapses_when_nobody_has_decided_in_time(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, ADA)
    proposal = await a_proposal(process)

    clock.move(LAPSES - timedelta(seconds=1))
    early = await process.lapse()
    clock.move(timedelta(seconds=1))
    in_time = await process.lapse()

    assert (early, in_time) == (0, 1)
    assert await state_of(database, proposal.request_id) is State.WAITING
    assert await spoken_for(database) == {}


async def test_a_lapsed_proposal_goes_to_who_has_waited_longer(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, ADA)
    older = await a_proposal(process)
    clock.move(timedelta(hours=1))
    newer = await a_proposal(process)

    clock.move(LAPSES - timedelta(hours=1))
    assert await process.lapse() == 1
    # The only seat is still spoken for.
    assert await process.offer() == 0
    clock.move(timedelta(hours=1))
    assert await process.lapse() == 1
    await process.offer()

    assert await state_of(database, older.request_id) is State.PROPOSED
    assert await said_of(database, newer.request_id) == ["match-not-found"]


async def test_a_lapsed_request_is_proposed_to_at_its_old_place(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, ADA)
    undecided = await a_proposal(process)
    clock.move(timedelta(hours=1))
    newer = a_request(details=a_case(languages=("cy",)))
    await process.hear(newer)

    clock.move(LAPSES)
    await process.lapse()
    async with database.transaction() as tx:
        waiting = await store.waiting_in_order(tx)
    await process.offer()

    assert waiting == [undecided.request_id, newer.request_id]
    assert await said_of(database, undecided.request_id) == ["match-proposed"]


async def test_a_decision_for_a_lapsed_proposal_is_superseded_and_takes_no_seat(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, ADA)
    proposal = await a_proposal(process)
    clock.move(LAPSES)
    await process.lapse()

    [before] = await process.hear(a_confirmation(proposal, "ada"))
    await process.offer()
    [after] = await process.hear(a_confirmation(proposal, "ada"))

    for said in (before, after):
        assert isinstance(said, SeatUnavailable)
        assert said.reason is SeatRefusal.PROPOSAL_SUPERSEDED
    assert await seats_taken(database) == {"Ada Sampleford": 0}


async def test_a_decided_proposal_does_not_lapse(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, ADA, BEN)
    seated, withdrawn = await a_proposal(process), a_request()
    await process.hear(a_confirmation(seated, "ada"))
    await process.hear(withdrawn)
    await process.hear(a_withdrawal(withdrawn))

    clock.move(LAPSES)

    assert await process.lapse() == 0
    assert await state_of(database, seated.request_id) is State.SEATED
    assert await state_of(database, withdrawn.request_id) is State.CLOSED


async def test_two_processes_let_a_proposal_lapse_once_and_a_decision_meanwhile_holds_or_is_refused(
    database: Database, process: Process, another: Process, clock: MovableClock
) -> None:
    await in_directory(database, a_therapist("ada", seats_offered=8, seats_free=8))
    proposals = [await a_proposal(process) for _ in range(8)]
    clock.move(LAPSES)

    said, lapsed = await asyncio.gather(
        asyncio.gather(*(process.hear(a_confirmation(each, "ada")) for each in proposals)),
        asyncio.gather(process.lapse(), another.lapse()),
    )

    answers = [next(each for each in events if not isinstance(each, MatchProposed)) for events in said]
    states = [await state_of(database, each.request_id) for each in proposals]
    assert states == [State.SEATED if isinstance(each, SeatReserved) else State.WAITING for each in answers]
    assert states.count(State.WAITING) == sum(lapsed)
    assert (await seats_taken(database))["Ada Sampleford"] == states.count(State.SEATED)
