"""A record as Kafka brought it, before anybody has looked inside."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

Header = tuple[str, bytes | None]

UNDECODABLE = "undecodable-offsets"
"""The one header of what stands in for a record that no client can read: which offsets it stands for."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `topic` is the stream's name, without the prefix of the environment."""

    topic: str
    partition: int
    offset: int
    timestamp: datetime
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]
    decodable: bool = True
    """False if the client could not take it out of its batch: then only its place is known."""

    def __repr__(self) -> str:
        return f"Record({self.topic}/{self.partition}/{self.offset})"

    @property
    def position(self) -> tuple[str, int, int]:
        """Where it lies; unique within an environment."""
        return self.topic, self.partition, self.offset

    def header(self, name: str) -> bytes | None:
        """The last header of that name."""
        return next((value for key, value in reversed(self.headers) if key == name), None)


def from_kafka(raw: Any, stream: str) -> Record:
    """A record of aiokafka's as ours."""
    return Record(
        topic=stream,
        partition=raw.partition,
        offset=raw.offset,
        timestamp=datetime.fromtimestamp(max(raw.timestamp, 0) / 1000, UTC),
        key=raw.key,
        value=raw.value,
        headers=tuple((name, value) for name, value in raw.headers or ()),
        decodable=not getattr(raw, "undecodable", False),
    )


def untrusted_identity(record: Record) -> UUID:
    """What makes an untrusted record the same as an earlier one: its place in the topic, and its time.

    Not what it says of itself: a mended submission may come under the id of the one that was refused, and
    nobody may silence another by using up ids. Whether a second sending says anything new is for the service
    to judge.
    """
    # The time, because a topic that was made anew begins again at the same places.
    when = record.timestamp.isoformat()
    return uuid5(NAMESPACE_URL, f"kafka\n{record.topic}\n{record.partition}\n{record.offset}\n{when}")
