"""A service starts only with what it needs, says how it is, ends when it is stuck and stops without loss."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from prometheus_client import CollectorRegistry

from deploy.local.processes import free_port
from shared.kit import settings as kit_settings
from shared.kit.database import Database
from shared.kit.health import Health
from shared.kit.keyring import Keyring
from shared.kit.metrics import Metrics
from shared.kit.settings import DatabaseSettings, KitSettings, load
from shared.kit.testing import eventually
from tests.support.builders import a_case, a_request
from tests.support.environment import environment
from tests.support.marks import DEAD, PROPOSALS, REQUESTS, up
from tests.support.processes import running
from tests.support.raw import raw
from tests.support.streams import Streams

PROBE = ("-m", "tests.support.probe")
CreateTopics = Callable[..., Awaitable[None]]


@pytest.fixture
async def topics(create_topics: CreateTopics) -> None:
    await create_topics([REQUESTS, PROPOSALS, DEAD], partitions=1)


async def test_kafka_down_at_start_ends_the_process_after_a_bounded_wait(
    database: Database, settings: KitSettings
) -> None:
    nowhere = environment(settings) | {
        "KAFKA_URL": f"127.0.0.1:{free_port()}",
        "STARTUP_WAIT_SECONDS": "2",
    }

    async with running(*PROBE, "run", environment=nowhere) as process:
        assert await process.ended() == 1

    assert "did not answer within 2 s" in process.output


async def test_a_database_down_at_start_ends_the_process_after_a_bounded_wait(settings: KitSettings) -> None:
    nowhere = environment(settings) | {
        "DATABASE_URL": f"postgresql://nobody:a-password@127.0.0.1:{free_port()}/nothing",
        "STARTUP_WAIT_SECONDS": "2",
    }

    async with running(*PROBE, "run", environment=nowhere) as process:
        assert await process.ended() == 1

    assert "the database did not answer within 2 s" in process.output
    assert "a-password" not in process.output


async def test_topics_that_are_missing_are_named_with_what_to_do(
    database: Database, settings: KitSettings
) -> None:
    hurried = environment(settings) | {"STARTUP_WAIT_SECONDS": "3"}

    async with running(*PROBE, "run", environment=hurried) as process:
        assert await process.ended() == 1

    assert "python -m shared.kit topics apply" in process.output
    assert REQUESTS in process.output


async def test_a_database_that_was_not_migrated_is_named_with_what_to_do(
    settings: KitSettings, make_database: Callable[[str], Awaitable[str]]
) -> None:
    empty = environment(settings) | {"DATABASE_URL": await make_database("empty")}

    async with running(*PROBE, "run", environment=empty) as process:
        assert await process.ended() == 1

    assert "run `python -m services.probe migrate`" in process.output


async def test_all_missing_settings_are_named_at_once() -> None:
    async with running(*PROBE, "run", environment={}) as process:
        assert await process.ended() == 2

    for name in ("KAFKA_URL", "DATABASE_URL", "KEYRING_URL", "SEALING_KEY_CONTACT", "HTTP_PORT"):
        assert f"{name} is missing" in process.output
    assert "Traceback" not in process.output


async def test_a_wrong_setting_is_named_with_its_rule_and_without_its_value(settings: KitSettings) -> None:
    wrong = environment(settings) | {"SEALING_KEY_CONTACT": "dG9vLXNob3J0", "KAFKA_URL": "no-port"}

    async with running(*PROBE, "run", environment=wrong) as process:
        assert await process.ended() == 2

    assert "SEALING_KEY_CONTACT must be the base64 of exactly 32 bytes" in process.output
    assert "KAFKA_URL must be host:port" in process.output
    assert "dG9vLXNob3J0" not in process.output


@pytest.mark.usefixtures("topics")
async def test_a_consumer_that_makes_no_progress_takes_its_process_down(
    database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    hanging = a_request(details=a_case(in_own_words="hang"))
    await streams.send(REQUESTS, [await raw(hanging, keyring)])
    impatient = environment(settings) | {"STUCK_AFTER_SECONDS": "2", "GRACEFUL_SECONDS": "1"}

    async with running(*PROBE, "run", environment=impatient) as process:
        assert await process.ended() > 0

    assert "a handler has given no sign of life for 2 s" in process.output
    assert await streams.committed(f"probe.{REQUESTS}", REQUESTS) in ({}, {0: 0})


def a_health(database: Database, stopping: asyncio.Event, noted: dict[str, str]) -> Health:
    return Health(
        pool=database.pool,
        relay=cast(Any, SimpleNamespace(well=True)),
        subscriptions=(),
        metrics=Metrics(CollectorRegistry()),
        failure=lambda: None,
        stopping=stopping,
        noted=noted,
    )


async def test_what_a_worker_notes_as_waiting_is_told_while_it_does_and_keeps_no_door_shut(
    database: Database,
) -> None:
    noted: dict[str, str] = {}
    health = a_health(database, asyncio.Event(), noted)

    noted["somebody"] = "has waited for too long"
    meanwhile = health.troubles()
    noted.clear()

    assert meanwhile == {"somebody": "has waited for too long"}
    assert await health.wrongs() == health.troubles() == {}


async def test_the_doors_are_said_to_shut_as_soon_as_the_end_is_called_for(database: Database) -> None:
    stopping = asyncio.Event()
    health = a_health(database, stopping, {})
    before = await health.wrongs()

    stopping.set()

    assert before == {}
    assert await health.wrongs() == {"service": "is stopping"}


@pytest.mark.usefixtures("topics")
async def test_sigterm_finishes_what_is_in_flight_and_leaves_nothing_uncommitted(
    database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    slow = [a_request(details=a_case(in_own_words="slow")) for _ in range(10)]
    await streams.send(REQUESTS, [await raw(request, keyring) for request in slow])

    async with running(*PROBE, "run", environment=environment(settings)) as process:
        await up(process)

        async def begun() -> bool:
            working = (
                "SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND relation = 'effects'::regclass"
            )
            return bool(await database.pool.fetchval(working))

        await eventually(begun, within=30, what="a handler was at work")
        process.send(signal.SIGTERM)
        assert await process.ended() == 0

    done = await database.pool.fetchval("SELECT count(*) FROM effects")
    assert done == 10
    assert await streams.committed(f"probe.{REQUESTS}", REQUESTS) == {0: done}
    assert await database.pool.fetchval("SELECT count(*) FROM outbox") == 0
    assert len(await streams.read(PROPOSALS)) == done


@pytest.mark.usefixtures("topics")
async def test_a_service_says_how_it_is(
    database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    port = free_port()
    given = environment(settings) | {"HTTP_PORT": str(port)}

    async with (
        running(*PROBE, "run", environment=given) as process,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        await up(process)

        async def ready() -> bool:
            return (await client.get("/ready")).status_code == 200

        await eventually(ready, within=30, what="it said that it is ready")
        assert (await client.get("/live")).json() == {"status": "live"}
        await streams.send(REQUESTS, [await raw(a_request(), keyring)])

        async def counted() -> bool:
            metrics = (await client.get("/metrics")).text
            return 'attune_consumed_total{outcome="handled",stream="intake.requests"} 1.0' in metrics

        await eventually(counted, within=30, what="the event was counted")
        nothing = await client.get("/nothing-here?name=Maya")
        assert nothing.status_code == 404
        assert nothing.headers["content-type"].startswith("application/problem+json")
        assert "default-src" in nothing.headers["content-security-policy"]
        declared = await client.post("/nothing-here", content=b"x" * (settings.http_body_limit + 1))
        assert declared.status_code == 413
        assert declared.json()["detail"] == f"a request may have at most {settings.http_body_limit} bytes"

    assert "Maya" not in process.output
    assert all(json.loads(line) for line in process.output.splitlines())


@pytest.mark.usefixtures("topics")
async def test_dead_letters_are_listed_shown_replayed_and_discarded_by_command(
    database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    mended, hopeless = a_request(), a_request(details=a_case(in_own_words="refuse"))
    early = await raw(mended, keyring)
    await streams.send(REQUESTS, [await raw(hopeless, keyring)])
    async with running(*PROBE, "run", environment=environment(settings) | {"HANDLER_TRIES": "1"}) as process:
        await up(process)
        await database.pool.execute("ALTER TABLE effects RENAME TO effects_away")
        await streams.send(REQUESTS, [early])

        async def two_parked() -> bool:
            return bool(await database.pool.fetchval("SELECT count(*) = 2 FROM dead_letters"))

        await eventually(two_parked, within=30)
    await database.pool.execute("ALTER TABLE effects_away RENAME TO effects")

    async def command(*arguments: str) -> tuple[int, str]:
        async with running(*PROBE, "dead-letters", *arguments, environment=environment(settings)) as run:
            return await run.ended(), run.output

    _, listed = await command("list", "--json")
    letters = {letter["reason"]: letter for letter in json.loads(listed)}
    assert set(letters) == {"refused_by_probe", "handler_failed"}
    _, shown = await command("show", letters["handler_failed"]["id"])
    assert "handler_failed" in shown
    assert "Maya" not in shown

    code, _ = await command("replay", letters["handler_failed"]["id"])
    assert code == 0
    assert await database.pool.fetchval("SELECT request_id FROM effects") == mended.request_id
    code, _ = await command("replay", letters["refused_by_probe"]["id"])
    assert code != 0
    code, _ = await command("discard", letters["refused_by_probe"]["id"])
    assert code == 0
    _, left = await command("list", "--json")
    assert json.loads(left) == []
    kept = await database.pool.fetch("SELECT status, value, cycle FROM dead_letters ORDER BY parked_at")
    assert [(row["status"], row["value"], row["cycle"]) for row in kept] == [
        ("discarded", None, 1),
        ("replayed", None, 1),
    ]


async def test_what_kafka_refuses_for_ever_is_listed_released_and_dropped_by_command(
    database: Database, settings: KitSettings
) -> None:
    async with database.transaction() as tx:
        for _ in range(3):
            await tx.publish(a_request())
    one, other, free = (row["id"] for row in await database.pool.fetch("SELECT id FROM outbox ORDER BY id"))
    await database.pool.execute(
        "UPDATE outbox SET parked_at = now(), parked_reason = 'too_large' WHERE id <> $1", free
    )

    async def command(*arguments: str) -> tuple[int, str]:
        async with running(*PROBE, "outbox", *arguments, environment=environment(settings)) as run:
            return await run.ended(), run.output

    _, listed = await command("parked", "--json")
    assert [(row["id"], row["parked_reason"]) for row in json.loads(listed)] == [
        (str(one), "too_large"),
        (str(other), "too_large"),
    ]
    assert await command("drop", str(free)) == (1, f"row {free} is not parked\n")
    assert await command("drop", str(one)) == (0, f"row {one} dropped\n")
    assert await command("release") == (0, "1 rows released\n")
    left = await database.pool.fetch("SELECT id, parked_at, parked_reason FROM outbox ORDER BY id")
    assert [tuple(row) for row in left] == [(other, None, None), (free, None, None)]


async def test_secrets_are_read_from_files_and_a_variable_goes_before_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit_settings, "SECRETS", tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (tmp_path / "database_url").write_text("postgresql://file\n")

    assert load(DatabaseSettings).database_url.get_secret_value() == "postgresql://file"
    monkeypatch.setenv("DATABASE_URL", "postgresql://variable")
    assert load(DatabaseSettings).database_url.get_secret_value() == "postgresql://variable"


async def test_help_teaches_the_commands() -> None:
    async with running(*PROBE, "--help", environment={}) as process:
        assert await process.ended() == 0

    for word in ("run", "migrate", "dead-letters", "outbox"):
        assert word in process.output
