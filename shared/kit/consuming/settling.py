"""Settles one reading inside a transaction: heard once, answered, or parked."""

from enum import StrEnum, auto
from uuid import UUID

from structlog.contextvars import bound_contextvars

from shared.kit import dead_letters, inbox
from shared.kit.consuming.reading import Erased, Faulty, ForOthers, Heard, Reading, Untrusted
from shared.kit.consuming.verdicts import Reason
from shared.kit.errors import NotYet, Rejected
from shared.kit.inbox import Remembered
from shared.kit.metrics import Metrics
from shared.kit.transaction import Transaction


class Outcome(StrEnum):
    """What became of a record."""

    HANDLED = auto()
    DUPLICATE = auto()
    FOR_OTHERS = auto()
    ERASED = auto()
    PARKED = auto()


async def settle(reading: Reading, tx: Transaction, consumer: str, metrics: Metrics) -> Outcome:  # noqa: PLR0911
    """Does what a reading asks for, unless it was done before."""
    match reading:
        case ForOthers():
            return Outcome.FOR_OTHERS
        case Faulty():
            parked = await dead_letters.park(tx, consumer, reading)
            return Outcome.PARKED if parked else Outcome.DUPLICATE
        case Erased():
            first = await inbox.claim(tx, consumer, reading.identity, Remembered.ERASED)
            return Outcome.ERASED if first else Outcome.DUPLICATE
        case Heard():
            if not await inbox.claim(tx, consumer, reading.envelope.id, Remembered.HANDLED):
                return Outcome.DUPLICATE
            with (
                bound_contextvars(
                    event_id=str(reading.envelope.id),
                    event_type=reading.envelope.type,
                    **{reading.event.keyed_by: reading.envelope.subject},
                ),
                metrics.handling.labels(reading.envelope.type).time(),
            ):
                await _answered(reading, tx)
            return Outcome.HANDLED
        case Untrusted():
            if not await inbox.claim(tx, consumer, reading.identity, Remembered.HANDLED):
                return Outcome.DUPLICATE
            with metrics.handling.labels(reading.record.topic).time():
                await reading.receive(reading.record, tx.caused_by(reading.cause))
            return Outcome.HANDLED


async def _answered(heard: Heard, tx: Transaction) -> None:
    try:
        await heard.react(heard.event, tx.caused_by(heard.envelope))
    except NotYet:
        if await dead_letters.lie_open(tx, heard.envelope.subject):
            # What it waits for may be among them, and that comes no sooner than a person sees to it.
            raise Rejected(Reason.NOT_YET) from None
        raise


def identity(reading: Reading) -> UUID | None:
    """Which event a reading is, as the inbox knows it."""
    match reading:
        case Heard():
            return reading.envelope.id
        case ForOthers():
            return None
        case _:
            return reading.identity


def event_type(reading: Reading) -> str | None:
    """The type that a reading claims to be of."""
    match reading:
        case Heard():
            return reading.envelope.type
        case Faulty():
            return reading.event_type
        case _:
            return None
