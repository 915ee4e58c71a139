"""The loops over the directory, compiled: which rows pass the gates, and the best of them."""

from typing import Any, NamedTuple

import numba as nb
import numpy as np

from services.matching.domain.engine.asking import Question
from services.matching.domain.engine.bits import ones, trailing_zeros
from services.matching.domain.engine.columns import Array, Row

_compiled = nb.njit(cache=True, error_model="numpy", nogil=True)

IN_PERSON, ONLINE = 1, 2
TOO_FAR = -1
_LEAST = np.int64(-(2**62))


class Terms(NamedTuple):
    """Points that depend on the policy alone."""

    slots: Array  # by the number of shared times
    experience: Array  # by the number of closed cases
    band_metres: Array
    band_points: Array


BEST = np.dtype(
    [
        ("id_high", np.uint64),
        ("id_low", np.uint64),
        ("way", np.int64),  # place among the question's pathways
        ("in_person", np.int64),
        ("score", np.int64),
        ("order", np.int64),  # score minus price: what the list is ordered by
    ]
)
"""One of the best, in order."""


@_compiled
def survivors(planes: Array, blocked: Array, question: Question, rows: Array, ways: Array) -> int:
    """Writes down every row that passes all gates but fee and distance on some pathway, and on which."""
    found = 0
    for word in range(planes.shape[1]):
        passing = (
            _any(planes, question.any_age, word)
            & _any(planes, question.any_language, word)
            & _any(planes, question.any_mode, word)
        )
        for plane in question.every:
            passing &= planes[plane, word]
        live = np.uint64(0)
        for way in range(question.live.size):
            live |= planes[question.live[way], word] & planes[question.formats[way], word]
        passing &= live
        while passing:
            bit = trailing_zeros(passing)
            passing &= passing - np.uint64(1)
            on: Any = 0
            for way in range(question.live.size):
                both = planes[question.live[way], word] & planes[question.formats[way], word]
                on |= np.int64((both >> bit) & np.uint64(1)) << way
            rows[found] = word * 64 + np.int64(bit)
            ways[found] = on
            found += 1
    for gone in blocked:
        # Rows stand in order, so the one that may not be chosen is looked up.
        place = np.searchsorted(rows[:found], gone)
        if place < found and rows[place] == gone:
            ways[place] = 0
    return found


@_compiled
def _any(planes: Array, chosen: Array, word: int) -> Any:
    union = np.uint64(0)
    for plane in chosen:
        union |= planes[plane, word]
    return union


@_compiled
def choose(  # noqa: PLR0917 - compiled code takes its arrays one by one
    table: Array,
    planes: Array,
    metres: Array,
    question: Question,
    terms: Terms,
    rows: Array,
    ways: Array,
    found: int,
    best: Array,
) -> int:
    """Scores the survivors and keeps the best, the lower id first where two are equal; returns how many."""
    near = points_by_district(metres, question, terms)
    kept = 0
    for place in range(found):
        if ways[place] == 0:
            continue
        row = table[rows[place]]
        if row.fee > question.fee:
            continue
        in_person = question.in_person and row.modes & IN_PERSON != 0 and near[row.outcode] != TOO_FAR
        if not in_person and not (question.online and row.modes & ONLINE):
            continue
        points = row.standing + (near[row.outcode] if in_person else 0)
        points += question.area_points * np.int64(ones(np.uint64(row.areas & question.areas)))
        known = np.int64(ones(np.uint64(row.conditions & question.conditions)))
        points += question.condition_points * known // question.condition_count
        shared = np.int64(ones(np.uint64(row.slots & question.slots)))
        points += terms.slots[min(int(shared), terms.slots.size - 1)]
        for wish in range(question.wishes.size):
            if row.traits & question.wishes[wish]:
                points += question.wish_points[wish]
        first = question.first_language >= 0 and is_set(planes, question.first_language, rows[place])
        points += question.first_language_points if first else question.other_language_points
        if question.fee_points:
            points += question.fee_points * (question.fee - row.fee) // question.fee
        own, way = _best_way(row, question, terms, ways[place])
        points += own
        if kept < best.size or points - row.price >= best[kept - 1].order:
            kept = _insert(best, kept, row, way, in_person, points)
    return kept


@_compiled
def points_by_district(metres: Array, question: Question, terms: Terms) -> Array:
    """The points for distance of every district, or -1 where it is too far for this client."""
    near = np.full(metres.size, TOO_FAR, np.int64)
    if question.in_person:
        for district in range(metres.size):
            if 0 <= metres[district] <= question.metres:
                near[district] = 0
                for band in range(terms.band_metres.size):
                    if metres[district] <= terms.band_metres[band]:
                        near[district] = terms.band_points[band]
                        break
    return near


@_compiled
def is_set(planes: Array, plane: int, row: int) -> bool:
    """Whether a plane holds a mark for a row."""
    return bool((planes[plane, row >> 6] >> np.uint64(row & 63)) & np.uint64(1))


@_compiled
def _best_way(row: Row, question: Question, terms: Terms, ways: int) -> tuple[Any, int]:
    """The points of the pathway that suits the therapist best, the first of equals, and its place."""
    most: Any = _LEAST
    chosen = 0
    for way in range(question.variants.size):
        if (ways >> way) & 1:
            closed = min(int(row.cases[question.variants[way]]), terms.experience.size - 1)
            points = question.evidence[way] + terms.experience[closed]
            if points > most:
                most, chosen = points, way
    return most, chosen


@_compiled
def _insert(  # noqa: PLR0917
    best: Array, kept: int, row: Row, way: int, in_person: bool, score: int
) -> int:
    order = score - row.price
    if kept == best.size and not _goes_before(row, order, best[kept - 1]):
        return kept
    place = min(kept, best.size - 1)
    while place > 0 and _goes_before(row, order, best[place - 1]):
        best[place] = best[place - 1]
        place -= 1
    best[place].id_high = row.id_high
    best[place].id_low = row.id_low
    best[place].way = way
    best[place].in_person = in_person
    best[place].score = score
    best[place].order = order
    return min(kept + 1, best.size)


@_compiled
def _goes_before(row: Row, order: int, other: Row) -> bool:
    if order != other.order:
        return bool(order > other.order)
    return bool(row.id_high < other.id_high or (row.id_high == other.id_high and row.id_low < other.id_low))
