"""What others hear of the directory: at set times all that has changed, once, and nothing else."""

import asyncio
import json
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.matching import store
from services.matching.domain.directory_feed import public_entry
from services.matching.handlers import tell_others
from services.matching.settings import Settings
from shared.contract.matching import (
    DIRECTORY,
    DirectoryEntry,
    TherapistChanged,
    TherapistListed,
    TherapistRemoved,
)
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.testing import eventually
from shared.kit.tracing import current
from shared.kit.transaction import Transaction
from tests.matching.builders import a_therapist
from tests.matching.recorded import in_directory
from tests.matching.seated import a_request_with_a_seat
from tests.support.environment import environment
from tests.support.processes import running
from tests.support.streams import Seen, Streams

ADA = a_therapist("ada")
HOURS = 24
RELAY = ("-m", "tests.support.relay")


async def test_what_happens_in_between_is_told_at_the_next_time_once_and_in_the_order_of_ids(
    database: Database, clock: MovableClock
) -> None:
    people = [a_therapist(name, seats_offered=1, seats_free=1) for name in ("ada", "ben", "cai", "dara")]
    await in_directory(database, *people)
    assert await tell_others(database, HOURS) == 4
    await database.pool.execute("DELETE FROM outbox")
    ada, ben, cai, dara = people

    # Ada's only seat is taken; Ben's, too, and freed again; Cai is removed and comes back dearer; Dara goes.
    await a_request_with_a_seat(database, ada)
    request_id = await a_request_with_a_seat(database, ben)
    async with database.transaction() as tx:
        await store.free_seat(tx, request_id, "test")
        for each in (cai, dara):
            await store.remove_therapist(tx, each.id)
        await store.save_therapist(tx, replace(cai, fee_pence=1))
    clock.move(timedelta(hours=14))
    # Whoever has gone may have been struck off.
    assert await tell_others(database, HOURS) == 1
    assert await tell_others(database, HOURS) == 0
    assert await said(database) == [(str(dara.id), TherapistRemoved.type, None)]
    await database.pool.execute("DELETE FROM outbox")

    clock.move(timedelta(hours=1))
    assert await tell_others(database, HOURS) == 2
    assert await tell_others(database, HOURS) == 0
    assert await said(database) == sorted(
        [
            (str(ada.id), TherapistChanged.type, ["has_seat"]),
            (str(cai.id), TherapistChanged.type, ["fee_pence"]),
        ]
    )


async def test_a_time_at_which_nothing_was_new_is_over_too(database: Database, clock: MovableClock) -> None:
    await in_directory(database, ADA)
    await tell_others(database, HOURS)
    clock.move(timedelta(days=1))
    await tell_others(database, HOURS)

    await in_directory(database, replace(ADA, fee_pence=1))

    assert await tell_others(database, HOURS) == 0
    clock.move(timedelta(days=1))
    assert await tell_others(database, HOURS) == 1


async def test_the_first_entries_are_told_at_once(database: Database) -> None:
    assert await tell_others(database, HOURS) == 0

    await in_directory(database, ADA)

    assert await tell_others(database, HOURS) == 1
    assert await said(database) == [(str(ADA.id), TherapistListed.type, None)]


async def test_of_what_another_build_has_told_all_is_told_anew(
    database: Database, clock: MovableClock
) -> None:
    await in_directory(database, ADA, a_therapist("ben"))
    await tell_others(database, HOURS)
    await database.pool.execute("DELETE FROM outbox")
    await database.pool.execute("UPDATE told_entries SET entry = '{}', changed_by = '3'")
    async with database.transaction() as tx:
        await store.remove_therapist(tx, ADA.id)

    clock.move(timedelta(days=1))
    await tell_others(database, HOURS)

    assert {(key, kind) for key, kind, _ in await said(database)} == {
        (str(ADA.id), TherapistRemoved.type),
        (str(a_therapist("ben").id), TherapistListed.type),
    }


async def test_two_processes_tell_nothing_twice(
    databases: tuple[Database, Database], clock: MovableClock
) -> None:
    await in_directory(databases[0], *[a_therapist(f"t{number}") for number in range(250)])

    told = await asyncio.gather(*(tell_others(each, HOURS) for each in databases * 4))

    assert sum(told) == 250
    assert len(await said(databases[0])) == 250


