"""Unwraps what partners put on Kafka: CloudEvents 1.0 in binary or structured mode, or anything at all."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic_core import to_json

from services.intake.domain.reading import LARGEST, Unreadable, read_object
from shared.contract.intake import Fault
from shared.contract.submission import TYPE

STRUCTURED = "application/cloudevents+json"
_JSON = re.compile(r"application/json\s*(;|$)", re.IGNORECASE)
_STRUCTURED = re.compile(r"application/cloudevents\+json\s*(;|$)", re.IGNORECASE)
_READABLE = re.compile(r"[\x21-\x7e]{1,200}")
_REQUIRED = ("specversion", "id", "source", "type")


@dataclass(slots=True)
class PartnerEvent:
    """What a record says of itself, as far as it can be read; what cannot is left empty and is a fault."""

    id: str = ""
    source: str = ""
    body: bytes | None = None
    """The submission inside."""

    faults: list[Fault] = field(default_factory=list)


def unwrap(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> PartnerEvent:
    """Reads a record; never raises, whatever the bytes are."""
    known, faults = _readable(headers)
    if _STRUCTURED.match(known.get("content-type", "")):
        return _structured(value, faults)
    event = PartnerEvent(faults=faults)
    _take_attributes(event, known, "ce_")
    if "content-type" not in known:
        if not any(fault.field == "content-type" for fault in faults):
            event.faults.append(Fault(field="content-type", rule="is required"))
    elif not _JSON.match(known["content-type"]):
        event.faults.append(
            Fault(field="content-type", rule=f"must be application/json, or {STRUCTURED} for structured mode")
        )
    if value is None:
        event.faults.append(Fault(field="body", rule="must not be null"))
    else:
        event.body = value
    return event


def _readable(headers: Iterable[tuple[str, bytes | None]]) -> tuple[dict[str, str], list[Fault]]:
    known: dict[str, str] = {}
    faults: list[Fault] = []
    for name, value in headers:
        name = name.lower()  # noqa: PLW2901 - some producers write Content-Type
        if name != "content-type" and name.removeprefix("ce_") not in _REQUIRED:
            continue
        if value is None:
            faults.append(Fault(field=name, rule="must not be null"))
            continue
        try:
            known[name] = value.decode("utf-8")
        except UnicodeDecodeError:
            faults.append(Fault(field=name, rule="must be encoded in UTF-8"))
    return known, faults


def _take_attributes(event: PartnerEvent, known: dict[str, str], prefix: str) -> None:
    """The attributes that CloudEvents requires; `prefix` is how they are written here."""
    already = {fault.field for fault in event.faults}
    for name in _REQUIRED:
        value, called = known.get(prefix + name), f"{prefix}{name}"
        if value is None:
            if called not in already:
                event.faults.append(Fault(field=called, rule="is required"))
        elif name == "specversion" and value != "1.0":
            event.faults.append(Fault(field=called, rule="must be 1.0"))
        elif name == "type" and value != TYPE:
            event.faults.append(Fault(field=called, rule=f"must be {TYPE}"))
        elif not _READABLE.fullmatch(value):
            event.faults.append(
                Fault(field=called, rule="must be 1 to 200 printable ASCII characters without spaces")
            )
        elif name == "id":
            event.id = value
        elif name == "source":
            event.source = value


def _structured(value: bytes | None, faults: list[Fault]) -> PartnerEvent:
    # A fault of a ce_ header is no fault here: the attributes are in the value.
    event = PartnerEvent(faults=[fault for fault in faults if fault.field == "content-type"])
    if value is None:
        event.faults.append(Fault(field="body", rule="must not be null"))
        return event
    document = read_object(value, LARGEST * 2)
    if isinstance(document, Unreadable):
        event.faults.append(document.fault)
        return event
    attributes: dict[str, str] = {}
    for name in _REQUIRED:
        if isinstance(document.get(name), str):
            attributes[name] = document[name]
        elif name in document:
            event.faults.append(Fault(field=name, rule="must be text"))
    _take_attributes(event, attributes, "")
    content = document.get("datacontenttype", "application/json")
    if not isinstance(content, str) or not _JSON.match(content):
        event.faults.append(Fault(field="datacontenttype", rule="must be application/json"))
    if isinstance(document.get("data"), dict):
        event.body = to_json(document["data"])
    elif isinstance(document.get("data_base64"), str):
        try:
            event.body = base64.b64decode(document["data_base64"], validate=True)
        except (binascii.Error, ValueError):
            event.faults.append(Fault(field="data_base64", rule="must be base64"))
    else:
        event.faults.append(Fault(field="data", rule="must be an object"))
    return event
