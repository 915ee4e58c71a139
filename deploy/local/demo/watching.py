"""An independent listener on every topic, which writes down who said what, and when."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from deploy.local.faults import StackFault

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Said:
    """One event as it lies in a topic."""

    stream: str
    type: str
    id: str
    request_id: str
    cause_id: str | None
    time: datetime
    """When its service says that it became true."""

    heard: datetime
    """When it was read here: by then it had been committed and published."""

    body: dict[str, Any]
    parked: str = ""
    """Why a service could not handle it, if it lies in that service's dead letters."""

    @property
    def name(self) -> str:
        """The event's name, such as `match-proposed`."""
        return self.type.split(".")[-2] if self.type.count(".") > 1 else self.type

    @property
    def service(self) -> str:
        """Who said it."""
        return self.type.split(".")[1] if self.type.startswith("attune.") else "?"


class Listener:
    """Reads all topics from the beginning, as a member of no group."""

    def __init__(self, servers: str, streams: Iterable[str]) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=servers, auto_offset_reset="earliest", enable_auto_commit=False
        )
        self._streams = list(streams)
        self._more = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self.said: list[Said] = []

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        await self._consumer._client.force_metadata_update()
        places = [
            TopicPartition(stream, partition)
            for stream in self._streams
            for partition in self._consumer.partitions_for_topic(stream) or ()
        ]
        self._consumer.assign(places)
        self._task = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._consumer.stop()

    async def until(self, find: Callable[[list[Said]], T | None], within: float) -> T | None:
        """What `find` makes of all that was said, as soon as it makes something; None after the time."""
        try:
            async with asyncio.timeout(within), self._more:
                while (found := find(self.said)) is None:
                    await self._more.wait()
                    if self._task is not None and self._task.done():
                        raise StackFault("the demo's own listener on Kafka has ended")
                return found
        except TimeoutError:
            return None

    async def _listen(self) -> None:
        try:
            async for record in self._consumer:
                async with self._more:
                    self.said.append(_said(record))
                    self._more.notify_all()
        finally:
            async with self._more:
                self._more.notify_all()


def _said(record: "ConsumerRecord[bytes, bytes]") -> Said:
    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}
    try:
        body = json.loads(record.value or b"{}")
    except ValueError:
        body = {}
    stamped = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    return Said(
        stream=record.topic,
        type=headers.get("ce_type", ""),
        id=headers.get("ce_id", ""),
        request_id=(record.key or b"").decode("utf-8", "replace"),
        cause_id=headers.get("ce_causationid"),
        time=datetime.fromisoformat(headers["ce_time"]) if "ce_time" in headers else stamped,
        heard=datetime.now(UTC),
        body=body if isinstance(body, dict) else {},
        parked=headers.get("dlq-reason", ""),
    )
