"""What is published about the contract is generated from the models and is true to them."""

import json

import jsonschema
import pytest

from shared.contract import publishing
from shared.contract.catalogue import EVENTS
from shared.contract.event import Event
from shared.contract.sealing import sealed_fields
from shared.contract.submission import Submission
from tests.support.builders import a_submission, one_of_each

SEALED = {"kid": "01936c3f-0000-7000-8000-000000000001", "box": "AAAA"}


def test_the_committed_schemas_and_asyncapi_are_what_the_models_say() -> None:
    assert publishing.differences() == []


@pytest.mark.parametrize("event", one_of_each(), ids=lambda event: event.type)
def test_an_event_on_the_wire_fits_its_published_schema(event: Event) -> None:
    wire = json.loads(event.model_dump_json()) | dict.fromkeys(sealed_fields(type(event)), SEALED)

    jsonschema.validate(wire, _schema(event.type))


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


def _schema(event_type: str) -> dict[str, object]:
    schema: dict[str, object] = json.loads((publishing.SCHEMAS / f"{event_type}.json").read_text())
    return schema
