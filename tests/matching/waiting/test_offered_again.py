"""Whatever may help who waits has the list offered again; and a pass finds things as they are by then."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.matching import store
from shared.contract.ids import DecisionId, ProposalId, StaffId
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import MatchNotFound, MatchProposed
from shared.contract.review import RematchRequested
from shared.contract.vocabulary import Format, ProblemArea, Slot, Therapy
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.answers import who_wait
from tests.matching.builders import a_therapist
from tests.matching.gathering import RULE, a_choice, a_leader, in_directory, in_outbox, proposed_to, somebody
from tests.matching.processes import Process
from tests.support.builders import a_case, a_confirmation, a_proposal, a_request, a_withdrawal

ADA = a_therapist("ada", seats_offered=1, seats_free=1)
BEN = a_therapist("ben", languages=frozenset({"cy"}), problem_areas=frozenset({ProblemArea.GRIEF}))
EITHER = a_case(languages=("en", "cy"))


async def waits(process: Process, request: RequestSubmitted) -> RequestSubmitted:
    [said] = await process.hear(request)
    assert isinstance(said, MatchNotFound)
    return request


async def test_whoever_is_chosen_lower_on_a_list_leaves_its_first_to_who_waits(
    database: Database, process: Process, clock: MovableClock
) -> None:
    first = await waits(process, a_request(details=EITHER))
    clock.move(timedelta(minutes=1))
    second = await waits(process, a_request())
    await in_directory(database, ADA, BEN)
    assert await process.offer() == 1
    kept = await database.pool.fetchrow(
        "SELECT p.id, p.named FROM requests r JOIN proposals p ON p.id = r.proposal_id WHERE r.id = $1",
        first.request_id,
    )
    assert kept is not None
    assert kept["named"] == [ADA.id, BEN.id]
    proposal = a_proposal(first, proposal_id=kept["id"])

    await process.hear(a_confirmation(proposal, "ben"))
    await process.offer()

    assert await proposed_to(database) == [str(first.request_id), str(second.request_id)]


async def test_whoever_is_renewed_leaves_whom_they_were_proposed_to_who_waits(
    database: Database, process: Process, clock: MovableClock
) -> None:
    both = replace(ADA, languages=frozenset({"en", "cy"}))
    await in_directory(database, both)
    welsh = a_request(details=a_case(languages=("cy",)))
    [held] = await process.hear(welsh)
    assert isinstance(held, MatchProposed)
    clock.move(timedelta(days=14))
    # Back on the list and offered again, so that the seat is theirs alone.
    await process.lapse()
    both = replace(both, confirmed_on=clock.now().date())
    await in_directory(database, both)
    assert await process.offer() == 1
    english = await waits(process, a_request())

    await in_directory(
        database,
        replace(both, languages=frozenset({"en"})),
        replace(BEN, confirmed_on=clock.now().date()),
    )
    assert await process.offer() == 0
    assert await process.renew() == 1
    await process.offer()

    assert (str(english.request_id), "match-proposed") in await in_outbox(database)


async def test_the_seat_of_a_dissolved_group_is_offered_before_its_members_are_proposed_others(
    database: Database, process: Process, clock: MovableClock
) -> None:
    tuesday, wednesday = (Slot.TUE_EVENING,), (Slot.WED_MORNING,)
    leads = a_leader("ada", seats_offered=1, seats_free=1)
    await in_directory(database, leads)
    [proposal] = await process.hear(somebody(availability=tuesday))
    assert isinstance(proposal, MatchProposed)
    await process.hear(a_choice(proposal))
    adult = somebody(30, format=Format.GROUP, therapy=Therapy.IPT, availability=wednesday)
    await waits(process, adult)
    await in_directory(database, a_leader("ben", slots=frozenset(tuesday)))
    await process.offer()

    clock.move(timedelta(days=RULE.gathering.days))
    assert await process.dissolve() == 1
    await process.offer()

    assert (str(adult.request_id), "match-proposed") in await in_outbox(database)


# ------------------------------------------------------------------------------------------- in the middle


def before(call: int, happens: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets something happen before a pass locks the request that is the so-manieth on the list."""
    lock, calls = store.lock_request, 0

    async def locked(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            await happens()
        return await lock(*args)

    monkeypatch.setattr(store, "lock_request", locked)


async def test_who_has_gone_before_their_turn_comes_is_proposed_nobody(
    database: Database,
    process: Process,
    another: Process,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = await who_wait(process.hear, clock, 2)
    await in_directory(database, replace(ADA, seats_offered=2))

    async def withdrawn() -> None:
        monkeypatch.undo()
        await another.hear(a_withdrawal(second))

    before(1, withdrawn, monkeypatch)
    await process.offer()

    assert await proposed_to(database) == [str(first.request_id)]


async def test_who_was_proposed_somebody_before_their_turn_comes_keeps_that_proposal(
    database: Database,
    process: Process,
    another: Process,
    clock: MovableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = await who_wait(process.hear, clock, 2)
    await in_directory(database, replace(ADA, seats_offered=2))
    decision = RematchRequested(
        request_id=second.request_id,
        subject_id=second.subject_id,
        proposal_id=ProposalId(uuid4()),
        decision_id=DecisionId(uuid4()),
        decided_by=StaffId(uuid4()),
        exclude=(),
        reason="The page was an old one.",
    )

    async def looked_for() -> None:
        monkeypatch.undo()
        # By then nobody else waits.
        [said] = await another.hear(decision)
        assert isinstance(said, MatchProposed)

    before(2, looked_for, monkeypatch)
    await process.offer()

    assert await proposed_to(database) == [str(first.request_id)]


async def test_a_pass_that_is_cut_short_is_made_again_for_those_it_did_not_come_to(
    database: Database, process: Process, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await who_wait(process.hear, clock, 2)
    await in_directory(database, replace(ADA, seats_offered=2))

    async def away() -> None:
        raise TimeoutError

    before(2, away, monkeypatch)
    with pytest.raises(TimeoutError):
        await process.offer()
    assert await proposed_to(database) == [str(first.request_id)]
    assert await process.offer() == 1

    assert await proposed_to(database) == [str(first.request_id), str(second.request_id)]
