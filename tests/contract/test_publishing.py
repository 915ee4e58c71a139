"""What is published about the contract is generated from the models and is true to them."""

import json
import re
from typing import Any
from uuid import uuid4

import jsonschema
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, to_binary_event, to_structured_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from deploy.local.demo.doors import envelope
from services.intake.domain import unwrap
from shared.contract import publishing
from shared.contract.catalogue import EVENTS
from shared.contract.event import Event
from shared.contract.sealing import sealed_fields
from shared.contract.submission import Submission
from tests.support.builders import a_submission
from tests.support.every_event import one_of_each
from tests.support.raw import headers

SEALED = {"kid": "01936c3f-0000-7000-8000-000000000001", "box": "AAAA"}


def _message(name: str) -> dict[str, Any]:
    messages: dict[str, Any] = json.loads(publishing.ASYNCAPI.read_text())["components"]["messages"]
    found: dict[str, Any] = messages[name]
    return found


def a_partners_event() -> CloudEvent:
    """A submission as a partner's CloudEvents library has it, with no more than it must."""
    attributes = {
        "id": str(uuid4()),
        "type": Submission.type,
        "source": "https://gp.example",
        "specversion": "1.0",
        "datacontenttype": "application/json",
    }
    return CloudEvent(attributes=attributes, data=a_submission())


def test_the_committed_schemas_and_asyncapi_are_what_the_models_say() -> None:
    assert publishing.differences() == []


@pytest.mark.parametrize("event", one_of_each(), ids=lambda event: event.type)
def test_an_event_on_the_wire_fits_its_published_schema(event: Event) -> None:
    wire = json.loads(event.model_dump_json())
    wire |= {name: SEALED for name in sealed_fields(type(event)) if wire[name] is not None}

    jsonschema.validate(wire, _schema(event.type))


def test_what_may_be_left_unsaid_may_be_null_on_the_wire_and_nothing_else_that_is_sealed() -> None:
    nullable = {
        (event.__name__, name)
        for event in EVENTS.values()
        for name in sealed_fields(event)
        if {"type": "null"} in _schema(event.type)["properties"][name].get("anyOf", [])
    }

    assert nullable == {
        ("MatchConfirmed", "beside"),
        ("MatchConfirmed", "reason"),
        ("MatchConfirmed", "variant"),
        ("RematchRequested", "reason"),
        ("SeatReserved", "group"),
        ("SeatReserved", "meets"),
        ("SeatUnavailable", "members"),
    }


@pytest.mark.parametrize(
    "event", [event for event in one_of_each() if sealed_fields(type(event))], ids=lambda event: event.type
)
def test_an_event_in_clear_does_not_fit_its_published_schema(event: Event) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(json.loads(event.model_dump_json()), _schema(event.type))


def test_a_partners_submission_fits_the_published_schema() -> None:
    jsonschema.validate(a_submission(), _schema(Submission.type))


def test_a_typo_in_a_submission_does_not_fit_the_published_schema() -> None:
    with pytest.raises(jsonschema.ValidationError, match="consents"):
        jsonschema.validate(a_submission(consents={}), _schema(Submission.type))


def test_asyncapi_names_every_stream_and_every_message() -> None:
    document = json.loads(publishing.ASYNCAPI.read_text())

    assert document["asyncapi"] == "3.0.0"
    assert {message["name"] for message in document["components"]["messages"].values()} == {
        *EVENTS,
        Submission.type,
    }
    assert set(document["channels"]) == {event.stream for event in EVENTS.values()} | {Submission.stream}


@pytest.mark.parametrize("event", one_of_each(), ids=lambda event: event.type)
def test_the_headers_of_an_event_fit_asyncapi(event: Event) -> None:
    sent = {name: (value or b"").decode() for name, value in headers(event)}

    jsonschema.validate(sent, _message(type(event).__name__)["headers"])


def test_only_of_events_that_tell_their_cause_does_asyncapi_say_so() -> None:
    told = {
        name: "ce_causationid" in message["headers"]["properties"]
        for name, message in json.loads(publishing.ASYNCAPI.read_text())["components"]["messages"].items()
    }

    tell = {event.__name__ for event in EVENTS.values() if event.tells_cause}
    assert {name for name, tells in told.items() if tells} == tell
    assert {event.__name__ for event in EVENTS.values()} - tell == {
        "TherapistListed", "TherapistChanged", "TherapistRemoved",
    }  # fmt: skip


def test_what_the_demos_partner_sends_fits_asyncapi() -> None:
    jsonschema.validate(envelope("a-1", "https://gp.example"), _message("Submission")["headers"])


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (to_binary_event(a_partners_event(), JSONFormat()), "Submission"),
        (to_structured_event(a_partners_event(), JSONFormat()), "SubmissionStructured"),
    ],
    ids=["binary", "structured"],
)
def test_what_a_cloudevents_library_sends_fits_asyncapi_and_intake_alike(
    message: KafkaMessage, name: str
) -> None:
    described = _message(name)

    jsonschema.validate({key: value.decode() for key, value in message.headers.items()}, described["headers"])
    jsonschema.validate(json.loads(message.value or b""), _whole(described["payload"]["schema"]))
    assert unwrap(message.headers.items(), message.value).faults == []


@pytest.mark.parametrize("name", _message("Submission")["headers"]["required"])
def test_intake_requires_every_header_that_asyncapi_requires_of_a_partner(name: str) -> None:
    message = to_binary_event(a_partners_event(), JSONFormat())
    without = [pair for pair in message.headers.items() if pair[0] != name]

    assert [fault.field for fault in unwrap(without, message.value).faults] == [name]


def _whole(schema: Any) -> Any:
    """A payload's schema with what it refers to in its place."""
    if isinstance(schema, dict):
        reference = re.fullmatch(r"schemas/(.+)\.json", str(schema.get("$ref", "")))
        return _schema(reference[1]) if reference else {key: _whole(each) for key, each in schema.items()}
    return schema


def _schema(event_type: str) -> dict[str, Any]:
    schema: dict[str, object] = json.loads((publishing.SCHEMAS / f"{event_type}.json").read_text())
    return schema
