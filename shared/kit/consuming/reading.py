"""What a record turns out to be: an event to handle, one for others, of an erased person, or faulty."""

import json
import math
from dataclasses import dataclass
from uuid import UUID

from pydantic import ValidationError

from shared.contract.catalogue import EVENTS
from shared.contract.envelope import Envelope, MalformedEnvelope, decoded
from shared.contract.event import Event
from shared.kit.consuming.verdicts import Reason
from shared.kit.errors import KeyDestroyed
from shared.kit.handlers import Bound, React, Receive
from shared.kit.keyring.boxes import BoxBroken
from shared.kit.keyring.sealing import Keys, open_event
from shared.kit.outbox import PAYLOAD_LIMIT
from shared.kit.records import Record, untrusted_identity


@dataclass(frozen=True, slots=True)
class Heard:
    """An event that this service answers."""

    record: Record
    envelope: Envelope
    event: Event
    react: React


@dataclass(frozen=True, slots=True)
class Untrusted:
    """A raw record from outside, for the function that receives whatever comes."""

    record: Record
    identity: UUID
    cause: Envelope | None
    receive: Receive


@dataclass(frozen=True, slots=True)
class ForOthers:
    """An event that this service does not answer."""

    record: Record


@dataclass(frozen=True, slots=True)
class Erased:
    """An event of a person whose keys are destroyed."""

    record: Record
    identity: UUID


@dataclass(frozen=True, slots=True)
class Faulty:
    """A record that will never work, with the reason; `identity` if it says which event it is."""

    record: Record
    reason: str
    identity: UUID | None = None
    event_type: str | None = None
    error_class: str | None = None
    attempts: int = 1
    was_heard: bool = False
    """It could be read and failed later: the inbox remembers it, and another copy is a duplicate."""

    confidential: bool = False
    """It came from outside and may hold personal data in clear."""

    @property
    def alarming(self) -> bool:
        """Whether it may mean that this service is not well.

        What outsiders send says nothing of that, and neither does a type of which a newer build speaks.
        """
        outside = self.confidential and not self.was_heard
        return not outside and self.reason != Reason.UNKNOWN_TYPE


Reading = Heard | Untrusted | ForOthers | Erased | Faulty


_FORGETTING = frozenset(event.stream for event in EVENTS.values() if event.is_last)


class _Unreadable(Exception):
    def __init__(self, reason: Reason, envelope: Envelope | None = None) -> None:
        self.reason = reason
        self.envelope = envelope


async def read(record: Record, handlers: Bound, keys: Keys) -> Reading:  # noqa: PLR0911 - a table
    """Reads a record; raises only what may pass, such as a keyring that is away."""
    if not record.decodable:
        return Faulty(record, Reason.BAD_HEADER, confidential=record.topic in handlers.untrusted)
    receive = handlers.untrusted.get(record.topic)
    if receive is not None:
        return Untrusted(record, untrusted_identity(record), _cause(record), receive)
    if record.value is None and record.topic in _FORGETTING:
        # It follows the last event about something, and is for Kafka.
        return ForOthers(record)
    try:
        envelope, value = _unwrapped(record)
        event_type = _known_type(envelope, record.topic)
        react = handlers.events.get(envelope.type)
        if react is None:
            return ForOthers(record)
        event = await _opened(event_type, envelope, value, keys)
    except _Unreadable as fault:
        said = fault.envelope
        return Faulty(record, fault.reason, said.id if said else None, said.type if said else None)
    except KeyDestroyed:
        return Erased(record, envelope.id)
    return Heard(record, envelope, event, react)


def _unwrapped(record: Record) -> tuple[Envelope, bytes]:
    if record.value is None:
        raise _Unreadable(Reason.TOMBSTONE)
    if len(record.value) > PAYLOAD_LIMIT:
        raise _Unreadable(Reason.TOO_LARGE)
    try:
        decoded(record.headers)
    except MalformedEnvelope:
        raise _Unreadable(Reason.BAD_HEADER) from None
    try:
        envelope = Envelope.from_headers(record.headers)
    except MalformedEnvelope:
        raise _Unreadable(Reason.BAD_ENVELOPE) from None
    if record.key != envelope.subject.encode():
        raise _Unreadable(Reason.BAD_ENVELOPE, envelope)
    return envelope, record.value


def _known_type(envelope: Envelope, stream: str) -> type[Event]:
    event_type = EVENTS.get(envelope.type)
    if event_type is None:
        raise _Unreadable(Reason.UNKNOWN_TYPE, envelope)
    if event_type.stream != stream:
        raise _Unreadable(Reason.BAD_ENVELOPE, envelope)
    return event_type


async def _opened(event_type: type[Event], envelope: Envelope, value: bytes, keys: Keys) -> Event:
    try:
        document = json.loads(value.decode("utf-8"), parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        raise _Unreadable(Reason.BAD_JSON, envelope) from None
    if not isinstance(document, dict):
        raise _Unreadable(Reason.BAD_SCHEMA, envelope)
    try:
        event = await open_event(event_type, document, keys)
    except ValidationError:
        raise _Unreadable(Reason.BAD_SCHEMA, envelope) from None
    except BoxBroken:
        raise _Unreadable(Reason.BAD_SEAL, envelope) from None
    if envelope.subject != str(event.key):
        raise _Unreadable(Reason.BAD_ENVELOPE, envelope)
    return event


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("not a number that JSON has")
    return value


def _cause(record: Record) -> Envelope | None:
    try:
        return Envelope.from_headers(record.headers)
    except MalformedEnvelope:
        return None
