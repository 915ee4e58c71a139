"""Hands rows to Kafka and says which it took, which it refused, and when the producer is spent."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from shared.kit.kafka import Kafka
from shared.kit.relay.rows import Row

SEND_SECONDS = 30.0
START_SECONDS = 20.0
STOP_SECONDS = 5.0
REQUEST_MS = 15_000

_NO_SUCH_TOPIC = (InvalidTopicError, TopicAuthorizationFailedError, UnknownTopicOrPartitionError)


class Spent(Exception):
    """A send failed: the producer's sequence has a hole, so it must be replaced; nothing may be deleted."""


class TooLargeTogether(Spent):
    """Kafka found a batch too large; sent one by one, the row to blame shows itself."""


@dataclass(slots=True)
class Sent:
    """What became of a window of rows."""

    taken: list[Row] = field(default_factory=list)
    refused: dict[str, list[Row]] = field(default_factory=dict)
    """Rows that are not taken as things stand, by reason; what is too large never will be."""

    def refuse(self, reason: str, rows: Sequence[Row]) -> None:
        """Adds rows that are not taken."""
        self.refused.setdefault(reason, []).extend(rows)


@asynccontextmanager
async def producing(kafka: Kafka, service: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that keeps order and writes each record once, for as long as nothing goes wrong."""
    producer = AIOKafkaProducer(
        **kafka.client_arguments(),
        client_id=f"attune-{service}-relay",
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        linger_ms=5,
        max_batch_size=262_144,
        max_request_size=1_048_576,
        request_timeout_ms=REQUEST_MS,
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            await producer.start()
        yield producer
    finally:
        await _stop(producer)


async def send(producer: AIOKafkaProducer, kafka: Kafka, rows: Sequence[Row]) -> Sent:
    """Sends a window in order and waits for all of it; raises Spent unless every answer is known.

    No row is too large for the client, as the outbox takes none that would be; a topic may take less.
    """
    sent = Sent()
    pending: list[tuple[Row, asyncio.Future[Any]]] = []
    closed: set[str] = set()
    try:
        async with asyncio.timeout(SEND_SECONDS):
            for row in rows:
                if row.stream in closed:
                    continue
                try:
                    future = await producer.send(
                        kafka.topic(row.stream), value=row.payload, key=row.key, headers=list(row.headers)
                    )
                except _NO_SUCH_TOPIC as error:
                    closed.add(row.stream)
                    same = [each for each in rows if each.stream == row.stream and each.id >= row.id]
                    sent.refuse(_topic_reason(error), same)
                else:
                    pending.append((row, future))
            answers = await asyncio.gather(*(future for _, future in pending), return_exceptions=True)
    except (TimeoutError, KafkaError, OSError) as error:
        # It may be delivered all the same; the inbox of whoever hears it twice takes care of that.
        raise Spent(type(error).__name__) from error
    for (row, _), answer in zip(pending, answers, strict=True):
        _weigh(row, answer, sent, alone=len(rows) == 1)
    return sent


def _weigh(row: Row, answer: Any, sent: Sent, *, alone: bool) -> None:
    match answer:
        case MessageSizeTooLargeError() | RecordListTooLargeError():
            if not alone:
                raise TooLargeTogether(type(answer).__name__) from answer
            sent.refuse("too_large", [row])
        case InvalidTopicError() | TopicAuthorizationFailedError() | UnknownTopicOrPartitionError():
            sent.refuse(_topic_reason(answer), [row])
        case BaseException():
            raise Spent(type(answer).__name__) from answer
        case _:
            sent.taken.append(row)


def _topic_reason(error: Exception) -> str:
    return "not_allowed" if isinstance(error, TopicAuthorizationFailedError) else "no_such_topic"


async def _stop(producer: AIOKafkaProducer) -> None:
    """Stops a producer for certain: with a batch in hand and no broker, its own stop would wait for ever."""
    with suppress(TimeoutError, KafkaError, OSError):
        async with asyncio.timeout(STOP_SECONDS):
            await producer.stop()
            return
    # Left alone, its sender would go on and deliver old rows whenever the broker comes back.
    with suppress(TimeoutError, KafkaError, OSError, asyncio.CancelledError):
        async with asyncio.timeout(STOP_SECONDS):
            await producer._sender.close()
    with suppress(TimeoutError, KafkaError, OSError):
        async with asyncio.timeout(STOP_SECONDS):
            await producer.client.close()
