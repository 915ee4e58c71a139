"""What a service has said and Kafka has not taken yet; written in the transaction that made it true."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
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


async def say(tx: "Transaction", events: Sequence[Event]) -> list[UUID]:
    """Seals events, puts each in its envelope and lays them in the outbox, in order; returns their ids."""
    payloads = [await seal_event(event, tx.keys) for event in events]
    versions = await _next_versions(tx, [event.key for event in events])
    outgoing: list[Outgoing] = []
    told: list[UUID] = []
    for event, payload, version in zip(events, payloads, versions, strict=True):
        said = _enveloped(tx, event, payload, version)
        outgoing.append(said)
        told.append(said.event_id)
        if event.is_last:
            # Behind it, so that whoever reads on has heard; Kafka then forgets all that it kept of the thing.
            outgoing.append(replace(said, event_id=new_id(), payload=None, headers=()))
    await lay(tx, outgoing)
    return told


async def lay(tx: "Transaction", outgoing: Sequence[Outgoing]) -> None:
    """Lays finished records in the outbox, in a few round trips however many they are."""
    if any(len(each.payload or b"") > PAYLOAD_LIMIT for each in outgoing):
        raise Rejected("event_too_large")
    await tx.executemany(
        """
        INSERT INTO outbox (event_id, stream, key, payload, header_names, header_values)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        [
            (
                each.event_id,
                each.stream,
                each.key,
                each.payload,
                [name.encode() for name, _ in each.headers],
                [value for _, value in each.headers],
            )
            for each in outgoing
        ],
    )


async def wake_relay(connection: "Connection") -> None:
    """Wakes the relay when this transaction commits; once per transaction, as commits queue behind it."""
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)


def _enveloped(tx: "Transaction", event: Event, payload: bytes, version: int) -> Outgoing:
    cause, trace = (tx.cause, current.get()) if event.tells_cause else (None, None)
    envelope = Envelope(
        id=new_id(),
        type=event.type,
        source=f"/attune/{tx.service}",
        subject=str(event.key),
        time=tx.now,
        dataschema=f"urn:attune:schema:{event.type}",
        traceparent=child_of(trace if cause is None else cause.traceparent),
        causation_id=cause.id if cause is not None else None,
        aggregate_version=version,
    )
    key = str(event.key).encode()
    return Outgoing(envelope.id, event.stream, key, payload, tuple(envelope.headers()))


async def _next_versions(tx: "Transaction", keys: Sequence[UUID]) -> list[int]:
    wanted = Counter(keys)
    # Rows stay locked until commit, so that what is said about one thing enters the outbox in order. They are
    # taken in one order, so that two who speak about the same things wait for each other and not both.
    rows = await tx.fetch(
        """
        INSERT INTO aggregates (id, version)
        SELECT id, wanted FROM unnest($1::uuid[], $2::bigint[]) AS asked (id, wanted) ORDER BY id
        ON CONFLICT (id) DO UPDATE SET version = aggregates.version + excluded.version
        RETURNING id, version
        """,
        list(wanted),
        list(wanted.values()),
    )
    following = {row["id"]: row["version"] - wanted[row["id"]] for row in rows}
    versions = []
    for key in keys:
        following[key] += 1
        versions.append(following[key])
    return versions
