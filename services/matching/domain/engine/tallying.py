"""How many therapists each gate keeps out of a search, compiled."""

import numba as nb

from services.matching.domain.engine.asking import Question
from services.matching.domain.engine.columns import Array, Row, Table
from services.matching.domain.engine.scanning import (
    IN_PERSON,
    ONLINE,
    TOO_FAR,
    is_set,
)
from services.matching.domain.gates import Gate

_compiled = nb.njit(cache=True, error_model="numpy", nogil=True)

_PASSED = -1
EXCLUDED = 0
REGISTRATION = 1
ACCREDITATION = 2
PRIVATE_PRACTICE = 3
AGE_GROUP = 4
FORMAT = 5
LANGUAGE = 6
MODE = 7
DISTANCE = 8
FEE = 9
MUST_HAVE = 10
FRESH = 11
SEAT = 12

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
        return EXCLUDED
    if kept.registered_until < today:
        return PRIVATE_PRACTICE if by_ksa else REGISTRATION
    if kept.accredited_until[variant] < today:
        return ACCREDITATION
    if by_ksa:
        return PRIVATE_PRACTICE
    if not any_set(planes, question.any_age, row):
        return AGE_GROUP
    if not is_set(planes, question.formats[way], row):
        return FORMAT
    if not any_set(planes, question.any_language, row):
        return LANGUAGE
    place = gate_of_place(scored, near, question)
    if place != _PASSED:
        return place
    if scored.fee > question.fee:
        return FEE
    for plane in question.every:
        if not is_set(planes, plane, row):
            return MUST_HAVE
    if kept.confirmed < oldest:
        return FRESH
    if kept.seats_free < 1 or without_seat:
        return SEAT
    return _PASSED


@_compiled
def gate_of_place(scored: Row, near: Array, question: Question) -> int:
    """Which gate bars both ways of meeting, or that none does."""
    meets = question.in_person and scored.modes & IN_PERSON and near[scored.district] != TOO_FAR
    if meets or (question.online and scored.modes & ONLINE):
        return _PASSED
    return DISTANCE if question.would_travel and scored.modes & IN_PERSON else MODE


@_compiled
def any_set(planes: Array, chosen: Array, row: int) -> bool:
    """Whether one of these planes holds a mark for a row."""
    for plane in chosen:  # noqa: SIM110 - compiled code knows no generators
        if is_set(planes, plane, row):
            return True
    return False
