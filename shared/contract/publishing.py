"""Writes the contract down for others: a JSON Schema per event and one AsyncAPI 3 document."""

import json
from pathlib import Path
from typing import Any

from shared.contract.catalogue import EVENTS
from shared.contract.event import Event
from shared.contract.submission import Submission

HERE = Path(__file__).parent
SCHEMAS = HERE / "schemas"
ASYNCAPI = HERE / "asyncapi.json"
SAMPLES = HERE / "samples"
VERSION = "1.0.0"


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
            "intake.submissions and read intake.rejections and matching.directory.",
        },
        "defaultContentType": "application/json",
        "channels": {
            stream: {
                "address": stream,
                "messages": {
                    message.__name__: {"$ref": f"#/components/messages/{message.__name__}"}
                    for message in messages
                    if message.stream == stream
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
        "components": {"messages": {message.__name__: _message(message) for message in messages}},
    }


def _message(message: type[Event] | type[Submission]) -> dict[str, Any]:
    return {
        "name": message.type,
        "summary": (message.__doc__ or "").strip(),
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_subject", "ce_time"],
            "properties": {
                "ce_specversion": {"const": "1.0"},
                "ce_id": {"type": "string"},
                "ce_type": {"const": message.type},
                "ce_source": {"type": "string"},
                "ce_subject": {"type": "string", "description": _subject(message)},
                "ce_time": {"type": "string", "format": "date-time"},
                "ce_causationid": {"type": "string", "description": "the event that led to this one"},
                "ce_aggregateversion": {"type": "string", "pattern": "^[0-9]+$"},
                "traceparent": {"type": "string"},
            },
        },
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"schemas/{message.type}.json"},
        },
        "bindings": {"kafka": {"bindingVersion": "0.5.0", "key": {"type": "string", "format": "uuid"}}},
    }


def _subject(message: type[Event] | type[Submission]) -> str:
    keyed_by = message.keyed_by if issubclass(message, Event) else "request_id"
    return f"the {keyed_by.replace('_', ' ')}"


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
