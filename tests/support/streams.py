"""An independent pair of hands on Kafka: sends raw records and reads whole topics, without the kit."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

Header = tuple[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Seen:
    """One record as it lies in a topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]

    def header(self, name: str) -> str | None:
        """A header as text."""
        value = dict(self.headers).get(name)
        return None if value is None else value.decode()

    @property
    def event_id(self) -> UUID:
        """The CloudEvents id."""
        return UUID(self.header("ce_id") or "")

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return self.header("ce_type") or ""

    @property
    def version(self) -> int:
        """What the producer counted for this request."""
        return int(self.header("ce_aggregateversion") or 0)

    @property
    def document(self) -> Any:
        """The value as JSON."""
        return json.loads(self.value or b"null")


class _NotText(str):
    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe"


class Streams:
    """Topics of one test, by stream name."""

    def __init__(self, servers: str, prefix: str) -> None:
        self._servers = servers.split(",")
        self._prefix = prefix

    async def send(
        self, stream: str, records: Iterable[tuple[bytes | None, bytes | None, Sequence[Header]]]
    ) -> None:
        """Sends records (key, value, headers) as they are, in order."""
        producer = AIOKafkaProducer(bootstrap_servers=self._servers, acks="all")
        await producer.start()
        try:
            for key, value, headers in records:
                await producer.send_and_wait(
                    self._prefix + stream, value=value, key=key, headers=list(headers)
                )
        finally:
            await producer.stop()

    async def send_unreadable(self, stream: str, partition: int = 0) -> None:
        """Sends a record with a header whose name is not UTF-8, as a client in another language can."""
        producer = AIOKafkaProducer(bootstrap_servers=self._servers, acks="all")
        await producer.start()
        try:
            batch = producer.create_batch()
            # The builder written in Python asks the name for its bytes; the compiled one reads the text.
            batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 1 << 20)
            batch.append(timestamp=None, key=b"k", value=b"{}", headers=[(_NotText("name"), b"value")])
            await (await producer.send_batch(batch, self._prefix + stream, partition=partition))
        finally:
            await producer.stop()

    async def read(self, *streams: str) -> list[Seen]:
        """Everything that lies in the streams at this moment, partition by partition."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._servers, auto_offset_reset="earliest", enable_auto_commit=False
        )
        await consumer.start()
        try:
            places = await self._places(*streams)
            if not places:
                return []
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            starts = await consumer.beginning_offsets(places)
            waiting = {place for place in places if ends[place] > starts[place]}
            seen: list[Seen] = []
            while waiting:
                for place, records in (await consumer.getmany(timeout_ms=500)).items():
                    seen += [
                        Seen(
                            record.topic.removeprefix(self._prefix),
                            record.partition,
                            record.offset,
                            record.key,
                            record.value,
                            tuple(record.headers),
                        )
                        for record in records
                        if record.offset < ends[place]
                    ]
                waiting = {place for place in waiting if await consumer.position(place) < ends[place]}
            return sorted(seen, key=lambda each: (each.topic, each.partition, each.offset))
        finally:
            await consumer.stop()

    async def committed(self, group: str, stream: str) -> dict[int, int]:
        """How far a group has committed, by partition."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._servers, group_id=self._prefix + group, enable_auto_commit=False
        )
        await consumer.start()
        try:
            places = await self._places(stream)
            found = {place.partition: await consumer.committed(place) for place in places}
            return {partition: offset for partition, offset in found.items() if offset is not None}
        finally:
            await consumer.stop()

    async def _places(self, *streams: str) -> list[TopicPartition]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers)
        await admin.start()
        try:
            topics = await admin.describe_topics([self._prefix + stream for stream in streams])
        finally:
            await admin.close()
        return [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in topics
            for partition in topic["partitions"]
        ]


def first_heard(records: list[Seen]) -> dict[str, list[int]]:
    """Per request the versions in the order in which an inbox would take them: repeats left out."""
    heard: dict[str, list[int]] = defaultdict(list)
    seen: set[UUID] = set()
    for record in records:
        if record.event_id not in seen:
            seen.add(record.event_id)
            heard[(record.key or b"").decode()].append(record.version)
    return heard
