"""Every ranking is made again byte for byte, whatever changed around it, and under another policy."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from services.matching import store
from services.matching.handlers import begin_day, offer_to_waiting
from services.matching.store.directory import save_therapists
from shared.contract.event import Event
from shared.contract.ids import RequestId
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import MatchProposed
from shared.contract.sealing import opened
from shared.contract.vocabulary import Mode
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import RULES, THE_DAY, a_therapist
from tests.matching.random_matching import random_case, random_therapist
from tests.matching.recorded import (
    a_matcher,
    all_the_same,
    another_policy,
    hear,
    in_directory,
    made_again,
    recorded,
    rules_of,
)
from tests.support.builders import a_case, a_confirmation, a_decline, a_rematch, a_request, a_withdrawal

ADA, BEN = a_therapist("ada"), a_therapist("ben", fee_pence=7000)


async def test_the_same_policy_gives_the_same_bytes_whatever_changed_in_between(
    database: Database, clock: MovableClock
) -> None:
    dice = Random(11)
    therapists = [random_therapist(dice) for _ in range(300)]
    await in_directory(database, *therapists)
    processes = [a_matcher(), a_matcher()]
    open_ones: dict[RequestId, tuple[RequestSubmitted, MatchProposed]] = {}
    heard: dict[RequestId, RequestSubmitted] = {}

    def a_new_request() -> RequestSubmitted:
        request = a_request(details=random_case(dice))
        heard[request.request_id] = request
        return request

    def next_events() -> list[Event]:
        """A batch: it may take a seat, free it and look again in one transaction."""
        batch: list[Event] = [a_new_request() for _ in range(dice.randint(1, 4))]
        for request_id in dice.sample(list(open_ones), k=min(3, len(open_ones))):
            request, proposal = open_ones.pop(request_id)
            first = opened(proposal.shortlist).candidates[0].therapist_id
            batch.append(a_confirmation(proposal, therapist_id=first))
            turned: Event = a_rematch(proposal).model_copy(update={"exclude": (first,)})
            batch += [dice.choice([turned, a_withdrawal(request), a_decline(request)]), a_new_request()]
        return batch

    for turn in range(25):
        for said in await hear(database, dice.choice(processes), *next_events()):
            if isinstance(said, MatchProposed):
                open_ones[said.request_id] = heard[said.request_id], said
        if turn % 3 == 0:
            again = [random_therapist(dice, each.id) for each in dice.sample(therapists, 5)]
            await in_directory(database, random_therapist(dice), *again)
        if turn % 5 == 0:
            clock.move(timedelta(hours=dice.randint(1, 40)))
            await begin_day(database, clock.now().date(), None)
        await offer_to_waiting(database, dice.choice(processes))

    rankings = await recorded(database)
    assert len(rankings) > 80
    assert len({ranking.on for ranking in rankings}) > 3
    assert any(ranking.excluded for ranking in rankings)
    assert any(ranking.spoken_for for ranking in rankings)
    assert 10 < sum(ranking.first is not None for ranking in rankings) < len(rankings)
    assert all_the_same(await made_again(database))


async def test_what_was_changed_and_not_committed_was_not_seen(database: Database) -> None:
    matcher = a_matcher()
    await in_directory(database, ADA)
    async with database.transaction() as slow:
        await store.save_therapist(slow, BEN)
        # Others come and go meanwhile, with later transactions than the slow one's.
        await in_directory(database, a_therapist("cleo"))
        await hear(database, matcher, a_request())
    await hear(database, matcher, a_request())

    made = await made_again(database)

    assert all_the_same(made)
    assert [len(again.comparison.old.listed) for again in made if again] == [2, 3]


async def test_what_was_undone_was_seen_by_nobody_after(database: Database) -> None:
    matcher = a_matcher()
    await in_directory(database, ADA)

    class UndoneError(Exception):
        pass

    async def look_and_undo() -> None:
        async with database.transaction() as tx, tx.savepoint():
            await store.save_therapist(tx, BEN)
            raise UndoneError

    with pytest.raises(UndoneError):
        await look_and_undo()
    await hear(database, matcher, a_request())

    assert all_the_same(await made_again(database))


async def test_rankings_beside_many_changes_on_other_connections_are_made_again_the_same(
    database: Database,
) -> None:
    dice = Random(3)
    therapists = [random_therapist(dice) for _ in range(40)]
    await in_directory(database, *therapists)

    async def change(seed: int) -> None:
        own = Random(seed)
        for _ in range(25):
            async with database.transaction() as tx:
                some = sorted(own.sample(therapists, 2), key=lambda each: each.id)
                await save_therapists(tx, [random_therapist(own, each.id) for each in some])
                await asyncio.sleep(0)
                await tx.fetchval("SELECT pg_sleep(0.001)")

    async def ask(seed: int) -> None:
        own, matcher = Random(seed), a_matcher()
        for _ in range(25):
            said = await hear(database, matcher, a_request(details=random_case(own)))
            for proposal in said:
                if isinstance(proposal, MatchProposed):
                    await hear(
                        database,
                        matcher,
                        a_confirmation(
                            proposal, therapist_id=opened(proposal.shortlist).candidates[0].therapist_id
                        ),
                        a_request(details=random_case(own)),
                    )
            await offer_to_waiting(database, matcher)

    await asyncio.gather(change(1), change(2), ask(3), ask(4))

    made = await made_again(database)
    # Not all 50: who finds others waiting joins the list, and is ranked when a pass comes to them.
    assert len(made) >= 25
    assert all_the_same(made)


async def test_who_was_erased_is_passed(database: Database) -> None:
    await in_directory(database, ADA)
    request = a_request()
    await hear(database, a_matcher(), request, a_request())
    await database.keys.destroy(request.subject_id)  # type: ignore[attr-defined]

    first, second = await made_again(database)

    assert first is None
    assert second is not None


async def test_a_ranking_is_made_again_with_the_prices_that_it_went_by(database: Database) -> None:
    await in_directory(database, ADA, BEN)
    matcher = a_matcher()
    for dear in (ADA, BEN, ADA):
        async with database.transaction() as tx:
            await store.add_prices(tx, RULES.policy.version, {dear.id: 900})
        await hear(database, matcher, a_request())

    assert [ranking.first for ranking in await recorded(database)] == [BEN.id, ADA.id, BEN.id]
    assert all_the_same(await made_again(database))


async def test_a_first_whom_the_old_policy_rules_out_has_no_value(database: Database, tmp_path: Path) -> None:
    await in_directory(database, replace(BEN, confirmed_on=THE_DAY - timedelta(days=200)))
    await hear(database, a_matcher(), a_request())
    tried = another_policy(tmp_path, fresh_days="fresh_days = 300")

    [again] = await made_again(database, rules_of(tried))

    assert again is not None
    assert again.comparison.old.listed == ()
    assert again.comparison.new.listed == (BEN.id,)
    assert again.comparison.new.value is None


async def test_each_ranking_is_taken_by_itself_with_the_seats_that_were_spoken_for(
    database: Database, tmp_path: Path
) -> None:
    near = replace(ADA, outcode="E1", seats_offered=10)
    far = a_therapist("ben", outcode="E17", seats_offered=10)
    await in_directory(database, near, far)
    # Seats are taken by being taken.
    await database.pool.execute("UPDATE therapists SET seats_taken = 9 WHERE id = $1", near.id)
    nearby = a_case(mode=Mode.IN_PERSON, outcode="E1")
    said = [each for _ in range(2) for each in await hear(database, a_matcher(), a_request(details=nearby))]

    made = await made_again(database, rules_of(another_policy(tmp_path, caseload="caseload = 900")))

    firsts = [opened(each.shortlist).candidates[0] for each in said if isinstance(each, MatchProposed)]
    assert [again.comparison.old.first for again in made if again] == [each.therapist_id for each in firsts]
    assert [again.comparison.old.score for again in made if again] == [each.score for each in firsts]
    assert {again.comparison.new.first for again in made if again} == {far.id}
    assert all_the_same(made)
