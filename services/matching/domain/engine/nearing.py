"""Who would score best among those whom exactly one gate keeps out, compiled."""

from typing import Any

import numpy as np

from services.matching.domain.compiled import compiled
from services.matching.domain.engine.asking import Question
from services.matching.domain.engine.barring import (
    DISTANCE,
    FEE,
    FORMAT,
    GATES,
    LANGUAGE,
    MODE,
    bar,
    bar_by_place_and_fee,
    bar_on,
)
from services.matching.domain.engine.bits import ones, trailing_zeros
from services.matching.domain.engine.columns import Array, Layout, Row, Table
from services.matching.domain.engine.passing import TOO_FAR
from services.matching.domain.engine.scanning import IN_PERSON, is_set, most_more
from services.matching.domain.engine.terms import Terms

_NOBODY = -1
_LEAST = np.int64(-(2**62))

NEAREST = np.dtype([("row", np.int64), ("pathway", np.int64), ("gate", np.int64), ("score", np.int64)])
"""The next best: on which of the question's pathways, and the one gate."""


@compiled
def nearest(  # noqa: PLR0917 - compiled code takes its arrays one by one
    layout: Layout,
    table: Table,
    near: Array,
    question: Question,
    terms: Terms,
    everybody: Array,
    excluded: Array,
    without_seat: Array,
    best: Array,
) -> bool:
    """Writes the next best into `best`, the lower id of equals; says whether there is one.

    `everybody`, `excluded` and `without_seat` hold a bit for each row.
    """
    planes, pathways = table.planes, question.pathways.size
    barred = np.zeros((GATES, everybody.size), np.uint64)
    once = np.zeros((pathways, everybody.size), np.uint64)
    again = np.zeros((pathways, everybody.size), np.uint64)
    wanted = np.zeros(everybody.size, np.uint64)
    bar(layout, planes, question, excluded, without_seat, barred)
    for pathway in range(pathways):
        bar_on(layout, planes, question, pathway, barred)
        # Place and fee bar nobody yet.
        for gate in range(GATES):
            _count(once[pathway], again[pathway], barred[gate])
        wanted |= everybody & ~again[pathway]
    bar_by_place_and_fee(table, near, question, wanted, barred)
    passed = np.zeros(everybody.size, np.uint64)
    for pathway in range(pathways):
        for gate in (MODE, DISTANCE, FEE):
            _count(once[pathway], again[pathway], barred[gate])
        passed |= ~once[pathway]
    best[0].row, best[0].score = _NOBODY, _LEAST
    for pathway in range(pathways):
        bar_on(layout, planes, question, pathway, barred)
        by_one = everybody & once[pathway] & ~again[pathway] & ~passed
        _choose(table, near, question, terms, pathway, barred, by_one, best)
    return bool(best[0].row != _NOBODY)


@compiled
def _count(once: Array, again: Array, barred: Array) -> None:
    for word in range(barred.size):
        again[word] |= once[word] & barred[word]
        once[word] |= barred[word]


@compiled
def _choose(  # noqa: PLR0917
    table: Table,
    near: Array,
    question: Question,
    terms: Terms,
    pathway: int,
    barred: Array,
    alone: Array,
    best: Array,
) -> None:
    """Goes through whom one gate alone bars on a pathway."""
    # Taken out of their tuples once: within the loop each look would count references.
    scored, by_conditions, by_slots = table.scored, question.condition_points, terms.slots
    wanted_areas, wanted_conditions = np.uint64(question.areas), np.uint64(question.conditions)
    wanted_slots, area_points, may_travel = (
        np.uint64(question.slots),
        question.area_points,
        question.in_person,
    )
    most = most_more(question, terms)
    for word in range(alone.size):
        rest = alone[word]
        while rest:
            bit = trailing_zeros(rest)
            rest &= rest - np.uint64(1)
            number: Any = word * 64 + np.int64(bit)
            row = scored[number]
            points = np.int64(row.standing)
            if may_travel & ((row.modes & IN_PERSON) != 0) & (near[row.district] != TOO_FAR):
                points += near[row.district]
            points += area_points * np.int64(ones(row.areas & wanted_areas))
            points += by_conditions[ones(row.conditions & wanted_conditions)]
            points += by_slots[ones(row.slots & wanted_slots)]
            # Most cannot come near the best any more.
            if points + most < best[0].score:
                continue
            gate = _gate(barred, word, bit)
            points += _more(table.planes, row, number, question, terms, pathway, gate)
            if _goes_before(table.kept, number, points, best[0]):
                best[0].row, best[0].pathway, best[0].gate, best[0].score = number, pathway, gate, points


@compiled
def _gate(barred: Array, word: int, bit: np.uint64) -> int:
    for gate in range(GATES):
        if (barred[gate, word] >> bit) & np.uint64(1):
            return gate
    return GATES


@compiled
def _more(  # noqa: PLR0917
    planes: Array, row: Row, number: int, question: Question, terms: Terms, pathway: int, gate: int
) -> int:
    """The other points as they would be; what the gate keeps from being so brings none."""
    way = question.pathways[pathway]
    closed = min(int(row.cases[way.variant]), terms.experience.size - 1)
    points = np.int64(way.points + terms.experience[closed])
    if gate == FORMAT:
        points -= way.format_points
    for wish in range(question.wishes.size):
        if row.traits & question.wishes[wish].trait:
            points += question.wishes[wish].points
    if gate != LANGUAGE:
        first = question.first_language >= 0 and is_set(planes, question.first_language, number)
        points += question.first_language_points if first else question.other_language_points
    if question.fee_points and gate != FEE:
        points += question.fee_points * (question.fee - row.fee) // question.fee
    return int(points)


@compiled
def _goes_before(ids: Array, row: int, score: int, other: Row) -> bool:
    if score != other.score:
        return bool(score > other.score)
    # Of one therapist's pathways the first counts.
    one, two = ids[row], ids[other.row]
    return bool(one.id_high < two.id_high or (one.id_high == two.id_high and one.id_low < two.id_low))
