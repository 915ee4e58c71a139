"""What was said reaches Kafka: all of it, in order per request, whoever relays and whoever freezes."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID, uuid4

import pytest
from prometheus_client import CollectorRegistry

from shared.contract.ids import RequestId
from shared.kit.database import Database
from shared.kit.kafka import Kafka
from shared.kit.metrics import Metrics
from shared.kit.outbox import Outgoing, lay
from shared.kit.relay import Relay
from shared.kit.relay.rows import drop, parked
from shared.kit.settings import KitSettings
from shared.kit.testing import eventually
from tests.support.builders import a_request, a_withdrawal, id_of
from tests.support.environment import environment
from tests.support.processes import running
from tests.support.streams import Streams, first_heard

STREAM = "intake.requests"
CreateTopics = Callable[..., Awaitable[None]]


@asynccontextmanager
async def relaying(
    settings: KitSettings, poll_seconds: float = 0.2, retry_seconds: float = 60
) -> AsyncIterator[Relay]:
    relay = Relay(
        url=settings.database_url.get_secret_value(),
        kafka=Kafka.of(settings),
        service="probe",
        metrics=Metrics(CollectorRegistry()),
        poll_seconds=poll_seconds,
        retry_seconds=retry_seconds,
    )
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def say(database: Database, requests: Iterable[UUID], times: int) -> None:
    """Says `times` events about each request, all requests at once."""

    async def about(request_id: UUID) -> None:
        withdrawal = a_withdrawal(a_request(request_id=RequestId(request_id)))
        for _ in range(times):
            async with database.transaction() as tx:
                await tx.publish(withdrawal)

    await asyncio.gather(*(about(request_id) for request_id in requests))


async def drained(database: Database, within: float = 60) -> None:
    async def empty() -> bool:
        return not await database.pool.fetchval("SELECT count(*) FROM outbox WHERE parked_at IS NULL")

    await eventually(empty, within, what="the outbox was drained")


async def drained_but(database: Database, rows: int) -> None:
    async def so_many() -> bool:
        return bool(await database.pool.fetchval("SELECT count(*) FROM outbox") == rows)

    await eventually(so_many, within=60, what=f"the outbox was drained but for {rows}")


async def test_what_is_said_wakes_the_relay_from_a_long_sleep(
    database: Database, settings: KitSettings, create_topics: CreateTopics
) -> None:
    await create_topics([STREAM])

    async with relaying(settings, poll_seconds=300):
        await say(database, [id_of("first")], 1)
        await drained(database)
        # It has looked and found nothing more, so it sleeps for five minutes now.
        await say(database, [id_of("second")], 1)
        await drained(database, within=30)


async def test_order_per_request_holds_through_the_relay(
    database: Database, settings: KitSettings, create_topics: CreateTopics, streams: Streams
) -> None:
    await create_topics([STREAM])
    requests = [uuid4() for _ in range(12)]

    async with relaying(settings):
        await say(database, requests, times=20)
        await drained(database)

    records = await streams.read(STREAM)
    assert len(records) == 240
    assert first_heard(records) == {str(each): list(range(1, 21)) for each in requests}


async def test_order_and_completeness_hold_across_changes_of_leader(
    database: Database, settings: KitSettings, create_topics: CreateTopics, streams: Streams
) -> None:
    await create_topics([STREAM])
    requests = [uuid4() for _ in range(8)]

    async with relaying(settings) as first, relaying(settings) as second:
        saying = asyncio.create_task(say(database, requests, times=60))
        for _ in range(3):
            leader = await eventually(
                lambda: next((each for each in (first, second) if each.leads), None), within=30
            )
            await database.pool.execute(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'attune-probe-relay'
                """
            )
            await eventually(partial(_stepped_down, leader), within=30)
        await saying
        await drained(database)

    assert first_heard(await streams.read(STREAM)) == {str(each): list(range(1, 61)) for each in requests}


@pytest.mark.parametrize("step", ["relay.after_select", "relay.after_send"])
async def test_a_leader_frozen_with_rows_in_hand_is_replaced_and_does_no_harm_when_it_wakes(
    step: str, database: Database, settings: KitSettings, create_topics: CreateTopics, streams: Streams
) -> None:
    await create_topics([STREAM])
    requests = [uuid4() for _ in range(4)]
    await say(database, requests, times=5)
    freezing = environment(settings) | {"ATTUNE_FAILPOINT": f"{step}:stop"}

    async with running("-m", "tests.support.relay", environment=freezing) as frozen:
        await eventually(lambda: frozen.frozen, within=30, what="the leader froze")
        async with relaying(settings) as standby:
            await say(database, requests, times=20)
            await eventually(lambda: standby.leads, within=40, what="the standby took over")
            await drained(database)
            frozen.send(signal.SIGCONT)
            await say(database, requests, times=20)
            await drained(database)
            await eventually(lambda: "the relay begins anew" in frozen.output, within=30)

    records = await streams.read(STREAM)
    # Both have sent what the first had in hand.
    assert len(records) == 4 * 45 + 4 * 5
    assert first_heard(records) == {str(each): list(range(1, 46)) for each in requests}


