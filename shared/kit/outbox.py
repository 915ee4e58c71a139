"""What a service has said and Kafka has not taken yet; written in the transaction that made it true."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from shared.contract.envelope import Envelope
from shared.contract.event import Event
from shared.kit.errors import Rejected
from shared.kit.identifiers import new_id
from shared.kit.keyring.sealing import seal_event
from shared.kit.records import Header
from shared.kit.tracing import child_of, current

if TYPE_CHECKING:
    from shared.kit.transaction import Connection, Transaction

CHANNEL = "outbox"
PAYLOAD_LIMIT = 900_000
"""Kafka's brokers take messages of 1 MiB; this leaves room for headers."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record on its way to Kafka."""

    event_id: UUID
    stream: str
    key: bytes
    payload: bytes | None
    headers: tuple[Header, ...]


async def say(tx: "Transaction", event: Event) -> UUID:
    """Seals an event, puts it in its envelope and lays it in the outbox; returns its id."""
    payload = await seal_event(event, tx.keys)
    version = await _next_version(tx, event.request_id)
    envelope = Envelope(
        id=new_id(),
        type=event.type,
        source=f"/attune/{tx.service}",
        subject=str(event.request_id),
        time=tx.now,
        dataschema=f"urn:attune:schema:{event.type}",
        traceparent=child_of(tx.cause.traceparent if tx.cause is not None else current.get()),
        causation_id=tx.cause.id if tx.cause is not None else None,
        aggregate_version=version,
    )
    key = str(event.request_id).encode()
    await lay(tx, Outgoing(envelope.id, event.stream, key, payload, tuple(envelope.headers())))
    return envelope.id


async def lay(tx: "Transaction", outgoing: Outgoing) -> None:
    """Lays a finished record in the outbox."""
    if outgoing.payload is not None and len(outgoing.payload) > PAYLOAD_LIMIT:
        raise Rejected("event_too_large")
    await tx.execute(
        """
        INSERT INTO outbox (event_id, stream, key, payload, header_names, header_values)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        outgoing.event_id,
        outgoing.stream,
        outgoing.key,
        outgoing.payload,
        [name.encode() for name, _ in outgoing.headers],
        [value for _, value in outgoing.headers],
    )


async def wake_relay(connection: "Connection") -> None:
    """Wakes the relay when this transaction commits; once per transaction, as commits queue behind it."""
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)


async def _next_version(tx: "Transaction", request_id: UUID) -> int:
    # The row stays locked until commit, so that what is said about one request enters the outbox in order.
    version: int = await tx.fetchval(
        """
        INSERT INTO aggregates (id, version) VALUES ($1, 1)
        ON CONFLICT (id) DO UPDATE SET version = aggregates.version + 1
        RETURNING version
        """,
        request_id,
    )
    return version
