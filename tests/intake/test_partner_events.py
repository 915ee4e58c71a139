"""What partners put on Kafka, unwrapped; nothing they send makes it fail."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain import identities, unwrap
from shared.contract.submission import TYPE
from tests.intake.builders import a_document

SOURCE = "https://gp.example/brick-lane"
HEADERS: dict[str, bytes | None] = {
    "ce_specversion": b"1.0",
    "ce_id": b"a-1",
    "ce_source": SOURCE.encode(),
    "ce_type": TYPE.encode(),
    "content-type": b"application/json; charset=utf-8",
}
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=utf-8")]


def binary(changes: dict[str, bytes | None], without: str = "") -> dict[str, str]:
    headers = [(name, value) for name, value in (HEADERS | changes).items() if name != without]
    return {fault.field: fault.rule for fault in unwrap(headers, b"{}").faults}


def structured(changes: dict[str, Any]) -> bytes:
    envelope = {"specversion": "1.0", "id": "a-1", "source": SOURCE, "type": TYPE, "data": a_document()}
    return json.dumps({name: value for name, value in (envelope | changes).items() if value != "-"}).encode()


def test_binary_mode_is_read() -> None:
    event = unwrap(list(HEADERS.items()), b"{}")

    assert (event.id, event.source, event.body, event.faults) == ("a-1", SOURCE, b"{}", [])


def test_structured_mode_is_read() -> None:
    event = unwrap(STRUCTURED, structured({}))

    assert (event.id, event.source, event.faults) == ("a-1", SOURCE, [])
    assert event.body is not None
    assert json.loads(event.body) == a_document()


def test_structured_mode_may_carry_its_data_as_base64() -> None:
    event = unwrap(STRUCTURED, structured({"data": "-", "data_base64": base64.b64encode(b"{}").decode()}))

    assert (event.body, event.faults) == (b"{}", [])


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"ce_specversion": b"0.3"}, "ce_specversion", "must be 1.0"),
        ({"ce_type": b"attune.partner.search-request.v9"}, "ce_type", f"must be {TYPE}"),
        ({"ce_id": None}, "ce_id", "must not be null"),
        ({"ce_id": b"\xff\xfe"}, "ce_id", "must be encoded in UTF-8"),
        ({"ce_id": b""}, "ce_id", "printable ASCII"),
        ({"ce_source": b"x" * 201}, "ce_source", "1 to 200"),
        ({"ce_source": None}, "ce_source", "must not be null"),
        ({"content-type": b"text/xml"}, "content-type", "must be application/json"),
        ({"content-type": None}, "content-type", "must not be null"),
    ],
)
def test_a_faulty_header_is_named(changes: dict[str, bytes | None], field: str, rule: str) -> None:
    faults = binary(changes)

    assert list(faults) == [field]
    assert rule in faults[field]


@pytest.mark.parametrize("name", list(HEADERS))
def test_a_missing_header_is_named(name: str) -> None:
    assert binary({}, without=name) == {name: "is required"}


def test_headers_that_are_nobodys_business_are_passed_over() -> None:
    assert binary({"b3": None, "x-trace": b"\xff"}) == {}


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"source": "-"}, "source", "is required"),
        ({"id": 7}, "id", "must be text"),
        ({"data": "-"}, "data", "must be an object"),
        ({"data": [1]}, "data", "must be an object"),
        ({"data": "-", "data_base64": "%%%"}, "data_base64", "must be base64"),
        ({"datacontenttype": "text/xml"}, "datacontenttype", "must be application/json"),
    ],
)
def test_a_faulty_attribute_is_named(changes: dict[str, Any], field: str, rule: str) -> None:
    faults = {fault.field: fault.rule for fault in unwrap(STRUCTURED, structured(changes)).faults}

    assert rule in faults[field]


@pytest.mark.parametrize("headers", [STRUCTURED, list(HEADERS.items())])
def test_a_record_without_a_value_is_a_fault(headers: list[tuple[str, bytes | None]]) -> None:
    assert [fault.field for fault in unwrap(headers, None).faults] == ["body"]


def test_a_batch_is_refused_by_name() -> None:
    assert "content-type" in binary({"content-type": b"application/cloudevents-batch+json"})


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*HEADERS, "b3"]) | st.text(max_size=8), st.none() | st.binary(max_size=30)
        ),
        max_size=8,
    ),
    st.none() | st.binary(max_size=100),
)
def test_any_record_can_be_unwrapped(headers: list[tuple[str, bytes | None]], value: bytes | None) -> None:
    event = unwrap(headers, value)

    assert event.faults or (event.id and event.source and event.body is not None)


def test_an_id_is_the_same_each_time_and_differs_by_door_key_and_partner() -> None:
    ids = {
        identities.by_reference("gp", "1"),
        identities.by_reference("eap", "1"),
        identities.by_reference("gp", "2"),
        identities.by_event("gp", "1"),
        identities.by_idempotency_key("gp", "1"),
        identities.of_rejection("gp", "1"),
    }

    assert len(ids) == 6
    assert identities.by_reference("gp", "1") in ids