async def test_what_is_told_says_no_word_of_what_led_to_it(database: Database, clock: MovableClock) -> None:
    one = replace(ADA, seats_offered=1, seats_free=1)
    await in_directory(database, one)
    await tell_others(database, HOURS)
    await database.pool.execute("DELETE FROM outbox")
    taken_at = clock.now()
    trace = current.set("00-11111111111111111111111111111111-2222222222222222-01")
    try:
        request_id = await a_request_with_a_seat(database, one)
        assert await said(database) == []
        clock.move(timedelta(days=1))
        await tell_others(database, HOURS)
    finally:
        current.reset(trace)

    [row] = await database.pool.fetch("SELECT header_names, header_values FROM outbox")
    headers = {
        name.decode(): value.decode()
        for name, value in zip(row["header_names"], row["header_values"], strict=True)
    }
    assert "ce_causationid" not in headers
    assert datetime.fromisoformat(headers["ce_time"]) == taken_at + timedelta(days=1)
    for secret in ("1" * 32, str(request_id)):
        assert secret not in " ".join(headers.values())


async def test_a_telling_that_fails_has_told_nothing_and_is_made_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await in_directory(database, *[a_therapist(f"t{number}") for number in range(250)])
    told = store.note_told
    lots: list[int] = []

    async def fail_at_the_second(tx: Transaction, now: Any) -> None:
        lots.append(len(now))
        if len(lots) == 2:
            raise ZeroDivisionError
        await told(tx, now)

    monkeypatch.setattr(store, "note_told", fail_at_the_second)
    with pytest.raises(ZeroDivisionError):
        await tell_others(database, HOURS)

    assert await said(database) == []
    assert await tell_others(database, HOURS) == 250
    assert len(await said(database)) == 250


async def test_a_reader_of_the_stream_has_the_directory_though_the_relay_is_killed_on_the_way(
    database: Database,
    settings: Settings,
    clock: MovableClock,
    create_topics: Callable[..., Awaitable[None]],
    topic_prefix: str,
) -> None:
    await create_topics([DIRECTORY])
    names = ("ada", "ben", "cai", "dara")
    dice = random.Random(7)

    async def work(name: str) -> None:
        therapist = a_therapist(name, seats_offered=2)
        async with database.transaction() as tx:
            await store.save_therapist(tx, therapist)
        for _ in range(6):
            request_id = await a_request_with_a_seat(database, therapist)
            async with database.transaction() as tx:
                await store.save_therapist(tx, replace(therapist, fee_pence=dice.randrange(1, 20_000)))
            async with database.transaction() as tx:
                await store.free_seat(tx, request_id, "test")

    async def tell(while_: asyncio.Future[Any]) -> None:
        while not while_.done():
            await tell_others(database, HOURS)
            clock.move(timedelta(days=1))

    # Twice each, side by side: rows of one therapist are changed from two places at once, and told meanwhile.
    working = asyncio.gather(*(work(name) for name in names * 2))
    await asyncio.gather(working, tell(working))
    await tell_others(database, HOURS)
    told = environment(settings)
    async with running(*RELAY, environment=told | {"ATTUNE_FAILPOINT": "relay.after_send"}) as killed:
        assert await killed.ended() == -signal.SIGKILL
    async with running(*RELAY, environment=told):
        await eventually(lambda: _drained(database), within=60, what="the outbox was drained")

    records = await Streams(settings.kafka_url, topic_prefix).read(DIRECTORY)
    once = {record.event_id: record for record in records}
    assert len(records) > len(once)
    async with database.transaction() as tx:
        for therapist in await store.therapists(tx):
            about = [each for each in once.values() if each.key == str(therapist.id).encode()]
            assert [each.version for each in about] == list(range(1, len(about) + 1))
            assert [each.type for each in about].count(TherapistListed.type) == 1
            assert about[0].type == TherapistListed.type
            assert _entry(about[-1]) == public_entry(therapist)


async def said(database: Database) -> list[tuple[str, str, list[str] | None]]:
    """What was laid in the outbox: about whom, what, and which fields."""
    rows = await database.pool.fetch(
        "SELECT key, header_names, header_values, payload FROM outbox WHERE payload IS NOT NULL ORDER BY id"
    )
    return [
        (
            row["key"].decode(),
            dict(zip(row["header_names"], row["header_values"], strict=True))[b"ce_type"].decode(),
            json.loads(row["payload"]).get("changed"),
        )
        for row in rows
    ]


async def _drained(database: Database) -> bool:
    return not await database.pool.fetchval("SELECT count(*) FROM outbox")


def _entry(record: Seen) -> DirectoryEntry:
    return DirectoryEntry.model_validate_json(json.dumps(record.document["entry"]))
