"""A service starts only with what it needs, says how it is, ends when it is stuck and stops without loss."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from prometheus_client import CollectorRegistry

from deploy.local.processes import free_port
from shared.kit.database import Database
from shared.kit.health import Health
from shared.kit.keyring import Keyring
from shared.kit.metrics import Metrics
from shared.kit.settings import KitSettings
from shared.kit.testing import eventually
from tests.support.builders import a_case, a_request
from tests.support.environment import environment
from tests.support.marks import PROBE, PROPOSALS, REQUESTS, up
from tests.support.processes import running
from tests.support.raw import raw
from tests.support.streams import Streams


async def test_kafka_down_at_start_ends_the_process_after_a_bounded_wait(
    database: Database, settings: KitSettings
) -> None:
    nowhere = environment(settings) | {
        "KAFKA_URL": f"127.0.0.1:{free_port()}",
        "STARTUP_WAIT_SECONDS": "2",
    }

    async with running(*PROBE, environment=nowhere) as process:
        assert await process.ended() == 1

    assert "did not answer within 2 s" in process.output


async def test_a_database_down_at_start_ends_the_process_after_a_bounded_wait(settings: KitSettings) -> None:
    nowhere = environment(settings) | {
        "DATABASE_URL": f"postgresql://nobody:a-password@127.0.0.1:{free_port()}/nothing",
        "STARTUP_WAIT_SECONDS": "2",
    }

    async with running(*PROBE, environment=nowhere) as process:
        assert await process.ended() == 1

    assert "the database at 127.0.0.1:" in process.output
    assert " did not answer within 2 s: ConnectionRefusedError" in process.output
    assert "a-password" not in process.output


async def test_topics_that_are_missing_are_named_with_what_to_do(
    database: Database, settings: KitSettings
) -> None:
    hurried = environment(settings) | {"STARTUP_WAIT_SECONDS": "3"}

    async with running(*PROBE, environment=hurried) as process:
        assert await process.ended() == 1

    assert "python -m shared.kit topics apply" in process.output
    assert REQUESTS in process.output


async def test_a_database_that_was_not_migrated_is_named_with_what_to_do(
    settings: KitSettings, make_database: Callable[[str], Awaitable[str]]
) -> None:
    empty = environment(settings) | {"DATABASE_URL": await make_database("empty")}

    async with running(*PROBE, environment=empty) as process:
        assert await process.ended() == 1

    assert "run `python -m services.probe migrate`" in process.output


@pytest.mark.usefixtures("topics")
async def test_a_consumer_that_makes_no_progress_takes_its_process_down(
    database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    hanging = a_request(details=a_case(in_own_words="hang"))
    await streams.send(REQUESTS, [await raw(hanging, keyring)])
    impatient = environment(settings) | {"STUCK_AFTER_SECONDS": "2", "GRACEFUL_SECONDS": "1"}

    async with running(*PROBE, environment=impatient) as process:
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

    async with running(*PROBE, environment=environment(settings)) as process:
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
        running(*PROBE, environment=given) as process,
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
async def test_what_is_for_operators_is_served_at_their_port_alone(
    database: Database, settings: KitSettings
) -> None:
    port, operators = free_port(), free_port()
    given = environment(settings) | {"HTTP_PORT": str(port), "OPERATOR_PORT": str(operators)}

    async with running(*PROBE, environment=given) as process, httpx.AsyncClient() as client:
        await up(process)

        async def answer(at: int, path: str, **headers: str) -> int:
            return (await client.get(f"http://127.0.0.1:{at}{path}", headers=headers)).status_code

        assert [await answer(operators, path) for path in ("/metrics", "/live")] == [200, 200]
        assert [await answer(port, path) for path in ("/metrics", "/live")] == [404, 200]
        for path in ("//metrics", "/%6detrics", "/metrics?at=9000", "/live/../metrics"):
            assert await answer(port, path) == 404
        assert await answer(port, "/metrics", host=f"127.0.0.1:{operators}") == 404
        assert await answer(port, "/metrics", **{"x-forwarded-port": str(operators)}) == 404


@pytest.mark.usefixtures("topics")
async def test_a_port_for_operators_that_another_has_ends_the_process(
    database: Database, settings: KitSettings
) -> None:
    port = free_port()
    given = environment(settings) | {"HTTP_PORT": str(port), "OPERATOR_PORT": str(port)}

    async with running(*PROBE, environment=given) as process:
        assert await process.ended() == 1

    assert "HTTP cannot be served" in process.output
