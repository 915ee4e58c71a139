"""Reads bytes as a submission, and says in plain words what is wrong with them, never repeating a value."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from shared.contract.intake import Fault
from shared.contract.submission import Submission, Unchecked
from shared.languages import A_CODE

LARGEST = 64 * 1024
MOST_FAULTS = 50
BODY = "body"
"""The field that faults of the whole text are reported at."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].+")
_SHAPES = {
    "name": "must be one line of text without control characters",
    "email": "must be an e-mail address without spaces or line breaks",
    "phone": "must be a telephone number: digits, spaces, brackets and hyphens, 7 to 20 in all",
    "in_own_words": "must not contain control characters",
    "reference": "may hold only letters, digits and . _ : / -",
    "languages": f"must be {A_CODE}",
    "wish": "may hold only small letters, digits and _",
}
_DATE_RULE = "must be a real date such as 1990-12-31"
_MOMENT_RULE = "must be a date and time such as 2025-01-31T09:30:00Z"
_RULES = {
    "missing": "is required",
    "extra_forbidden": "is not a field of a search request",
    "enum": "must be one of: {choices}",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "tuple_type": "must be a list",
    "model_type": "must be an object",
    "date_type": _DATE_RULE,
    "date_parsing": _DATE_RULE,
    "date_from_datetime_parsing": _DATE_RULE,
    "date_from_datetime_inexact": _DATE_RULE,
    "datetime_type": _MOMENT_RULE,
    "datetime_parsing": _MOMENT_RULE,
    "datetime_from_date_parsing": _MOMENT_RULE,
    "timezone_aware": "must say its time zone, such as 2025-01-31T09:30:00Z",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must not be longer than {max_length} characters",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must not have more than {max_length} entries",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
}
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Read:
    """What could be read: with faults, the submission holds only the fields that have none."""

    submission: Submission
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The bytes are not a JSON object at all."""

    fault: Fault


def read_submission(body: bytes) -> Read | Unreadable:
    """Reads JSON bytes; every wrong field is named, and the good ones are kept for further checks."""
    document = read_object(body)
    if isinstance(document, Unreadable):
        return document
    faults = _one_per_field(_schema_faults(document))
    if not faults:
        return Read(Submission.model_validate_json(to_json(document)))
    at_fault = frozenset(".".join(fault.field.split(".")[:2]) for fault in faults)
    return Read(_without(Submission, document, "", at_fault), _bounded(faults))


def read_object(body: bytes, largest: int = LARGEST) -> dict[str, Any] | Unreadable:
    """Bytes from outside as a JSON object, or the rule they break."""
    if len(body) > largest:
        return Unreadable(Fault(field=BODY, rule=f"must not be larger than {largest // 1024} KiB"))
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Unreadable(Fault(field=BODY, rule="must be encoded in UTF-8"))
    try:
        document = from_json(text, allow_inf_nan=False, cache_strings="none")
        json.loads(text, object_pairs_hook=_without_repeats)
    except _Repeated:
        return Unreadable(Fault(field=BODY, rule="must not name a member of an object twice"))
    except (ValueError, RecursionError):
        return Unreadable(Fault(field=BODY, rule="must be well-formed JSON"))
    if not isinstance(document, dict):
        return Unreadable(Fault(field=BODY, rule="must be a JSON object"))
    return document


class _Repeated(Exception):
    """Two values for one member: which of them was meant, no reader can know."""


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _Repeated
    return members


def concerns(fault: Fault, field: str) -> bool:
    """Whether a fault makes a field unknown: it is at the field, inside it, or at what holds it."""
    return f"{fault.field}.".startswith(f"{field}.") or f"{field}.".startswith(f"{fault.field}.")


def _one_per_field(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    by_field: dict[str, Fault] = {}
    for fault in faults:
        by_field.setdefault(fault.field, fault)
    # A list with a faulty entry is also reported as too short, which helps nobody.
    holders = {field.rpartition(".")[0] for field in by_field if field.rpartition(".")[2].isdecimal()}
    return tuple(fault for field, fault in by_field.items() if field not in holders)


def _bounded(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    if len(faults) <= MOST_FAULTS:
        return faults
    more = Fault(field=BODY, rule=f"has more faults than the {MOST_FAULTS} named here; mend these first")
    return (*faults[:MOST_FAULTS], more)


def _schema_faults(document: dict[str, Any]) -> Iterator[Fault]:
    try:
        Submission.model_validate_json(to_json(document))
    except ValidationError as error:
        for wrong in error.errors(include_url=False, include_input=False):
            yield Fault(field=_path(wrong["loc"]), rule=_rule(wrong))
    # pydantic also reads a string of digits as a moment since 1970, which nobody means as a birthday.
    yield from _unless_written(document, "client", "date_of_birth", _DATE, _DATE_RULE)
    yield from _unless_written(document, "consent", "given_at", _MOMENT, _MOMENT_RULE)


def _unless_written(
    document: dict[str, Any], section: str, name: str, form: re.Pattern[str], rule: str
) -> Iterator[Fault]:
    holder = document.get(section)
    value = holder.get(name) if isinstance(holder, dict) else None
    if isinstance(value, str) and not form.fullmatch(value):
        yield Fault(field=f"{section}.{name}", rule=rule)


def _path(location: tuple[int | str, ...]) -> str:
    """`client.date_of_birth`, `looking_for.availability.1`; a name that is no name may hold anything."""
    parts = (str(part) if _NAME.fullmatch(str(part)) or isinstance(part, int) else "?" for part in location)
    return ".".join(parts) or BODY


def _rule(wrong: ErrorDetails) -> str:
    kind, context = wrong["type"], wrong.get("ctx", {})
    if kind == "string_pattern_mismatch":
        named = next(part for part in reversed(wrong["loc"]) if isinstance(part, str))
        return _SHAPES.get(named, "is not written as it should be")
    if context.get("min_length") == 1:
        return "must not be empty"
    return _RULES.get(kind, "is not valid").format_map(context | {"choices": _choices(context)})


def _choices(context: dict[str, Any]) -> str:
    return str(context.get("expected", "")).replace(" or ", ", ")


def _without(model: type[Model], document: dict[str, Any], path: str, at_fault: frozenset[str]) -> Model:
    """The fields that are in order; reading one that was left out fails loudly."""
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        here = f"{path}{name}"
        if here in at_fault:
            continue
        if name not in document:
            values[name] = field.get_default(call_default_factory=True)
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Unchecked):
            values[name] = _without(field.annotation, document[name], f"{here}.", at_fault)
        else:
            values[name] = TypeAdapter(field.rebuild_annotation()).validate_json(
                to_json(document[name]), strict=True
            )
    return model.model_construct(**values)
