"""Ties consumers to Kafka; the only place that says when an offset is committed.

FastStream polls, and commits after `take` has returned. What follows from its ways of working:
- NACK_ON_ERROR per subscriber and one worker: every other policy commits past something that failed.
- The parser shows FastStream no headers, and the decoder hands the records through: nothing can fail before
  our code, and no `reply_to` of a sender is obeyed.
- `take` raises only after it has waited: a nack is a seek, and the batch comes again at once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared.kit.consuming.careful import CarefulConsumer
from shared.kit.consuming.progress import Membership
from shared.kit.consuming.stream import StreamConsumer
from shared.kit.kafka import Kafka
from shared.kit.logs import LibraryLogger
from shared.kit.records import from_kafka

BATCH = 100
POLL_MS = 100
LEAVE_SECONDS = 5.0


class Subscription:
    """One consumer at its topic."""

    def __init__(self, broker: KafkaBroker, kafka: Kafka, consumer: StreamConsumer) -> None:
        self.consumer = consumer

        async def take(records: tuple[Any, ...]) -> None:
            await consumer.take([from_kafka(raw, consumer.stream) for raw in records])

        self._subscriber = broker.subscriber(
            kafka.topic(consumer.stream),
            group_id=kafka.group(consumer.name),
            ack_policy=AckPolicy.NACK_ON_ERROR,
            batch=True,
            max_records=BATCH,
            batch_timeout_ms=POLL_MS,
            no_reply=True,
            auto_offset_reset="earliest",
            session_timeout_ms=kafka.session_ms,
            heartbeat_interval_ms=min(3000, kafka.session_ms // 3),
            partition_assignment_strategy=(RoundRobinPartitionAssignor,),
            listener=Membership(consumer.name, consumer.progress),
        )
        self._subscriber(take)

    @property
    def alive(self) -> bool:
        """Whether a task is polling."""
        return any(not task.done() for task in self._subscriber.tasks)

    async def look(self) -> dict[int, int]:
        """Notes where the consumer stands; returns how many records it has to go, by partition."""
        kafka_consumer: Any = self._subscriber.consumer
        if kafka_consumer is None or not self.consumer.progress.joined:
            return {}
        lag: dict[int, int] = {}
        for place in kafka_consumer.assignment():
            self.consumer.progress.fetched_at(place.partition, kafka_consumer.last_poll_timestamp(place))
            end = kafka_consumer.highwater(place)
            if end is None:
                continue
            position = await kafka_consumer.position(place)
            self.consumer.progress.seen_at(place.partition, position, end)
            lag[place.partition] = max(0, end - position)
        return lag

    async def stop(self, graceful: float) -> None:
        """Lets the batch in hand finish, within a bound, and leaves the group.

        A consumer that is still being let into its group would otherwise wait for that before it leaves.
        """
        bound = LEAVE_SECONDS + (graceful if self.consumer.progress.busy else 0)
        with suppress(TimeoutError):
            async with asyncio.timeout(bound):
                await self._subscriber.stop()


def make_broker(kafka: Kafka, service: str, graceful_seconds: float) -> KafkaBroker:
    """FastStream's broker, for consuming only."""
    return KafkaBroker(
        # A list: a string with commas would be taken for one host.
        list(kafka.servers),
        client_id=f"attune-{service}",
        consumer_only=True,
        allow_auto_create_topics=False,
        graceful_timeout=graceful_seconds,
        security=kafka.faststream_security(),
        parser=_without_headers,
        decoder=_records,
        apply_types=False,
        logger=LibraryLogger(),
        log_level=logging.DEBUG,
    )


async def start(broker: KafkaBroker) -> None:
    """Starts the broker's subscribers with the careful client."""
    await broker.connect()
    # FastStream has no setting for the class of its clients.
    config: Any = broker.config.broker_config
    config.builder = partial(CarefulConsumer, **config.builder.keywords)
    await broker.start()


def subscribe(broker: KafkaBroker, kafka: Kafka, consumers: Iterable[StreamConsumer]) -> list[Subscription]:
    """One subscriber per stream, each in a group of its own."""
    return [Subscription(broker, kafka, consumer) for consumer in consumers]


async def _without_headers(batch: tuple[Any, ...], original: Callable[[Any], Awaitable[Any]]) -> Any:
    message = await original(tuple(replace(record, headers=()) for record in batch))
    message.raw_message = batch
    return message


async def _records(message: Any) -> Any:
    return message.raw_message