async def test_a_relay_killed_after_sending_repeats_itself_and_loses_nothing(
    database: Database, settings: KitSettings, create_topics: CreateTopics, streams: Streams
) -> None:
    await create_topics([STREAM])
    requests = [uuid4() for _ in range(3)]
    await say(database, requests, times=4)

    faulty = environment(settings) | {"ATTUNE_FAILPOINT": "relay.after_send"}
    async with running("-m", "tests.support.relay", environment=faulty) as relay:
        assert await relay.ended(within=30) == -signal.SIGKILL
    sent_before = len(await streams.read(STREAM))
    async with relaying(settings):
        await drained(database)

    records = await streams.read(STREAM)
    assert sent_before == 12
    assert len(records) == 24
    assert first_heard(records) == {str(each): [1, 2, 3, 4] for each in requests}


async def test_what_kafka_refuses_is_parked_and_its_request_waits_while_others_go_on(
    database: Database, settings: KitSettings, create_topics: CreateTopics, streams: Streams
) -> None:
    await create_topics([STREAM])
    stuck, free = str(uuid4()).encode(), str(uuid4()).encode()

    async def lay_in_outbox(stream: str, key: bytes, name: str) -> None:
        async with database.transaction() as tx:
            await lay(tx, [Outgoing(id_of(name), stream, key, b"{}", ())])

    await lay_in_outbox("no.such-topic", stuck, "refused")
    await lay_in_outbox("no.such-topic", stuck, "behind it")
    await lay_in_outbox(STREAM, free, "free")
    async with relaying(settings, retry_seconds=1):
        await drained(database, within=90)
        [first, *_] = await eventually(lambda: parked(database.pool), within=60)
        assert first["parked_reason"] == "no_such_topic"
        assert [record.key for record in await streams.read(STREAM)] == [free]

        # Mended, it goes on by itself.
        await create_topics(["no.such-topic"])

        async def nothing_parked() -> bool:
            return not await parked(database.pool)

        await eventually(nothing_parked, within=30)
        await drained(database)

    assert [record.key for record in await streams.read("no.such-topic")] == [stuck, stuck]


async def test_a_row_too_large_for_its_topic_is_found_among_others_and_stays_until_it_is_dropped(
    database: Database, settings: KitSettings, create_topics: CreateTopics, streams: Streams
) -> None:
    await create_topics([STREAM], partitions=1, config={"max.message.bytes": "4000"})
    rows = [(b"a", b"1"), (b"b", os.urandom(8000)), (b"b", b"2"), (b"c", b"3")]
    async with database.transaction() as tx:
        await lay(
            tx,
            [
                Outgoing(id_of(f"row {place}"), STREAM, key, payload, ())
                for place, (key, payload) in enumerate(rows)
            ],
        )

    async with relaying(settings, retry_seconds=0.2):
        [large] = await eventually(lambda: parked(database.pool), within=60)
        await drained_but(database, 2)
        # It is not for want of a topic or a right, so it is not tried again.
        assert large["parked_reason"] == "too_large"
        assert {record.value for record in await streams.read(STREAM)} == {b"1", b"3"}

        assert await drop(database.pool, large["id"])
        await drained(database)

    assert {record.value for record in await streams.read(STREAM)} == {b"1", b"2", b"3"}


async def test_a_relay_that_is_asked_to_stop_sends_what_is_there(
    database: Database,
    settings: KitSettings,
    create_topics: CreateTopics,
    streams: Streams,
) -> None:
    await create_topics([STREAM])
    requests = [uuid4() for _ in range(5)]

    async with running("-m", "tests.support.relay", environment=environment(settings)) as relay:
        await eventually(lambda: "leads the relay" in relay.output, within=30)
        await say(database, requests, times=40)
        relay.send(signal.SIGTERM)
        assert await relay.ended(within=40) == 0

    assert await database.pool.fetchval("SELECT count(*) FROM outbox") == 0
    assert first_heard(await streams.read(STREAM)) == {str(each): list(range(1, 41)) for each in requests}


def _stepped_down(relay: Relay) -> bool:
    return not relay.leads
