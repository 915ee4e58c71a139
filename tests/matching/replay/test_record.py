"""Every ranking is kept with what it depended on, for as long as it can be made again."""

from dataclasses import replace
from datetime import timedelta

from services.matching import store
from services.matching.handlers import begin_day, forget, offer_to_waiting
from shared.contract.matching import MatchProposed
from shared.contract.sealing import opened
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import RULES, a_registration, a_therapist, an_accreditation
from tests.matching.recorded import a_matcher, all_the_same, hear, in_directory, made_again, recorded
from tests.support.builders import a_request

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
