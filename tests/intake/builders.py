"""Builds submissions as partners write them, and takes them in by the rulebook."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.intake import domain
from services.intake.domain import Accepted, Outcodes, Refused, Rulebook, WarningWords, take
from shared.places import LONDON

NOW = datetime(2025, 6, 2, 10, 0, tzinfo=UTC)
MISSING = object()
_TABLES = Path(domain.__file__).parent
RULEBOOK = Rulebook(
    Outcodes.from_csv(LONDON.read_text().splitlines()),
    WarningWords.from_toml((_TABLES / "warning_words.toml").read_text()),
)

_ADULT = {
    "requester": {"role": "self"},
    "client": {
        "name": "Maya Okafor-Lind",
        "date_of_birth": "1991-03-14",
        "postcode": "E1 6AN",
        "email": "maya@example.com",
    },
    "consent": {"to_process": True, "to_share": True},
    "looking_for": {"mode": "online", "availability": ["tue_evening", "thu_evening"]},
}


def a_document(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """An adult who asks for herself; `changes` sets fields by path, or takes them away with MISSING."""
    document: dict[str, Any] = copy.deepcopy(_ADULT)
    for path, value in (changes or {}).items():
        *sections, name = path.split(".")
        holder = document
        for section in sections:
            holder = holder.setdefault(section, {})
        if value is MISSING:
            holder.pop(name, None)
        else:
            holder[name] = value
    return document


def a_body(changes: dict[str, Any] | None = None) -> bytes:
    """The same as it travels."""
    return json.dumps(a_document(changes)).encode()


def from_a_parent(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """The changes that make it a parent's request for a girl of 14."""
    return {
        "requester.role": "parent",
        "requester.name": "Ines Duarte",
        "requester.email": "ines@example.com",
        "client.name": "Lea Duarte",
        "client.date_of_birth": "2011-02-01",
        "client.email": MISSING,
    } | (changes or {})


def a_form(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """The web form, filled in by an adult who asks for herself."""
    return {
        "once": "8a0b8f0e-3f0e-4c53-9f1c-0a1d5f6f7a10",
        "requester.role": "self",
        "client.name": "Maya Okafor-Lind",
        "client.date_of_birth.day": "14",
        "client.date_of_birth.month": "3",
        "client.date_of_birth.year": "1991",
        "client.email": "maya@example.com",
        "client.postcode": "E1 6AN",
        "looking_for.mode": "online",
        "looking_for.format": "individual",
        "looking_for.therapy": "either",
        "looking_for.languages": "en",
        "looking_for.availability": ["tue_evening", "thu_evening"],
        "strength.therapist_gender": "slight",
        "strength.approach": "slight",
        "consent.to_process": "yes",
        "consent.to_share": "yes",
    } | (changes or {})


def json_bytes(document: object) -> bytes:
    """A document as it travels."""
    return json.dumps(document).encode()


def taken(changes: dict[str, Any] | None = None) -> Accepted:
    """The same, which must be taken in."""
    answer = take(a_body(changes), NOW, RULEBOOK)
    assert isinstance(answer, Accepted), answer
    return answer


def refused(changes: dict[str, Any] | None = None) -> dict[str, str]:
    """The rules it breaks, by field."""
    return faults_of(take(a_body(changes), NOW, RULEBOOK))


def faults_of(answer: Accepted | Refused) -> dict[str, str]:
    """The rules that were broken, by field; no field is named twice."""
    assert isinstance(answer, Refused), "it was taken in"
    assert len({fault.field for fault in answer.faults}) == len(answer.faults)
    return {fault.field: fault.rule for fault in answer.faults}
