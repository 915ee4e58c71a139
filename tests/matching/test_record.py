"""Every ranking is kept so that it can be made again, byte for byte, whatever changed around it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from services.matching import store
from services.matching.handlers import begin_day, forget, offer_to_waiting
from services.matching.store.directory import save_therapists
from shared.contract.event import Event
from shared.contract.ids import RequestId
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import MatchProposed
from shared.contract.sealing import opened
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import RULES, a_registration, a_therapist, an_accreditation
from tests.matching.random_matching import random_case, random_therapist
from tests.matching.recorded import a_matcher, all_the_same, hear, in_directory, made_again, recorded
from tests.support.builders import a_confirmation, a_decline, a_rematch, a_request, a_withdrawal

ADA, BEN = a_therapist("ada"), a_therapist("ben", fee_pence=7000)


async def test_what_a_ranking_depended_on_is_kept(database: Database, clock: MovableClock) -> None:
    await in_directory(database, ADA, BEN)
    request = a_request()
    [proposal] = await hear(database, a_matcher(), request)
    assert isinstance(proposal, MatchProposed)

    [ranking] = await recorded(database)

    assert (ranking.request_id, ranking.proposal_id) == (request.request_id, proposal.proposal_id)
    assert (ranking.ranked_at, ranking.on) == (clock.now(), clock.now().date())
    assert (ranking.policy_version, ranking.policy) == (RULES.policy.version, RULES.digest)
    assert ranking.first == opened(proposal.shortlist).candidates[0].therapist_id
    assert ranking.details is not None
    async with database.transaction() as tx:
        assert b'"requester":"self"' in (await tx.open(ranking.details) or b"")
        assert await tx.open(ranking.answer) == store.digest_of(opened(proposal.shortlist))
        assert await tx.fetchval("SELECT file FROM policies") == RULES.file


async def test_a_ranking_that_found_nobody_is_kept_too(database: Database) -> None:
    await hear(database, a_matcher(), a_request())

    [ranking] = await recorded(database)

    assert (ranking.proposal_id, ranking.first) == (None, None)
    assert all_the_same(await made_again(database))


async def test_a_ranking_is_made_again_with_the_prices_that_it_went_by(database: Database) -> None:
    await in_directory(database, ADA, BEN)
    matcher = a_matcher()
    for dear in (ADA, BEN, ADA):
        async with database.transaction() as tx:
            await store.add_prices(tx, RULES.policy.version, {dear.id: 900})
        await hear(database, matcher, a_request())

    assert [ranking.first for ranking in await recorded(database)] == [BEN.id, ADA.id, BEN.id]
    assert all_the_same(await made_again(database))


async def test_who_waits_without_success_is_kept_once_a_day(database: Database, clock: MovableClock) -> None:
    matcher = a_matcher()
    await hear(database, matcher, a_request())

    for _ in range(3):
        for _ in range(2):
            await begin_day(database, clock.now().date(), None)
            await offer_to_waiting(database, matcher)
        clock.move(timedelta(days=1))

    assert [ranking.on.day for ranking in await recorded(database)] == [24, 25, 26]


async def test_what_a_ranking_says_of_a_person_cannot_be_guessed_from_the_record(database: Database) -> None:
    await in_directory(database, ADA)
    [proposal] = await hear(database, a_matcher(), a_request())
    assert isinstance(proposal, MatchProposed)

    async with database.transaction() as tx:
        [row] = await tx.fetch("SELECT rankings::text AS kept FROM rankings")

    assert store.digest_of(opened(proposal.shortlist)).hex() not in row["kept"]


async def test_a_therapists_history_holds_no_address_and_no_number(database: Database) -> None:
    await in_directory(database, ADA)

    async with database.transaction() as tx:
        [kept] = await tx.fetch("SELECT entry::text AS entry FROM therapist_history")

    assert ADA.registration is not None
    assert ADA.email not in kept["entry"]
    assert ADA.registration.number not in kept["entry"]


async def test_an_entry_is_kept_once_for_each_change_and_whole(database: Database) -> None:
    changed = replace(ADA, registration=a_registration(expires_on=ADA.confirmed_on), accreditations=())

    await in_directory(database, ADA)
    await in_directory(database, ADA)
    await in_directory(database, changed)
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM registrations")
        await tx.execute(
            "INSERT INTO accreditations (therapist_id, variant, route, expires_on, cases) "
            "VALUES ($1, 'ipt', 'standard', '2030-01-01', 20)",
            ADA.id,
        )

    async with database.transaction() as tx:
        seen = [
            await store.entries_as_seen(tx, store.Sight("1:1:", "0", 0), [ADA.id]),
            *[
                await store.entries_as_seen(tx, store.Sight(f"{xid + 1}:{xid + 1}:", "0", 0), [ADA.id])
                for xid in [
                    int(row["xid"])
                    for row in await tx.fetch(
                        "SELECT changed_by::text AS xid FROM therapist_history ORDER BY id"
                    )
                ]
            ],
        ]
    assert [each.get(ADA.id) for each in seen] == [
        None,
        replace(ADA, email="", registration=a_registration(number="")),
        replace(changed, email="", registration=a_registration(number="", expires_on=ADA.confirmed_on)),
        replace(ADA, email="", registration=None, accreditations=(an_accreditation(),)),
    ]


async def test_a_change_of_credentials_alone_is_seen_at_the_next_look(database: Database) -> None:
    await in_directory(database, ADA, BEN)
    matcher = a_matcher()
    await hear(database, matcher, a_request())
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM accreditations WHERE therapist_id = $1", ADA.id)

    [proposal] = await hear(database, matcher, a_request())

    assert isinstance(proposal, MatchProposed)
    assert [each.therapist_id for each in opened(proposal.shortlist).candidates] == [BEN.id]
    assert all_the_same(await made_again(database))


# ------------------------------------------------------------------------------------------- made again


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


# ------------------------------------------------------------------------------------------- forgotten


async def test_old_rankings_are_forgotten_and_the_history_only_as_far_as_nobody_needs_it(
    database: Database, clock: MovableClock
) -> None:
    matcher = a_matcher()
    for fee in (6000, 6500, 7000):
        await in_directory(database, replace(ADA, fee_pence=fee), BEN)
        await hear(database, matcher, a_request())
        clock.move(timedelta(days=10))

    assert await forget(database, 15) == (2, 2)
    assert await forget(database, 15) == (0, 0)
    [ranking] = await made_again(database)
    assert ranking is not None
    assert ranking.same


async def test_the_record_can_be_empty(database: Database) -> None:
    assert await made_again(database) == []
    assert await forget(database, 1) == (0, 0)
