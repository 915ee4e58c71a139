"""Kafka goes away while a service runs: its doors stay open, what was accepted waits, then all goes on."""

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from deploy.local.processes import free_port
from shared.contract import intake
from shared.kit import topics
from shared.kit.database import Database
from shared.kit.kafka import Kafka
from shared.kit.settings import KitSettings
from shared.kit.testing import eventually
from tests.support.broker import Outage, own_broker
from tests.support.builders import a_request, a_withdrawal
from tests.support.marks import (
    DEAD,
    PROBE,
    PROPOSALS,
    REQUESTS,
    as_probe,
    effects,
    happened,
    outbox_empty,
    up,
)
from tests.support.processes import running
from tests.support.streams import Streams, first_heard

STUCK_SECONDS = 15


@pytest.mark.parametrize("outage", Outage)
async def test_kafka_lost_while_running_costs_time_and_nothing_else(
    outage: Outage, database: Database, settings: KitSettings, tmp_path: Path
) -> None:
    said: list[intake.RequestSubmitted] = []

    async def say(number: int) -> None:
        for _ in range(number):
            request = a_request()
            async with database.transaction() as tx:
                await tx.publish(request)
                await tx.publish(a_withdrawal(request))
            said.append(request)

    async with own_broker(tmp_path / "kafka") as broker:
        there = settings.model_copy(update={"kafka_url": broker.url})
        await topics.apply(
            Kafka.of(there), [topics.Topic(stream, 3, 1, {}) for stream in (REQUESTS, PROPOSALS, DEAD)]
        )
        port = free_port()
        impatient = as_probe(
            there,
            HTTP_PORT=str(port),
            STUCK_AFTER_SECONDS=str(STUCK_SECONDS),
            UNASSIGNED_AFTER_SECONDS=str(STUCK_SECONDS),
        )
        async with (
            running(*PROBE, environment=impatient) as process,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client,
        ):

            async def health() -> tuple[int, str]:
                assert process.running, process.output
                answer = await client.get("/ready")
                return answer.status_code, answer.json()["status"]

            async def well() -> bool:
                return await health() == (200, "ready")

            await up(process)
            await eventually(well, within=30, what="it was well")
            await say(5)
            await happened(database, said)

            async with broker.away(outage):
                long_enough = time.monotonic() + 1.5 * STUCK_SECONDS
                give_up = time.monotonic() + 90
                while (found := await health()) != (200, "degraded") or time.monotonic() < long_enough:
                    assert found[0] == 200
                    assert time.monotonic() < give_up, "it never said that something has to wait"
                    await say(1)
                    await asyncio.sleep(0.2)
                assert len(await effects(database)) < len(said)

            await say(5)
            await happened(database, said, within=120, process=process)
            await outbox_empty(database, within=60)
            await eventually(well, within=60, what="it was well again")
            assert process.running

        streams = Streams(there.kafka_url, there.kafka_topic_prefix)
        versions = first_heard(await streams.read(REQUESTS))
        answers = await streams.read(PROPOSALS)

    assert versions == {str(request.request_id): [1, 2] for request in said}
    assert len({answer.event_id for answer in answers}) == len(said)
    marks = await database.pool.fetch("SELECT request_id, what FROM effects ORDER BY id")
    for request in said:
        told = [mark["what"] for mark in marks if mark["request_id"] == request.request_id]
        assert told == ["submitted", "withdrawn"]
