"""Whatever comes, and however often: effects once, nothing lost, and the partition moves on."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable

import pytest

from shared.contract.ids import SubjectId
from shared.kit.database import Database
from shared.kit.keyring import Keyring
from shared.kit.settings import KitSettings
from shared.kit.testing import eventually
from tests.support.builders import a_case, a_request
from tests.support.marks import DEAD, PROBE, PROPOSALS, REQUESTS, as_probe, happened, outbox_empty, parked, up
from tests.support.probe import BEATEN
from tests.support.processes import running
from tests.support.raw import Raw, raw, with_header
from tests.support.streams import Streams


@pytest.mark.usefixtures("topics")
@pytest.mark.parametrize(
    "step", ["consume.before_commit@2", "consume.after_commit@2", "relay.after_send", "relay.after_delete"]
)
async def test_a_consumer_killed_at_any_step_loses_and_doubles_nothing(
    step: str, database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    requests = [a_request() for _ in range(150)]
    records = [await raw(request, keyring) for request in requests]
    await streams.send(REQUESTS, records)

    async with running(*PROBE, environment=as_probe(settings, ATTUNE_FAILPOINT=step)) as doomed:
        assert await doomed.ended() == -signal.SIGKILL
    async with running(*PROBE, environment=as_probe(settings)) as survivor:
        await happened(database, requests)
        await outbox_empty(database)
        survivor.send(signal.SIGTERM)
        assert await survivor.ended() == 0

    answers = await streams.read(PROPOSALS)
    assert {answer.document["request_id"] for answer in answers} == {str(r.request_id) for r in requests}
    assert len({answer.event_id for answer in answers}) == len(requests)


@pytest.mark.usefixtures("topics")
async def test_a_redelivered_event_changes_nothing(
    database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    requests = [a_request() for _ in range(5)]
    records = [await raw(request, keyring) for request in requests]
    last = a_request()

    async with running(*PROBE, environment=as_probe(settings)):
        await streams.send(REQUESTS, [*records, *records, *reversed(records), await raw(last, keyring)])
        await happened(database, [*requests, last])
        await outbox_empty(database)

    assert len(await streams.read(PROPOSALS)) == 6


@pytest.mark.usefixtures("topics")
async def test_eight_kinds_of_poison_are_parked_with_a_reason_while_the_partition_moves_on(
    database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    async def fresh() -> Raw:
        return await raw(a_request(), keyring)

    key, _, found = await fresh()
    poison: list[tuple[str, Raw]] = [
        ("bad_json", (key, b'{"request_id": ', found)),
        ("bad_json", (key, b'{"request_id": NaN}', found)),
        ("bad_json", (key, b'{"request_id": -1e999}', found)),
        ("bad_schema", (key, b'{"request_id": "7"}', found)),
        ("bad_header", with_header(await fresh(), "ce_source", b"\xff\xfe")),
        ("bad_header", with_header(await fresh(), "traceparent", None)),
        ("tombstone", (key, None, found)),
        ("too_large", (key, b'{"a": "' + b"x" * 930_000 + b'"}', found)),
        ("unknown_type", with_header(await fresh(), "ce_type", b"attune.intake.request-sung.v1")),
        ("bad_envelope", with_header(await fresh(), "ce_id", b"not-a-uuid")),
        ("bad_seal", await _moved_box(keyring)),
    ]
    erased = a_request()
    of_an_erased_person = await raw(erased, keyring)
    await keyring.destroy(erased.subject_id)
    before, after = a_request(), a_request()

    async with running(*PROBE, environment=as_probe(settings)) as process:
        records = [record for _, record in poison]
        await streams.send(
            REQUESTS, [await raw(before, keyring), *records, of_an_erased_person, await raw(after, keyring)]
        )
        await happened(database, [before, after])
        await outbox_empty(database)
        output = process.output

    assert await parked(database) == [(place, reason) for place, (reason, _) in enumerate(poison, start=1)]
    assert await database.pool.fetchval("SELECT count(*) FROM inbox WHERE outcome = 'erased'") == 1
    letters = await streams.read(DEAD)
    assert [letter.header("dlq-reason") for letter in letters] == [reason for reason, _ in poison]
    assert [letter.header("dlq-offset") for letter in letters] == [str(n) for n in range(1, len(poison) + 1)]
    assert "Maya" not in output
    assert "Traceback" not in output


@pytest.mark.usefixtures("topics")
async def test_a_record_that_no_client_can_read_is_parked_and_passed(
    database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    before, after = a_request(), a_request()

    async with running(*PROBE, environment=as_probe(settings)):
        await streams.send(REQUESTS, [await raw(before, keyring)])
        await streams.send_unreadable(REQUESTS)
        await streams.send(REQUESTS, [await raw(after, keyring)])
        await happened(database, [before, after])

    assert await parked(database) == [(1, "bad_header")]


@pytest.mark.usefixtures("topics")
async def test_a_refused_event_and_a_bug_are_parked_without_a_word_of_the_content(
    database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    refused, buggy, fine = (a_request(details=a_case(in_own_words=words)) for words in ("refuse", "bug", ""))

    async with running(*PROBE, environment=as_probe(settings, HANDLER_TRIES="2")) as process:
        await streams.send(REQUESTS, [await raw(each, keyring) for each in (refused, buggy, fine)])
        await happened(database, [fine])
        output = process.output

    assert await parked(database) == [(0, "refused_by_probe"), (1, "handler_failed")]
    assert (
        await database.pool.fetchval('SELECT error_class FROM dead_letters WHERE "offset" = 1') == "KeyError"
    )
    assert "a secret" not in output


@pytest.mark.usefixtures("topics")
async def test_an_event_that_others_beat_to_something_is_never_parked_and_works_once_they_are_done(
    database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    beaten, after = (a_request(details=a_case(in_own_words=words)) for words in ("beaten", ""))

    async with running(*PROBE, environment=as_probe(settings, HANDLER_TRIES=str(BEATEN - 2))):
        await streams.send(REQUESTS, [await raw(each, keyring) for each in (beaten, after)])
        await happened(database, [beaten, after])

    assert await parked(database) == []


@pytest.mark.usefixtures("topics")
async def test_a_database_that_is_away_blocks_and_then_drains(
    database: Database,
    settings: KitSettings,
    streams: Streams,
    keyring: Keyring,
    admin: Callable[[str], Awaitable[None]],
) -> None:
    requests = [a_request() for _ in range(20)]
    records = [await raw(request, keyring) for request in requests]
    name = settings.database_url.get_secret_value().rpartition("/")[2]
    cut = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608

    async with running(*PROBE, environment=as_probe(settings)) as process:
        await up(process)
        await streams.send(REQUESTS, records[:5])
        await happened(database, requests[:5])
        await admin(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await admin(cut)
        await streams.send(REQUESTS, records[5:])
        await eventually(lambda: "could not be handled" in process.output, within=30)
        assert process.running
        # Longer than the five seconds after which a client that commits by itself would have done so.
        await asyncio.sleep(6)
        committed = await streams.committed(f"probe.{REQUESTS}", REQUESTS)
        assert committed.get(0, 0) <= 5
        await admin(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await happened(database, requests)
        assert process.running

    assert await parked(database) == []


@pytest.mark.usefixtures("topics")
async def test_too_many_dead_letters_in_a_row_stop_the_process(
    database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    key, _, found = await raw(a_request(), keyring)
    await streams.send(REQUESTS, [(key, b"{", list(found)) for _ in range(8)])

    async with running(*PROBE, environment=as_probe(settings, DEAD_LETTERS_IN_A_ROW="4")) as process:
        assert await process.ended() != 0

    assert "parked 4 records in a row" in process.output
    assert len(await parked(database)) == 4


@pytest.mark.usefixtures("topics")
async def test_events_of_a_newer_build_are_parked_for_it_and_do_not_stop_an_older_one(
    database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    known = a_request()
    newer = [
        with_header(await raw(a_request(), keyring), "ce_type", b"attune.intake.request-sung.v1")
        for _ in range(9)
    ]
    await streams.send(REQUESTS, [*newer, await raw(known, keyring)])

    async with running(*PROBE, environment=as_probe(settings, DEAD_LETTERS_IN_A_ROW="4")) as process:
        await happened(database, [known])
        assert process.running

    assert await parked(database) == [(place, "unknown_type") for place in range(9)]


async def _moved_box(keyring: Keyring) -> Raw:
    """A record whose sealed field was cut out of another request's."""
    one, other = a_request(), a_request()
    other = other.model_copy(update={"subject_id": SubjectId(one.subject_id)})
    key, value, found = await raw(other, keyring)
    _, stolen, _ = await raw(one, keyring)
    document = json.loads(value or b"") | {"details": json.loads(stolen or b"")["details"]}
    return key, json.dumps(document).encode(), found
