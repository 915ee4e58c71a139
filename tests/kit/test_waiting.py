"""What needs a fact that another stream has not brought waits, and only its own request waits with it."""

import time
from uuid import UUID

import pytest

from shared.kit.consuming.patience import PATIENT_SECONDS, Trial
from shared.kit.consuming.verdicts import Kind
from shared.kit.database import Database
from shared.kit.keyring import Keyring
from shared.kit.settings import KitSettings
from shared.kit.testing import eventually
from tests.support.builders import a_case, a_confirmation, a_proposal, a_request, a_seat
from tests.support.marks import PROBE, PROPOSALS, REQUESTS, as_probe, effects, happened, parked
from tests.support.processes import running
from tests.support.raw import raw
from tests.support.streams import Streams


@pytest.mark.usefixtures("topics")
async def test_an_event_waits_for_what_another_stream_has_to_bring(
    database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    request = a_request()
    proposal = a_proposal(request)

    async with running(*PROBE, environment=as_probe(settings)) as process:
        await streams.send(PROPOSALS, [await raw(proposal, keyring)])
        await eventually(lambda: '"kind": "not_yet"' in process.output, within=40)
        assert await effects(database, "proposed") == []
        await streams.send(REQUESTS, [await raw(request, keyring)])

        async def proposed() -> bool:
            return await effects(database, "proposed") == [request.request_id]

        await eventually(proposed, within=30)

    assert await parked(database) == []


@pytest.mark.usefixtures("topics")
async def test_what_never_comes_is_not_waited_for_for_ever(
    database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    orphan, later = a_proposal(a_request()), a_request()

    async with running(*PROBE, environment=as_probe(settings, NOT_YET_SECONDS="1")):
        await streams.send(PROPOSALS, [await raw(orphan, keyring)])

        async def given_up() -> bool:
            return await parked(database) == [(0, "not_yet")]

        await eventually(given_up, within=40)
        await streams.send(REQUESTS, [await raw(later, keyring)])
        await happened(database, [later])


@pytest.mark.usefixtures("topics")
async def test_who_waits_holds_up_what_follows_about_the_same_request_and_nothing_else(
    database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    known, late = a_request(), a_request()
    early = a_proposal(late)
    seat = a_seat(a_confirmation(early))
    before, meanwhile = a_proposal(known), a_proposal(known)

    async with running(*PROBE, environment=as_probe(settings)) as process:
        await streams.send(REQUESTS, [await raw(known, keyring)])
        await happened(database, [known])
        await streams.send(PROPOSALS, [await raw(each, keyring) for each in (early, seat, before)])
        await _proposed(database, known.request_id)
        # Also for what comes while the batch is waiting.
        await streams.send(PROPOSALS, [await raw(meanwhile, keyring)])
        await _proposed(database, known.request_id, known.request_id)
        assert await effects(database, "reserved") == []
        await streams.send(REQUESTS, [await raw(late, keyring)])
        await _proposed(database, known.request_id, known.request_id, late.request_id)
        await _marked(database, "reserved", late.request_id)
        assert process.running

    marks = await database.pool.fetch(
        "SELECT what FROM effects WHERE request_id = $1 ORDER BY id", late.request_id
    )
    assert [mark["what"] for mark in marks] == ["submitted", "proposed", "reserved"]
    assert await parked(database) == []


@pytest.mark.usefixtures("topics")
async def test_what_lies_in_the_dead_letters_is_not_waited_for_but_what_is_merely_late_is(
    database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    refused, fine, late = a_request(details=a_case(in_own_words="refuse")), a_request(), a_request()

    async with running(*PROBE, environment=as_probe(settings, NOT_YET_SECONDS="600")):
        await streams.send(REQUESTS, [await raw(refused, keyring), await raw(fine, keyring)])
        await happened(database, [fine])
        proposals = [a_proposal(each) for each in (refused, late, fine)]
        await streams.send(PROPOSALS, [await raw(each, keyring) for each in proposals])
        await _proposed(database, fine.request_id)

        async def given_up() -> bool:
            letters = await database.pool.fetch("SELECT reason FROM dead_letters ORDER BY parked_at")
            return [letter["reason"] for letter in letters] == ["refused_by_probe", "not_yet"]

        await eventually(given_up, within=30)
        await streams.send(REQUESTS, [await raw(late, keyring)])
        await _proposed(database, fine.request_id, late.request_id)
        assert await given_up()


def test_it_is_worth_a_warning_once_the_other_stream_should_have_brought_it() -> None:
    trial = Trial()
    trial.count(Kind.NOT_YET)
    at_first = trial.overdue

    trial.not_yet_since = time.monotonic() - PATIENT_SECONDS - 1

    assert not at_first
    assert trial.overdue


async def _proposed(database: Database, *requests: UUID) -> None:
    await _marked(database, "proposed", *requests)


async def _marked(database: Database, what: str, *requests: UUID) -> None:
    async def marked() -> bool:
        return await effects(database, what) == list(requests)

    await eventually(marked, within=40, what=f"the requests were marked as {what}")
