"""A record is read by its envelope, and is about what its key says."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.contract.event import Event
from shared.contract.matching import DIRECTORY, SeatUnavailable, TherapistListed
from shared.kit.consuming.reading import Faulty, ForOthers, Heard, read
from shared.kit.consuming.verdicts import Reason
from shared.kit.handlers import Handlers, Provided
from shared.kit.keyring import Keyring
from shared.kit.records import Record
from shared.kit.transaction import Transaction
from tests.support.builders import a_confirmation, a_proposal, a_request, a_seat_gone, id_of
from tests.support.directory import a_listing
from tests.support.raw import raw

handlers = Handlers()


@handlers.on(TherapistListed)
async def keep(_event: TherapistListed, _tx: Transaction) -> None:
    """Nothing; reading is all that is tested."""


@handlers.on(SeatUnavailable)
async def reopen(_event: SeatUnavailable, _tx: Transaction) -> None:
    """Nothing; reading is all that is tested."""


BOUND = handlers.bind(Provided())


async def a_record(event: Event, keyring: Keyring) -> Record:
    key, value, headers = await raw(event, keyring)
    return Record(event.stream, 0, 0, datetime.now(UTC), key, value, tuple(headers))


async def test_a_record_at_which_a_stream_forgets_is_passed_over_and_one_elsewhere_is_not(
    keyring: Keyring,
) -> None:
    last = Record(DIRECTORY, 0, 0, datetime.now(UTC), str(id_of("ada")).encode(), None, ())

    assert await read(last, BOUND, keyring) == ForOthers(last)
    refused = await read(replace(last, topic="matching.proposals"), BOUND, keyring)
    assert isinstance(refused, Faulty)
    assert refused.reason == Reason.TOMBSTONE


@pytest.mark.parametrize(
    "event",
    [a_listing("ada"), a_seat_gone(a_confirmation(a_proposal(a_request())))],
    ids=lambda each: each.type,
)
async def test_an_event_is_about_what_its_class_is_keyed_by(event: Event, keyring: Keyring) -> None:
    record = await a_record(event, keyring)
    other = id_of("somebody else")
    forged = replace(
        record,
        key=str(other).encode(),
        headers=(
            *(each for each in record.headers if each[0] != "ce_subject"),
            ("ce_subject", str(other).encode()),
        ),
    )

    heard, refused = await read(record, BOUND, keyring), await read(forged, BOUND, keyring)

    assert isinstance(heard, Heard)
    assert heard.event == event
    assert str(event.key) == heard.envelope.subject
    assert isinstance(refused, Faulty)
    assert refused.reason == Reason.BAD_ENVELOPE
