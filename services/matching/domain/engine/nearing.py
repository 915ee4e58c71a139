"""Who would score best among those whom exactly one gate keeps out, compiled."""

import numba as nb
import numpy as np

from services.matching.domain.engine.asking import Question
from services.matching.domain.engine.bits import ones
from services.matching.domain.engine.columns import Array, Table
from services.matching.domain.engine.scanning import IN_PERSON, TOO_FAR, Terms, is_set
from services.matching.domain.engine.tallying import (
    ACCREDITATION,
    AGE_GROUP,
    EXCLUDED,
    FEE,
    FORMAT,
    FRESH,
    LANGUAGE,
    MUST_HAVE,
    PRIVATE_PRACTICE,
    REGISTRATION,
    SEAT,
    any_set,
    gate_of_place,
)

_compiled = nb.njit(cache=True, error_model="numpy", nogil=True)

_PASSED = -1
_SEVERAL = -2

NEAREST = np.dtype([("row", np.int64), ("way", np.int64), ("gate", np.int64), ("score", np.int64)])
"""The next best: on which of the question's pathways, and the one gate."""


@_compiled
def nearest(  # noqa: PLR0917 - compiled code takes its arrays one by one
    table: Table,
    near: Array,
    question: Question,
    terms: Terms,
    excluded: Array,
    without_seat: Array,
    count: int,
    today: int,
    oldest: int,
    best: Array,
) -> bool:
    """Writes the next best into `best`, the lower id of equals; says whether there is one."""
    found = False
    for row in range(count):
        passes = False
        for way in range(question.variants.size):
            gate = _only_gate(
                table, row, near, question, way, excluded[row], without_seat[row], today, oldest
            )
            passes = passes or gate == _PASSED
        if passes:
            continue
        for way in range(question.variants.size):
            gate = _only_gate(
                table, row, near, question, way, excluded[row], without_seat[row], today, oldest
            )
            if gate == _SEVERAL:
                continue
            score = _score(table, row, near, question, terms, way, gate)
            other = best[0]
            if found and (score < other.score or (other.row == row and score == other.score)):
                continue
            if found and score == other.score and not _goes_before(table.kept, row, other.row):
                continue
            other.row, other.way, other.gate, other.score = row, way, gate, score
            found = True
    return found


@_compiled
def _only_gate(  # noqa: PLR0912, PLR0917 - a gate, a branch
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
    """The one gate that keeps a therapist out, or that none or several do."""
    kept, scored, planes = table.kept[row], table.scored[row], table.planes
    variant = question.variants[way]
    by_ksa = (kept.ksa >> variant) & 1
    gate, failed = _PASSED, 0
    if excluded:
        gate, failed = EXCLUDED, failed + 1
    if by_ksa:
        # Without a core profession that is the route; it is one lack, not two.
        gate, failed = PRIVATE_PRACTICE, failed + 1
    elif kept.registered_until < today:
        gate, failed = REGISTRATION, failed + 1
    if kept.accredited_until[variant] < today:
        gate, failed = ACCREDITATION, failed + 1
    if not any_set(planes, question.any_age, row):
        gate, failed = AGE_GROUP, failed + 1
    if not is_set(planes, question.formats[way], row):
        gate, failed = FORMAT, failed + 1
    if not any_set(planes, question.any_language, row):
        gate, failed = LANGUAGE, failed + 1
    place = gate_of_place(scored, near, question)
    if place != _PASSED:
        gate, failed = place, failed + 1
    if scored.fee > question.fee:
        gate, failed = FEE, failed + 1
    for plane in question.every:
        if not is_set(planes, plane, row):
            gate, failed = MUST_HAVE, failed + 1
            break
    if kept.confirmed < oldest:
        gate, failed = FRESH, failed + 1
    if kept.seats_free < 1 or without_seat:
        gate, failed = SEAT, failed + 1
    return gate if failed <= 1 else _SEVERAL


@_compiled
def _score(  # noqa: PLR0917
    table: Table, row: int, near: Array, question: Question, terms: Terms, way: int, gate: int
) -> int:
    """The points as they would be; what the gate keeps from being so brings none."""
    scored = table.scored[row]
    points = np.int64(scored.standing)
    if question.in_person and scored.modes & IN_PERSON and near[scored.district] != TOO_FAR:
        points += near[scored.district]
    points += question.area_points * np.int64(ones(scored.areas & np.uint64(question.areas)))
    points += question.condition_points[ones(scored.conditions & np.uint64(question.conditions))]
    points += terms.slots[ones(scored.slots & np.uint64(question.slots))]
    closed = min(int(scored.cases[question.variants[way]]), terms.experience.size - 1)
    points += question.evidence[way] + terms.experience[closed]
    for wish in range(question.wishes.size):
        if scored.traits & question.wishes[wish]:
            points += question.wish_points[wish]
    if gate != LANGUAGE:
        first = question.first_language >= 0 and is_set(table.planes, question.first_language, row)
        points += question.first_language_points if first else question.other_language_points
    if question.fee_points and gate != FEE:
        points += question.fee_points * (question.fee - scored.fee) // question.fee
    return int(points)


@_compiled
def _goes_before(ids: Array, row: int, other: int) -> bool:
    one, two = ids[row], ids[other]
    return bool(one.id_high < two.id_high or (one.id_high == two.id_high and one.id_low < two.id_low))
