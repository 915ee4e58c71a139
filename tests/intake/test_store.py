"""What intake remembers, on a real PostgreSQL."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.intake import store
from services.intake.domain import Fact, Heard, State
from services.intake.store import Arrival, Outcome
from shared.contract.envelope import Envelope
from shared.contract.ids import RequestId
from shared.contract.intake import RequestSubmitted, RequestWithdrawn, WithdrawalReason
from shared.contract.sealing import Purpose
from shared.contract.vocabulary import Door
from shared.kit.database import Database
from shared.kit.testing import RecordingTransaction, recording
from tests.intake.builders import NOW, taken

BASE = "https://intake.example/status/"


def arrival(request_id: UUID, partner: str | None = None, key: str | None = None) -> Arrival:
    return Arrival(RequestId(request_id), Door.API if partner else Door.WEB, BASE, partner, key)


def said_by(version: int) -> Envelope:
    return Envelope(
        id=uuid4(), type="attune.test.v1", source="/t", subject="t", time=NOW, aggregate_version=version
    )


def submitted(tx: RecordingTransaction) -> RequestSubmitted:
    [said] = tx.published
    assert isinstance(said, RequestSubmitted)
    return said


def token_of(said: RequestSubmitted) -> str:
    assert said.contact is not None
    return said.contact.status_url.removeprefix(BASE)


async def test_a_request_is_kept_and_said_once(database: Database) -> None:
    request_id = uuid4()

    async with recording(database) as first:
        outcome, _ = await store.take_in(first, arrival(request_id), taken())
    async with recording(database) as again:
        repeated, _ = await store.take_in(again, arrival(request_id), taken())

    assert (outcome, repeated) == (Outcome.TAKEN, Outcome.REPEATED)
    assert submitted(first).request_id == request_id
    assert again.published == []


async def test_another_request_under_the_same_id_is_told_apart(database: Database) -> None:
    request_id = uuid4()
    async with recording(database) as tx:
        await store.take_in(tx, arrival(request_id), taken())

    async with recording(database) as tx:
        outcome, _ = await store.take_in(tx, arrival(request_id), taken({"client.phone": "020 7946 0123"}))

    assert outcome is Outcome.CONTRADICTED
    assert tx.published == []


async def test_each_request_is_about_a_subject_of_its_own(database: Database) -> None:
    async with recording(database) as first:
        await store.take_in(first, arrival(uuid4()), taken())
    async with recording(database) as second:
        await store.take_in(second, arrival(uuid4()), taken())

    assert submitted(first).subject_id != submitted(second).subject_id
    assert token_of(submitted(first)) != token_of(submitted(second))


async def test_many_senders_of_the_same_key_at_once_make_one_request(database: Database) -> None:
    async with database.transaction() as tx:
        await store.add_partner(tx, "gp", "https://gp.example")

    async def send() -> tuple[Outcome, RequestId]:
        async with database.transaction() as tx:
            return await store.take_in(tx, arrival(uuid4(), "gp", "key-1"), taken())

    answers = await asyncio.gather(*(send() for _ in range(5)))

    assert sorted(outcome.value for outcome, _ in answers) == ["repeated"] * 4 + ["taken"]
    assert len({request_id for _, request_id in answers}) == 1
    assert await database.pool.fetchval("SELECT count(*) FROM requests") == 1
    assert await database.pool.fetchval("SELECT count(*) FROM outbox") == 1


async def test_nothing_is_kept_that_says_who_it_is(database: Database) -> None:
    changes = {"story.in_own_words": "I want to die", "client.phone": "020 7946 0123"}
    async with database.transaction() as tx:
        await store.take_in(tx, arrival(uuid4()), taken(changes))

    tables = await database.pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    kept = ""
    for table in tables:
        rows = await database.pool.fetch(f'SELECT t::text AS row FROM "{table["tablename"]}" AS t')  # noqa: S608
        kept += "\n".join(row["row"] for row in rows).lower()

    assert b"attune.intake.request-submitted.v1".hex() in kept
    for secret in ("okafor", "maya@example.com", "7946 0123", "want to die", "1991-03-14"):
        assert secret not in kept
        assert secret.encode().hex() not in kept


async def test_consent_is_recorded_with_who_gave_it_and_when(database: Database) -> None:
    request_id = uuid4()
    async with recording(database) as tx:
        given = taken({"consent.given_at": "2025-06-01T09:00:00Z"})
        await store.take_in(tx, arrival(request_id), given)

    row = await database.pool.fetchrow(
        "SELECT given_by, given_at, recorded_at FROM consents WHERE request_id = $1", request_id
    )

    assert row is not None
    assert row["given_by"] == "self"
    assert row["given_at"] == NOW - timedelta(days=1, hours=1)
    assert row["recorded_at"] == NOW


async def test_a_secret_link_finds_its_request_and_no_other_does(database: Database) -> None:
    async with recording(database) as tx:
        await store.take_in(tx, arrival(uuid4()), taken())
        said = submitted(tx)

        found = await store.find_by_token(tx, token_of(said))
        other = await store.find_by_token(tx, token_of(said)[:-1] + "~")

    assert found is not None
    assert found.request_id == said.request_id
    assert found.state is State.RECEIVED
    assert other is None


async def test_withdrawing_twice_says_so_once(database: Database) -> None:
    async with recording(database) as tx:
        await store.take_in(tx, arrival(uuid4()), taken())
        token = token_of(submitted(tx))

    async def withdraw() -> tuple[bool, list[Any]]:
        async with recording(database) as tx:
            view = await store.find_by_token(tx, token)
            assert view is not None
            return await store.withdraw(tx, view, WithdrawalReason.CLIENT_ASKED), tx.published

    answers = await asyncio.gather(withdraw(), withdraw(), withdraw())

    assert sorted(withdrawn for withdrawn, _ in answers) == [False, False, True]
    [said] = [event for _, published in answers for event in published]
    assert isinstance(said, RequestWithdrawn)
    async with database.transaction() as after:
        view = await store.find_by_token(after, token)
    assert view is not None
    assert view.state is State.WITHDRAWN


@pytest.mark.parametrize("order", [(1, 2), (2, 1), (2, 1, 2)])
async def test_the_newest_that_a_service_said_counts_whatever_comes_last(
    database: Database, order: tuple[int, ...]
) -> None:
    facts = {1: Fact.PROPOSED, 2: Fact.SEAT_RESERVED}
    async with recording(database) as tx:
        await store.take_in(tx, arrival(uuid4()), taken())
        said = submitted(tx)

    for version in order:
        async with recording(database, said_by(version)) as tx:
            heard = await store.hear(tx, said.request_id, "matching", Heard(facts[version], NOW))
            assert heard

    async with database.transaction() as after:
        view = await store.find_by_token(after, token_of(said))
    assert view is not None
    assert view.state is State.MATCHED


async def test_news_of_an_unknown_request_is_not_swallowed(database: Database) -> None:
    async with recording(database, said_by(1)) as tx:
        assert not await store.hear(tx, RequestId(uuid4()), "matching", Heard(Fact.PROPOSED, NOW))


async def test_a_question_is_kept_sealed(database: Database) -> None:
    async with recording(database) as tx:
        await store.take_in(tx, arrival(uuid4()), taken())
        said = submitted(tx)
    async with recording(database, said_by(1)) as tx:
        note = (said.subject_id, Purpose.CLINICAL, "Do you still take lithium?")
        await store.hear(tx, said.request_id, "review", Heard(Fact.QUESTION, NOW), note)

    async with database.transaction() as after:
        view = await store.find_by_token(after, token_of(said))
        assert view is not None
        assert view.note is not None
        assert b"lithium" not in view.note
        assert await after.open(view.note) == b"Do you still take lithium?"


async def test_a_partner_is_known_by_key_and_source_until_revoked(database: Database) -> None:
    async with database.transaction() as tx:
        key = await store.add_partner(tx, "gp", "https://gp.example")
        assert key is not None

        assert await store.find_partner_by_key(tx, key) == "gp"
        assert await store.find_partner_by_source(tx, "https://gp.example") == "gp"
        for wrong in ("", ".", key[:-1], key + "x", key.partition(".")[0], "." + key.partition(".")[2]):
            assert await store.find_partner_by_key(tx, wrong) is None

        assert await store.revoke_partner(tx, "gp")
        assert not await store.revoke_partner(tx, "gp")
        assert await store.find_partner_by_key(tx, key) is None
        assert await store.find_partner_by_source(tx, "https://gp.example") is None


async def test_two_partners_cannot_have_one_name_or_source(database: Database) -> None:
    async with database.transaction() as tx:
        await store.add_partner(tx, "gp", "https://gp.example")

        assert await store.add_partner(tx, "gp", "https://other.example") is None
        assert await store.add_partner(tx, "other", "https://gp.example") is None


async def test_a_key_is_not_kept(database: Database) -> None:
    async with database.transaction() as tx:
        key = await store.add_partner(tx, "gp", "https://gp.example")
        row = await tx.fetchval("SELECT p::text FROM partners AS p")

    assert key is not None
    secret = key.partition(".")[2]
    assert secret not in row
    assert secret.encode().hex() not in row
