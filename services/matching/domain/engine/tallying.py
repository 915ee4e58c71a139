"""How many therapists each gate keeps out of a search, compiled."""

import numba as nb

from services.matching.domain.engine.asking import Question
from services.matching.domain.engine.columns import Array, Table
from services.matching.domain.engine.scanning import (
    IN_PERSON,
    ONLINE,
    TOO_FAR,
    is_set,
)
from services.matching.domain.gates import Gate

_compiled = nb.njit(cache=True, error_model="numpy", nogil=True)

_PASSED = -1
_EXCLUDED = 0
_REGISTRATION = 1
_ACCREDITATION = 2
_PRIVATE_PRACTICE = 3
_AGE_GROUP = 4
_FORMAT = 5
_LANGUAGE = 6
_MODE = 7
_DISTANCE = 8
_FEE = 9
_MUST_HAVE = 10
_FRESH = 11
_SEAT = 12

# Numbers, as compiled code knows no enumeration; whoever adds a gate is sent here.
assert [gate.name for gate in Gate] == [  # noqa: S101
    "EXCLUDED",
    "REGISTRATION",
    "ACCREDITATION",
    "PRIVATE_PRACTICE",
    "AGE_GROUP",
    "FORMAT",
    "LANGUAGE",
    "MODE",
    "DISTANCE",
    "FEE",
    "MUST_HAVE",
    "FRESH",
    "SEAT",
]


@_compiled
def tally(  # noqa: PLR0917 - compiled code takes its arrays one by one
    table: Table,
    near: Array,
    question: Question,
    excluded: Array,
    without_seat: Array,
    count: int,
    today: int,
    oldest: int,
    kept_out: Array,
) -> None:
    """Counts every therapist who passes on no pathway at the last gate that any pathway led to.

    `excluded` and `without_seat` hold a mark for each row.
    """
    for row in range(count):
        furthest = _PASSED
        for way in range(question.variants.size):
            gate = _first_gate(
                table, row, near, question, way, excluded[row], without_seat[row], today, oldest
            )
            if gate == _PASSED:
                furthest = _PASSED
                break
            furthest = max(furthest, gate)
        if furthest != _PASSED:
            kept_out[furthest] += 1


@_compiled
def _first_gate(  # noqa: PLR0911, PLR0912, PLR0917 - a gate, a return
    table: Table,
    row: int,
    near: Array,
    question: Question,
    way: int,
    excluded: bool,
    without_seat: bool,
    today: int,
    oldest: int,
) -> int:
    kept, scored, planes = table.kept[row], table.scored[row], table.planes
    variant = question.variants[way]
    by_ksa = (kept.ksa >> variant) & 1
    if excluded:
        return _EXCLUDED
    if kept.registered_until < today:
        return _PRIVATE_PRACTICE if by_ksa else _REGISTRATION
    if kept.accredited_until[variant] < today:
        return _ACCREDITATION
    if by_ksa:
        return _PRIVATE_PRACTICE
    if not _any_set(planes, question.any_age, row):
        return _AGE_GROUP
    if not is_set(planes, question.formats[way], row):
        return _FORMAT
    if not _any_set(planes, question.any_language, row):
        return _LANGUAGE
    meets = question.in_person and scored.modes & IN_PERSON and near[scored.district] != TOO_FAR
    if not meets and not (question.online and scored.modes & ONLINE):
        return _DISTANCE if question.would_travel and scored.modes & IN_PERSON else _MODE
    if scored.fee > question.fee:
        return _FEE
    for plane in question.every:
        if not is_set(planes, plane, row):
            return _MUST_HAVE
    if kept.confirmed < oldest:
        return _FRESH
    if kept.seats_free < 1 or without_seat:
        return _SEAT
    return _PASSED


@_compiled
def _any_set(planes: Array, chosen: Array, row: int) -> bool:
    for plane in chosen:  # noqa: SIM110 - compiled code knows no generators
        if is_set(planes, plane, row):
            return True
    return False
