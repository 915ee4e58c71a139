"""Entries of the directory as JSON: turned into the cells of a row, and so held to the same rules."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeGuard

from services.matching.domain.directory_cells import RowFault
from services.matching.domain.directory_feed import public_entry
from services.matching.domain.directory_file import FileRefused, Row, decoded
from services.matching.domain.directory_row import COLUMNS
from services.matching.domain.therapist import Therapist

_TEXTS = ("id", "name", "email", "gender", "outcode", "confirmed_on", "free_from")
_LISTS = (
    "modes",
    "formats",
    "age_groups",
    "languages",
    "slots",
    "problem_areas",
    "conditions",
    "approaches",
    "affirming",
)
_REGISTRATION = {
    "body": "registration_body",
    "number": "registration_number",
    "expires_on": "registration_expires",
}
_ACCREDITATION = ("variant", "route", "expires_on", "cases")
_OUTCOMES = {"cases": "outcome_cases", "change": "outcome_change"}
_TOLD = ("seats_free", "has_seat", "notes")
_OTHERS = ("fee_pence", "seats_offered", "registration", "accreditations", "outcomes")
_MEMBERS = frozenset((*_TEXTS, *_LISTS, *_OTHERS, *_TOLD))

_NAMES = (
    {column: f"registration.{member}" for member, column in _REGISTRATION.items()}
    | {column: f"outcomes.{member}" for member, column in _OUTCOMES.items()}
    | {"seats": "seats_offered", "fee_pounds": "fee_pence"}
)
_NONE = "\0"
"""Breaks the rule of every cell, so that a value of the wrong type is reported like any other wrong value."""

_GAP = re.compile(r"[ \t\r\n]+")
_OPENING = re.compile(rb"(\xef\xbb\xbf)?\s*[\[{]")


def row_of(line: int, entry: Mapping[str, Any]) -> Row:
    """An entry as the row that says the same; what is told by us of it is passed over."""
    faults = [
        RowFault(line, member[:40] if member.isprintable() else "entry", "is not a field of an entry")
        for member in entry
        if member not in _MEMBERS
    ]
    fee = entry.get("fee_pence")
    if not _is_whole(fee) or not 0 <= fee <= 999_999:
        faults.append(RowFault(line, "fee_pence", "must be a whole number of pence from 0 to 999999"))
        fee = 0
    cells = (
        {member: _text(entry.get(member)) for member in _TEXTS}
        | {member: _list(entry.get(member)) for member in _LISTS}
        | _parts(entry.get("registration"), _REGISTRATION, _text)
        | _parts(entry.get("outcomes"), _OUTCOMES, _number)
        | {
            "fee_pounds": f"{fee // 100}.{fee % 100:02}",
            "seats": _number(entry.get("seats_offered")),
            "accreditations": _accreditations(entry.get("accreditations")),
        }
    )
    return Row(line, [cells[column] for column in COLUMNS], faults, _NAMES)


def is_json(data: bytes) -> bool:
    """Whether a file looks like JSON, whatever it is called."""
    return _OPENING.match(data) is not None


def rows_of_json(data: bytes) -> list[Row]:
    """The entries of a file: one array, or one object a line."""
    text = decoded(data)
    rows = [row_of(line, entry) for line, entry in _entries(text)]
    if not rows:
        raise FileRefused("there is no therapist in it")
    return rows


def entry_of(therapist: Therapist) -> dict[str, Any]:
    """A therapist as JSON, for who keeps the directory; it reads back the same."""
    outcomes = therapist.outcomes
    return _known_to_all(therapist) | {
        "seats_free": therapist.seats_free,
        "email": therapist.email,
        "outcomes": None if outcomes is None else {"cases": outcomes.cases, "change": outcomes.change / 100},
    }


def entry_for_others(therapist: Therapist, has_seat: bool | None) -> dict[str, Any]:
    """A therapist as JSON without what only keepers may see; whether a seat is free is what others know."""
    return _known_to_all(therapist) | {"has_seat": has_seat}


def _known_to_all(therapist: Therapist) -> dict[str, Any]:
    entry = public_entry(therapist).model_dump(mode="json", exclude={"has_seat"})
    return {"id": str(therapist.id), **entry}


def written_as_json(therapists: Iterable[Therapist]) -> Iterator[str]:
    """The therapists as one array, an entry a line."""
    before = "[\n"
    for therapist in therapists:
        yield before + json.dumps(entry_of(therapist), ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _entries(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
    place = _after(text, 0)
    in_array = text.startswith("[", place)
    line, counted = 1, 0
    place = _after(text, place + in_array)
    while place < len(text) and not (in_array and text[place] == "]"):
        line, counted = line + text.count("\n", counted, place), place
        try:
            entry, place = decoder.raw_decode(text, place)
        except json.JSONDecodeError as error:
            raise FileRefused(f"line {error.lineno} is not JSON: {error.msg}") from None
        except (ValueError, RecursionError) as error:
            why = str(error) if isinstance(error, _NotOurJson) else "it cannot be read"
            raise FileRefused(f"line {line} is not JSON that we take: {why}") from None
        if not isinstance(entry, dict):
            raise FileRefused(f"line {line}: every entry must be an object")
        yield line, entry
        place = _after(text, place)
        if in_array and text.startswith(",", place):
            place = _after(text, place + 1)
            if text.startswith("]", place):
                raise _not_json(text, place, "nothing follows the comma")
        elif in_array and place < len(text) and text[place] != "]":
            raise _not_json(text, place, "a comma or the end of the array is missing")
    if in_array and place >= len(text):
        raise FileRefused("the array is not closed; the file may have been cut off")
    place = _after(text, place + in_array)
    if place < len(text):
        raise _not_json(text, place, "something follows the array")


def _not_json(text: str, place: int, why: str) -> FileRefused:
    return FileRefused(f"line {text.count(chr(10), 0, place) + 1} is not JSON: {why}")


def _after(text: str, place: int) -> int:
    gap = _GAP.match(text, place)
    return gap.end() if gap else place


def _text(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else _NONE


def _list(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, list):
        return _NONE
    return ";".join(word if _is_word(word) else _NONE for word in value)


def _parts(value: object, columns: Mapping[str, str], written: Callable[[object], str]) -> dict[str, str]:
    if value is None:
        return dict.fromkeys(columns.values(), "")
    if not isinstance(value, dict) or not set(value) <= set(columns):
        return dict.fromkeys(columns.values(), _NONE)
    return {column: written(value.get(member)) or _NONE for member, column in columns.items()}


def _accreditations(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, list):
        return _NONE
    return ";".join(map(_accreditation, value))


def _accreditation(value: object) -> str:
    if not isinstance(value, dict) or set(value) != set(_ACCREDITATION):
        return _NONE
    parts = [value[member] for member in _ACCREDITATION[:-1]]
    cases = _number(value["cases"])
    return ":".join([*(part if _is_word(part) and ":" not in part else _NONE for part in parts), cases])


def _number(value: object) -> str:
    # Which numbers a cell takes is its own rule: a whole one, say, is written without a point.
    return str(value) if _is_whole(value) or isinstance(value, float) else _NONE


def _is_word(value: object) -> bool:
    # What separates the words of a cell may not stand within one: it would smuggle in a second.
    return isinstance(value, str) and value.strip() == value != "" and ";" not in value


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


class _NotOurJson(ValueError):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _NotOurJson("a member is named twice")
    return members


def _no_constant(_name: str) -> Any:
    raise _NotOurJson("NaN and Infinity are not JSON")
