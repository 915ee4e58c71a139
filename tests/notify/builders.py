"""Notify as its tests handle it: told events one by one, sending when asked to."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from services.notify import store
from services.notify.domain.jobs import Answer, Status
from services.notify.handlers import Sender, handlers
from services.notify.handlers.writing import Desk
from services.notify.settings import Settings
from services.notify.store import Message
from shared.contract import matching
from shared.contract.catalogue import EVENTS
from shared.contract.envelope import Envelope
from shared.contract.event import Event
from shared.contract.intake import RequestSubmitted
from shared.contract.sealing import Purpose, sealed_fields
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.handlers import Provided
from shared.kit.testing import eventually
from tests.support.builders import a_confirmation, a_proposal, a_seat
from tests.support.processes import Process
from tests.support.streams import Seen

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
THERAPIST = "ada.fernsby@therapists.example"
CLIENT = "maya.okafor-lind@example.com"


def a_match(request: RequestSubmitted) -> matching.SeatReserved:
    """The seat of the therapist whom a reviewer confirmed."""
    return a_seat(a_confirmation(a_proposal(request)))


def a_cause(event: Event) -> Envelope:
    """The envelope that an event came in."""
    return Envelope(
        id=uuid4(),
        type=event.type,
        source="/attune/test",
        subject=str(event.key),
        time=NOON,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )


@dataclass(slots=True)
class Office:
    """The handlers and a sender on a real database."""

    database: Database
    settings: Settings
    desk: Desk
    clock: MovableClock

    async def hear(self, event: Event, cause: Envelope | None = None) -> Envelope:
        """Handles one event in a transaction of its own, without what notify may not open."""
        cause = cause if cause is not None else a_cause(event)
        bound = handlers.bind(Provided([self.desk, self.settings]))
        async with self.database.transaction(cause) as tx:
            await bound.events[event.type](without_clinical_fields(event), tx)
        return cause

    def sender(self, **changes: Any) -> Sender:
        """A sender, as one of several there may be."""
        return Sender(self.database, self.settings.model_copy(update=changes))

    async def send_all(self) -> list[Answer]:
        """Sends what is due, until nothing is."""
        sender, answers = self.sender(), list[Answer]()
        try:
            while (answer := await sender.send_next()) is not None:
                answers.append(answer)
        finally:
            await sender.close()
        return answers

    def later(self, **by: float) -> None:
        """Moves the time on."""
        self.clock.move(timedelta(**by))

    async def messages(self) -> list[Message]:
        """Every message, in the order they were called for."""
        async with self.database.transaction() as tx:
            return (await store.list_messages(tx, None, 1000))[::-1]

    async def statuses(self) -> list[tuple[str, Status]]:
        """What became of every message so far, by kind."""
        return [(message.kind.value, message.status) for message in await self.messages()]

    async def said(self) -> list[Event]:
        """What notify has said so far, in its order."""
        return [event for _, event in await self.said_with_causes()]

    async def fates(self) -> list[type]:
        """The types of what notify has said so far."""
        return [type(event) for event in await self.said()]

    async def said_with_causes(self) -> list[tuple[Envelope, Event]]:
        """What notify has said, each with its envelope."""
        rows = await self.database.pool.fetch(
            "SELECT payload, header_names, header_values FROM outbox ORDER BY id"
        )
        said = []
        for row in rows:
            names = [name.decode() for name in row["header_names"]]
            envelope = Envelope.from_headers(zip(names, row["header_values"], strict=True))
            said.append(
                (envelope, EVENTS[envelope.type].model_validate_json(json.dumps(json.loads(row["payload"]))))
            )
        return said


def without_clinical_fields(event: Event) -> Event:
    """The event as a service without the clinical key sees it."""
    withheld = [name for name, purpose in sealed_fields(type(event)).items() if purpose is Purpose.CLINICAL]
    return event.model_copy(update=dict.fromkeys(withheld))


NOTIFY = ("-m", "services.notify")
STREAMS = ("intake.requests", "matching.proposals", "review.cases", "notify.messages", "notify.dead-letters")


async def up(process: Process) -> None:
    """Waits until a started service is up."""
    await eventually(lambda: "the service is up" in process.output, within=60, what="the service came up")


def events_of(seen: list[Seen]) -> list[Event]:
    """What lies in a stream, as events; notify seals nothing of what it says."""
    return [EVENTS[each.type].model_validate_json(each.value or b"") for each in seen]
