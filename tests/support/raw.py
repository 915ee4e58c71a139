"""Events as they lie on Kafka, made without the kit's outbox, so that tests can repeat and damage them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from shared.contract.envelope import Envelope
from shared.contract.event import Event
from shared.kit.keyring import Keyring
from shared.kit.keyring.sealing import seal_event
from tests.support.streams import Header

Raw = tuple[bytes | None, bytes | None, list[Header]]


async def raw(event: Event, keyring: Keyring, **envelope: Any) -> Raw:
    """Key, value and headers of an event, as its producer would send it."""
    return (
        str(event.key).encode(),
        await seal_event(event, keyring),
        list(headers(event, **envelope)),
    )


def headers(event: Event, event_id: UUID | None = None, version: int = 1) -> list[Header]:
    """The envelope of an event."""
    return [
        *Envelope(
            id=event_id or uuid4(),
            type=event.type,
            source="/attune/test",
            subject=str(event.key),
            time=datetime.now(UTC),
            dataschema=f"urn:attune:schema:{event.type}",
            aggregate_version=version,
        ).headers()
    ]


def with_header(record: Raw, name: str, value: bytes | None) -> Raw:
    """The same record with one header replaced or added."""
    key, body, found = record
    return key, body, [*(pair for pair in found if pair[0] != name), (name, value)]
