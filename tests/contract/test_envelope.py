"""The envelope is CloudEvents 1.0 in Kafka's binary mode, and says which header is wrong."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from cloudevents.core.formats.json import JSONFormat

from shared.contract.envelope import Envelope, MalformedEnvelope

ENVELOPE = Envelope(
    id=UUID("01936c3f-0000-7000-8000-000000000001"),
    type="attune.intake.request-submitted.v1",
    source="/attune/intake",
    subject="7c0f8f57-2f2f-4f3e-9d4e-2f1d3b1c8f00",
    time=datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
    dataschema="urn:attune:schema:attune.intake.request-submitted.v1",
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    causation_id=UUID("01936c3f-0000-7000-8000-000000000002"),
    aggregate_version=3,
)


def with_header(name: str, value: bytes | None) -> list[tuple[str, bytes | None]]:
    kept: list[tuple[str, bytes | None]] = [pair for pair in ENVELOPE.headers() if pair[0] != name]
    return [*kept, (name, value)]


def test_what_is_written_is_read_back() -> None:
    assert Envelope.from_headers(ENVELOPE.headers()) == ENVELOPE


def test_the_cloudevents_sdk_reads_our_headers() -> None:
    message = KafkaMessage(headers=dict(ENVELOPE.headers()), key=None, value=b'{"request_id": "x"}')

    event: Any = from_binary_event(message, JSONFormat())

    assert event.get_id() == str(ENVELOPE.id)
    assert event.get_type() == ENVELOPE.type
    assert event.get_time() == ENVELOPE.time
    assert event.get_extension("causationid") == str(ENVELOPE.causation_id)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("ce_specversion", b"0.3", "ce_specversion must be 1.0"),
        ("ce_type", None, "header ce_type is null"),
        ("ce_source", b"\xff\xfe", "header ce_source is not UTF-8"),
        ("content-type", b"text/plain", "content-type must be application/json"),
        ("ce_id", b"not-a-uuid", "envelope field id"),
        ("ce_time", b"yesterday", "envelope field time"),
        ("ce_aggregateversion", b"many", "envelope field aggregate_version"),
        ("traceparent", b"00-zz", "envelope field traceparent"),
    ],
)
def test_a_bad_header_is_named_with_its_rule(name: str, value: bytes | None, rule: str) -> None:
    with pytest.raises(MalformedEnvelope, match=rule):
        Envelope.from_headers(with_header(name, value))


@pytest.mark.parametrize(
    "missing", ["ce_id", "ce_type", "ce_source", "ce_subject", "ce_time", "content-type"]
)
def test_a_missing_header_is_refused(missing: str) -> None:
    with pytest.raises(MalformedEnvelope):
        Envelope.from_headers([pair for pair in ENVELOPE.headers() if pair[0] != missing])


def test_a_bad_value_is_not_repeated_in_the_error() -> None:
    with pytest.raises(MalformedEnvelope) as caught:
        Envelope.from_headers(with_header("ce_id", b"patient-jones"))

    assert "jones" not in str(caught.value)
