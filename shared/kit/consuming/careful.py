"""A Kafka client that loses nothing when one record cannot be decoded."""

import asyncio
import random
import time
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError

from shared.kit.records import UNDECODABLE

PROBE_MS = 500
FETCH_SECONDS = 5.0
REWIND_SECONDS = 20.0


class Undecodable(ConsumerRecord):  # type: ignore[misc]
    """Stands in for a record that the client cannot decode, so that it can be parked and passed.

    The records behind it in the same batch, which are the same sender's, cannot be had either; its one header
    says which.
    """

    undecodable = True


class CarefulConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """Polls as aiokafka does, but survives what aiokafka does not.

    A record with a header whose name is not UTF-8 makes `getmany` raise, for ever; whatever it had taken from
    other partitions by then is passed over and never returned. As every batch is committed before the next is
    asked for, going back to what is committed brings all of it back; the culprit is then looked for alone.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._astray = False

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Any]]:
        """Records by partition, or an Undecodable alone."""
        if self._astray:
            await self._go_back()
        try:
            records: dict[TopicPartition, list[Any]] = await super().getmany(
                *partitions, timeout_ms=timeout_ms, max_records=max_records
            )
        except ConsumerStoppedError:
            raise
        except UnicodeDecodeError:
            await self._go_back()
            return await self._search(max_records)
        except KafkaError:
            self._astray = True
            raise
        return records

    async def _go_back(self) -> None:
        self._astray = True
        async with asyncio.timeout(REWIND_SECONDS):
            for place in self.assignment():
                try:
                    committed = await self.committed(place)
                    if committed is None:
                        await self.seek_to_beginning(place)
                    else:
                        self.seek(place, committed)
                except IllegalStateError:
                    # Given to another member meanwhile.
                    continue
        self._astray = False

    async def _search(self, max_records: int | None) -> dict[TopicPartition, list[Any]]:
        """Reads one partition at a time: what is well is returned, what is not is found."""
        places = list(self.assignment())
        # In any order: a busy partition must not keep the search from the others.
        random.shuffle(places)
        for place in places:
            try:
                found: dict[TopicPartition, list[Any]] = await super().getmany(
                    place, timeout_ms=PROBE_MS, max_records=max_records
                )
            except UnicodeDecodeError:
                return {place: await self._up_to_the_culprit(place, max_records or 1)}
            if found:
                return found
        return {}

    async def _up_to_the_culprit(self, place: TopicPartition, most: int) -> list[Any]:
        records: list[Any] = []
        while len(records) < most:
            try:
                async with asyncio.timeout(FETCH_SECONDS):
                    records.append(await self.getone(place))
            except TimeoutError:
                break
            except UnicodeDecodeError:
                if not records:
                    records.append(await self._pass(place))
                break
        return records

    async def _pass(self, place: TopicPartition) -> Undecodable:
        offset = await self.position(place)
        following = await self._next_decodable(place, offset + 1)
        self.seek(place, following)
        return Undecodable(
            topic=place.topic,
            partition=place.partition,
            offset=offset,
            timestamp=int(time.time() * 1000),
            timestamp_type=0,
            key=None,
            value=None,
            checksum=None,
            serialized_key_size=-1,
            serialized_value_size=-1,
            headers=((UNDECODABLE, f"{offset}-{following - 1}".encode()),),
        )

    async def _next_decodable(self, place: TopicPartition, offset: int) -> int:
        while offset < (self.highwater(place) or 0):
            self.seek(place, offset)
            try:
                async with asyncio.timeout(FETCH_SECONDS):
                    record = await self.getone(place)
            except UnicodeDecodeError:
                offset += 1
            except TimeoutError:
                break
            else:
                return int(record.offset)
        return offset
