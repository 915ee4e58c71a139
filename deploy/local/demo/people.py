"""Who asks in the demo, and what staff decide; all of them made up."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

PEOPLE = Path(__file__).with_name("people.toml")


class Door(StrEnum):
    """How a request comes in."""

    API = "api"
    FORM = "form"
    KAFKA = "kafka"


@dataclass(frozen=True, slots=True)
class Asking:
    """One request: what is sent through which door, and what is decided about it."""

    door: Door
    title: str
    document: Mapping[str, Any]
    """The submission, or the fields of the form."""

    overrule: str = ""
    """Why another than the first of the shortlist is chosen; empty if the first is confirmed."""

    under_16: Mapping[str, str] | None = None
    """Who consents for a person under 16, as the reviewer has established."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody in the demo."""

    requests: tuple[Asking, ...]
    broken: Asking
    group: tuple[Asking, ...]
    """Who asks for a group."""


def cast(today: date, file: Path = PEOPLE) -> Cast:
    """The people of the file, as old today as it says."""
    written = tomllib.loads(file.read_text("utf-8"))
    broken = written["broken"]
    return Cast(
        tuple(_asking(each, today) for each in written["request"]),
        Asking(Door.KAFKA, broken["title"], broken["submission"]),
        tuple(_member(written["group"], number, today) for number in range(len(written["group"]["people"]))),
    )


def _member(written: dict[str, Any], number: int, today: date) -> Asking:
    shared, person = written["submission"], written["people"][number]
    born = f"{today.year - written['age']}-01-01"
    document = shared | {
        "reference": f"{shared['reference']}-{number + 1}",
        "client": shared["client"] | person | {"date_of_birth": born},
    }
    return Asking(Door.API, f"{person['name'].split()[0]}, {written['age']}, for a group", document)


def _asking(written: dict[str, Any], today: date) -> Asking:
    document = written.get("submission") or dict(written["form"])
    if "age" in written:
        # A birthday in January: old enough on any day of the year.
        born = {"day": "1", "month": "1", "year": str(today.year - written["age"])}
        document |= {f"client.date_of_birth.{part}": value for part, value in born.items()}
    names = ("under_16_basis", "under_16_note")
    return Asking(
        Door(written["door"]),
        written["title"],
        document,
        overrule=written.get("reason", ""),
        under_16={name: written[name] for name in names} if names[0] in written else None,
    )
