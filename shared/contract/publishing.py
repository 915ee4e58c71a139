"""Writes the contract down for others: a JSON Schema per event and one AsyncAPI 3 document."""

import json
import re
from pathlib import Path
from typing import Any

from shared.contract.catalogue import EVENTS
from shared.contract.event import Event
from shared.contract.sealing import sealed_fields
from shared.contract.submission import Submission

HERE = Path(__file__).parent
SCHEMAS = HERE / "schemas"
ASYNCAPI = HERE / "asyncapi.json"
SAMPLES = HERE / "samples"
VERSION = "1.0.0"
SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
CAUSE = {"ce_causationid": {"type": "string", "description": "the event that led to this one"}}
REQUIRED = ("specversion", "id", "type", "source")
"""What CloudEvents asks of every event."""


def documents() -> dict[Path, str]:
    """Every generated file of the contract, with its text."""
    messages: list[type[Event] | type[Submission]] = [*EVENTS.values(), Submission]
    schemas = {SCHEMAS / f"{message.type}.json": _text(_schema(message)) for message in messages}
    return schemas | {ASYNCAPI: _text(_asyncapi(messages))}


def differences() -> list[str]:
    """Which committed files are not what the models say now."""
    wanted = documents()
    committed = set(SCHEMAS.glob("*.json")) | ({ASYNCAPI} if ASYNCAPI.exists() else set())
    stale = [
        f"{path.name} differs from the models"
        for path, text in wanted.items()
        if path in committed and path.read_text() != text
    ]
    missing = [f"{path.name} is missing" for path in wanted if path not in committed]
    left_over = [f"{path.name} belongs to no event" for path in committed if path not in wanted]
    return sorted(stale + missing + left_over)


def write() -> int:
    """Writes every generated file; returns how many."""
    SCHEMAS.mkdir(exist_ok=True)
    wanted = documents()
    for stale in set(SCHEMAS.glob("*.json")) - set(wanted):
        stale.unlink()
    for path, text in wanted.items():
        path.write_text(text)
    return len(wanted)


def _schema(message: type[Event] | type[Submission]) -> dict[str, Any]:
    mode: Any = "validation" if message is Submission else "serialization"
    schema = message.model_json_schema(mode=mode)
    for name in sealed_fields(message):
        if not message.model_fields[name].is_required():
            # What is not said travels as null, with nothing in it to seal.
            sealed = schema["properties"][name]
            unsaid = sealed.pop("default")
            schema["properties"][name] = {"anyOf": [sealed, {"type": "null"}], "default": unsaid}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:attune:schema:{message.type}",
        **schema,
    }


def _asyncapi(messages: list[type[Event] | type[Submission]]) -> dict[str, Any]:
    streams = sorted({message.stream for message in messages})
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Attune",
            "version": VERSION,
            "description": "CloudEvents 1.0 in Kafka's binary mode; the key is the id of what an event is "
            "about: the request, or in matching.directory the therapist. Partners write to "
            "intake.submissions, there in binary or structured mode and under any key, and read "
            "intake.rejections. Who shows the directory elsewhere reads matching.directory "
            "and sends nothing.",
        },
        "defaultContentType": "application/json",
        "channels": {
            stream: {
                "address": stream,
                "messages": {
                    name: {"$ref": f"#/components/messages/{name}"}
                    for message in messages
                    if message.stream == stream
                    for name in _messages(message)
                },
                "bindings": {"kafka": {"bindingVersion": "0.5.0", "topic": stream, "partitions": 12}},
            }
            for stream in streams
        },
        "operations": {
            f"{'receive' if stream == Submission.stream else 'send'}-{stream}": {
                "action": "receive" if stream == Submission.stream else "send",
                "channel": {"$ref": f"#/channels/{stream}"},
            }
            for stream in streams
        },
        "components": {
            "messages": {
                name: described for message in messages for name, described in _messages(message).items()
            }
        },
    }


def _messages(message: type[Event] | type[Submission]) -> dict[str, dict[str, Any]]:
    if issubclass(message, Event):
        return {message.__name__: _event(message)}
    return {
        message.__name__: _submission(
            "application/json",
            {"required": [f"ce_{name}" for name in REQUIRED], "properties": _attributes("ce_")},
            {"$ref": f"schemas/{message.type}.json"},
        ),
        f"{message.__name__}Structured": _submission(
            "application/cloudevents+json",
            {"required": [], "properties": {}},
            {
                "type": "object",
                "required": [*REQUIRED, "data"],
                "properties": {**_attributes(""), "data": {"$ref": f"schemas/{message.type}.json"}},
            },
        ),
    }


def _submission(content_type: str, headers: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    """What partners send: less than an event of ours has to say of itself, and in two modes."""
    return {
        "name": Submission.type,
        "summary": (Submission.__doc__ or "").strip(),
        "contentType": content_type,
        "headers": {
            "type": "object",
            "required": ["content-type", *headers["required"]],
            "properties": {
                "content-type": {"type": "string", "pattern": f"^{re.escape(content_type)} *(;.*)?$"},
                **headers["properties"],
            },
        },
        "payload": {"schemaFormat": SCHEMA_FORMAT, "schema": payload},
        "bindings": {"kafka": {"bindingVersion": "0.5.0"}},
    }


def _attributes(prefix: str) -> dict[str, Any]:
    """What CloudEvents asks for, as intake wants it; whatever else is sent is passed over."""
    name = {"type": "string", "pattern": "^[!-~]{1,200}$"}
    return {
        f"{prefix}specversion": {"const": "1.0"},
        f"{prefix}id": name | {"description": "names the submission in the answer, if it is rejected"},
        f"{prefix}type": {"const": Submission.type},
        f"{prefix}source": name | {"description": "the partner, as registered with the clinic"},
    }


def _event(message: type[Event]) -> dict[str, Any]:
    return {
        "name": message.type,
        "summary": (message.__doc__ or "").strip(),
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "required": ["content-type", *(f"ce_{name}" for name in (*REQUIRED, "subject", "time"))],
            "properties": {
                "content-type": {"const": "application/json"},
                "ce_specversion": {"const": "1.0"},
                "ce_id": {"type": "string", "format": "uuid"},
                "ce_type": {"const": message.type},
                "ce_source": {"type": "string"},
                "ce_subject": {
                    "type": "string",
                    "description": f"the {message.keyed_by.replace('_', ' ')}",
                },
                "ce_time": {"type": "string", "format": "date-time"},
                **(CAUSE if message.tells_cause else {}),
                "ce_aggregateversion": {"type": "string", "pattern": "^[0-9]+$"},
                "traceparent": {"type": "string"},
            },
        },
        "payload": {
            "schemaFormat": SCHEMA_FORMAT,
            "schema": {"$ref": f"schemas/{message.type}.json"},
        },
        "bindings": {"kafka": {"bindingVersion": "0.5.0", "key": {"type": "string", "format": "uuid"}}},
    }


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
