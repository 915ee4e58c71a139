"""An open proposal is renewed once somebody on it falls away or other pathways fit, and else left alone."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.matching import store
from services.matching.domain.policy import read_policy
from services.matching.handlers import Matcher
from services.matching.store import State
from shared.contract.matching import MatchProposed
from shared.contract.vocabulary import Slot, Variant
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.keyring import Keyring
from tests.matching.builders import RULES, THE_DAY, a_registration, a_therapist, an_accreditation, born
from tests.matching.gathering import a_choice, a_leader, in_directory, somebody
from tests.matching.policies import changed
from tests.matching.processes import Process
from tests.matching.seated import state_of
from tests.matching.undecided import ADA, BEN, a_proposal, named, said_of, spoken_for
from tests.support.builders import a_confirmation


async def test_a_registration_that_runs_out_renews_the_proposals_that_name_it(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, replace(ADA, registration=a_registration(expires_on=THE_DAY)), BEN)
    proposal = await a_proposal(process)

    at_once = await process.renew()
    clock.move(timedelta(days=1))
    next_day = await process.renew()
    again = await process.renew()

    assert (at_once, next_day, again) == (0, 1, 0)
    assert await said_of(database, proposal.request_id) == ["match-proposed"]
    assert await named(database, proposal.request_id) == [BEN.id]
    assert await spoken_for(database) == {BEN.id: 1}


async def test_a_sixteenth_birthday_renews_a_proposal_that_tells_of_consent_for_a_child_once(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, ADA)
    proposal = await a_proposal(process, date_of_birth=born(16, THE_DAY + timedelta(days=1)))

    at_once = await process.renew()
    clock.move(timedelta(days=1))
    on_the_day = await process.renew()
    again = await process.renew()

    assert (at_once, on_the_day, again) == (0, 1, 0)
    assert await said_of(database, proposal.request_id) == ["match-proposed"]


@pytest.mark.parametrize(
    "change",
    [
        {"registration": None},
        {"registration": a_registration(expires_on=date(2026, 11, 23))},
        {"accreditations": (an_accreditation(Variant.IPT_A),)},
        {"seats_offered": 0},
        {"languages": frozenset({"cy"})},
    ],
)
async def test_an_entry_that_no_longer_qualifies_renews_the_proposals_that_name_it(
    database: Database, process: Process, change: dict[str, Any]
) -> None:
    await in_directory(database, ADA)
    proposal = await a_proposal(process)

    await in_directory(database, replace(ADA, **change))
    renewed = await process.renew()

    assert renewed == 1
    assert await said_of(database, proposal.request_id) == ["match-not-found"]
    assert await state_of(database, proposal.request_id) is State.WAITING


async def test_an_entry_that_nobody_confirms_any_more_renews_the_proposals_that_name_it(
    database: Database, process: Process, clock: MovableClock
) -> None:
    fresh = timedelta(days=RULES.policy.fresh_days)
    await in_directory(database, replace(ADA, confirmed_on=THE_DAY - fresh))
    proposal = await a_proposal(process)

    clock.move(timedelta(days=1))

    assert await process.renew() == 1
    assert await state_of(database, proposal.request_id) is State.WAITING


async def test_a_client_who_outgrows_a_pathway_is_proposed_another(
    database: Database, process: Process, clock: MovableClock
) -> None:
    tomorrow = THE_DAY + timedelta(days=1)
    held = tuple(an_accreditation(variant) for variant in (Variant.IPT_A, Variant.IPT))
    await in_directory(database, replace(ADA, accreditations=held[:1]), replace(BEN, accreditations=held))
    proposal = await a_proposal(process, date_of_birth=born(19, tomorrow), attending_adult=True)
    assert sorted(await named(database, proposal.request_id)) == sorted([ADA.id, BEN.id])

    clock.move(timedelta(days=1))

    assert await process.renew() == 1
    assert await named(database, proposal.request_id) == [BEN.id]


async def test_a_change_that_matters_to_nobody_leaves_proposals_alone(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, ADA, BEN)
    proposal = await a_proposal(process)
    other = await a_proposal(process)

    await process.hear(a_confirmation(other, "ada"))
    await in_directory(database, replace(BEN, fee_pence=BEN.fee_pence - 1), a_therapist("cem"))
    changed = await process.renew()
    clock.move(timedelta(days=1))
    next_day = await process.renew()

    assert (changed, next_day) == (0, 0)
    assert (await state_of(database, proposal.request_id)) is State.PROPOSED
    assert await said_of(database, proposal.request_id) == []


async def test_a_change_that_is_still_being_written_is_seen_once_it_holds(
    database: Database, process: Process, another: Process
) -> None:
    await in_directory(database, ADA)
    async with database.transaction() as tx:
        await store.save_therapist(tx, replace(ADA, registration=None))
        proposal = await a_proposal(another)
        during = await another.renew()
    after = await another.renew()

    assert (during, after) == (0, 1)
    assert await state_of(database, proposal.request_id) is State.WAITING


async def test_a_change_that_comes_while_a_proposal_is_looked_at_has_it_looked_at_again(
    database: Database, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    await in_directory(database, ADA)
    proposal = await a_proposal(process)
    await in_directory(database, replace(ADA, fee_pence=ADA.fee_pence - 1))
    find = store.find_therapists

    async def found_before_it_changes(*args: Any) -> Any:
        found = await find(*args)
        monkeypatch.undo()
        await in_directory(database, replace(ADA, registration=None))
        return found

    monkeypatch.setattr(store, "find_therapists", found_before_it_changes)
    during = await process.renew()
    after = await process.renew()

    assert (during, after) == (0, 1)
    assert await state_of(database, proposal.request_id) is State.WAITING


async def test_two_processes_renew_a_proposal_once(
    database: Database, process: Process, another: Process
) -> None:
    await in_directory(database, ADA, replace(BEN, seats_offered=6))
    proposals = [await a_proposal(process) for _ in range(6)]
    await in_directory(database, replace(ADA, registration=None))

    renewed = await asyncio.gather(process.renew(), another.renew())

    assert sum(renewed) == len(proposals)
    for proposal in proposals:
        assert await said_of(database, proposal.request_id) == ["match-proposed"]


async def test_a_group_whose_leader_may_lead_no_more_is_not_left_before_staff(
    database: Database, process: Process
) -> None:
    await in_directory(database, a_leader("ada"))
    [proposal] = await process.hear(somebody())
    assert isinstance(proposal, MatchProposed)
    untouched = await process.renew()

    await in_directory(database, a_leader("ada", registration=None))

    assert (untouched, await process.renew()) == (0, 1)
    assert await state_of(database, proposal.request_id) is State.WAITING


@pytest.mark.parametrize(
    "change",
    [{"languages": frozenset({"pl"})}, {"slots": frozenset({Slot.SAT_MORNING})}],
    ids=["language", "time"],
)
async def test_a_group_that_can_no_longer_be_opened_as_shown_is_not_left_before_staff(
    database: Database, process: Process, change: dict[str, Any]
) -> None:
    leader = a_leader("ada", languages=frozenset({"en", "pl"}))
    await in_directory(database, leader)
    [proposal] = await process.hear(
        somebody(languages=("en", "pl"), availability=(Slot.TUE_EVENING, Slot.SAT_MORNING))
    )
    assert isinstance(proposal, MatchProposed)
    untouched = await process.renew()

    await in_directory(database, replace(leader, **change))

    assert (untouched, await process.renew()) == (0, 1)
    assert await said_of(database, proposal.request_id) == ["match-proposed"]


async def test_a_group_that_gathers_needs_no_other_time_of_its_leader(
    database: Database, process: Process
) -> None:
    await in_directory(database, a_leader("ada"))
    [first] = await process.hear(somebody())
    assert isinstance(first, MatchProposed)
    await process.hear(a_choice(first))
    await process.hear(somebody())

    await in_directory(database, a_leader("ada", slots=frozenset({Slot.SAT_MORNING})))

    assert await process.renew() == 0


@pytest.mark.parametrize(
    ("after", "before", "now", "renewed"),
    [
        ("[sources]", "Cuijpers 2016", "Cuijpers and others 2016", 0),
        ("[evidence.ipt]", "how severe it is was not asked", "ask how severe it is", 1),
    ],
    ids=["a source", "a caution"],
)
async def test_another_policy_renews_a_proposal_once_at_most_and_not_for_other_words(  # noqa: PLR0917
    database: Database, process: Process, clock: MovableClock, after: str, before: str, now: str, renewed: int
) -> None:
    await in_directory(database, ADA)
    proposal = await a_proposal(process)
    rules = replace(RULES, policy=read_policy(changed(after, before, now)))
    another = Process(database, matcher=Matcher(rules, store.DirectoryInMemory(rules)))

    looks = []
    for _ in range(3):
        looks.append(await another.renew())
        clock.move(timedelta(days=1))

    # Whoever was looked at today by the rules of before is looked at by the new ones tomorrow.
    assert looks == [0, renewed, 0]
    assert await said_of(database, proposal.request_id) == ["match-proposed"] * renewed


async def test_an_erased_persons_proposal_is_closed_and_keeps_no_seat(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, ADA)
    proposal = await a_proposal(process)
    assert isinstance(database.keys, Keyring)
    await database.keys.destroy(proposal.subject_id)
    clock.move(timedelta(days=1))

    assert await process.renew() == 0
    assert await state_of(database, proposal.request_id) is State.CLOSED
    assert await spoken_for(database) == {}


async def test_a_proposal_that_cannot_be_read_holds_up_no_other_and_is_looked_at_once_a_day(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, replace(ADA, registration=a_registration(expires_on=THE_DAY)), BEN)
    unreadable, readable = await a_proposal(process), await a_proposal(process)
    await database.pool.execute(
        "UPDATE proposals SET shortlist = set_byte(shortlist, 40, get_byte(shortlist, 40) # 1) WHERE id = $1",
        unreadable.proposal_id,
    )
    clock.move(timedelta(days=1))

    assert await process.renew() == 1
    assert await named(database, readable.request_id) == [BEN.id]
    async with database.transaction() as tx:
        assert await store.proposals_to_look_at(tx, THE_DAY + timedelta(days=1)) == []
        assert await store.proposals_to_look_at(tx, THE_DAY + timedelta(days=2)) != []


async def test_a_proposal_for_somebody_under_16_stands_from_day_to_day(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, ADA)
    await a_proposal(process, date_of_birth=born(15, THE_DAY))
    clock.move(timedelta(days=1))

    assert await process.renew() == 0
