"""Who passes the gates, and which of them may still come before others, as planes of bits, compiled."""

from typing import Any

import numpy as np

from services.matching.domain.compiled import compiled
from services.matching.domain.engine.asking import Question
from services.matching.domain.engine.bits import ones
from services.matching.domain.engine.columns import Array

TOO_FAR = -1


@compiled
def pass_planes(planes: Array, question: Question, words: Array, others: Array) -> None:
    """Leaves in `words` the rows that pass all gates but fee and distance, a plane at a time."""
    # Arrays are taken out of their tuples before a loop: within it each look would count references.
    pathways = question.pathways
    words[:] = 0
    for pathway in range(pathways.size):
        _add_both(words, planes[pathways[pathway].live], planes[pathways[pathway].format])
    _keep_any(words, others, planes, question.any_age)
    _keep_any(words, others, planes, question.any_language)
    _keep_any(words, others, planes, question.any_mode)
    _keep_every(words, planes, question.every)


@compiled
def keep_hopeful(  # noqa: PLR0917
    planes: Array,
    near: Array,
    lowest: Array,
    highest: Array,
    question: Question,
    by_slots: Array,
    further: int,
    words: Array,
    start: int,
    end: int,
    least: int,
) -> None:
    """Leaves in these words whoever may get so many points for place, areas, conditions and times together.

    `further` so many times are shared besides those that the client named.
    """
    nearest = _most_near(near, lowest, highest, start, end)
    if not question.online:
        if nearest == TOO_FAR:
            words[start:end] = 0
            return
        _keep_near(words, near, lowest, highest, start, end)
    least -= max(nearest, 0)
    # Of few each is sooner looked at than all of their planes.
    if least > 0 and _count(words, start, end) > end - start:
        _keep_sharing(planes, question, by_slots, further, words[start:end], start, least)


@compiled
def _keep_sharing(  # noqa: PLR0917
    planes: Array, question: Question, by_slots: Array, further: int, words: Array, first: int, least: int
) -> None:
    """Leaves in these words, those of the planes from `first` on, who shares enough with the client."""
    area_points, by_conditions = question.area_points, question.condition_points
    areas = _at_least(planes, question.area_planes, question.area_planes.size, first, words.size)
    conditions = _at_least(planes, question.condition_planes, by_conditions.size - 1, first, words.size)
    # More shared times than bring points need not be told apart.
    most = 0
    while most < question.slot_planes.size and by_slots[most] < by_slots[by_slots.size - 1]:
        most += 1
    slots = _at_least(planes, question.slot_planes, most, first, words.size)
    hopeful = np.zeros(words.size, np.uint64)
    for area in range(areas.shape[0]):
        for condition in range(conditions.shape[0]):
            points = area * area_points + by_conditions[condition]
            slot = 0
            while slot <= most and points + by_slots[min(slot + further, by_slots.size - 1)] < least:
                slot += 1
            if slot <= most:
                _add_all(hopeful, areas[area], conditions[condition], slots[slot])
    _keep(words, hopeful)


@compiled
def _at_least(planes: Array, chosen: Array, most: int, first: int, size: int) -> Array:
    """For each number up to `most` a plane of who has so many of the chosen marks or more."""
    found = np.zeros((most + 1, size), np.uint64)
    found[0] = ~np.uint64(0)
    for plane in chosen:
        marks = planes[plane, first : first + size]
        for number in range(most, 0, -1):
            _add_both(found[number], found[number - 1], marks)
    return found


@compiled
def _count(words: Array, start: int, end: int) -> Any:
    """How many rows are marked in these words."""
    marked = np.uint64(0)
    for word in range(start, end):
        marked += ones(words[word])
    return np.int64(marked)


@compiled
def _most_near(near: Array, lowest: Array, highest: Array, start: int, end: int) -> Any:
    """The most points for distance that anybody in these words can have, or -1 where all are too far."""
    first, last = np.int64(near.size), np.int64(-1)
    for word in range(start, end):
        first, last = min(first, np.int64(lowest[word])), max(last, np.int64(highest[word]))
    most = np.int16(TOO_FAR)
    for district in range(first, last + 1):
        most = max(most, near[district])
    return np.int64(most)


@compiled
def _keep_near(  # noqa: PLR0917
    words: Array, near: Array, lowest: Array, highest: Array, start: int, end: int
) -> None:
    """Leaves in these words only those with a district within the client's limit."""
    for word in range(start, end):
        if words[word] and _most_near(near, lowest, highest, word, word + 1) == TOO_FAR:
            words[word] = 0


@compiled
def _keep_any(words: Array, others: Array, planes: Array, chosen: Array) -> None:
    if chosen.size == 1:
        _keep(words, planes[chosen[0]])
        return
    others[:] = 0
    for plane in chosen:
        _add_both(others, planes[plane], planes[plane])
    _keep(words, others)


@compiled
def _keep_every(words: Array, planes: Array, chosen: Array) -> None:
    for plane in chosen:
        _keep(words, planes[plane])


@compiled
def _keep(words: Array, plane: Array) -> None:
    for word in range(words.size):
        words[word] &= plane[word]


@compiled
def _add_both(words: Array, one: Array, other: Array) -> None:
    for word in range(words.size):
        words[word] |= one[word] & other[word]


@compiled
def _add_all(words: Array, one: Array, two: Array, three: Array) -> None:
    for word in range(words.size):
        words[word] |= one[word] & two[word] & three[word]
