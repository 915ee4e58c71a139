"""Who passes the gates, and which of them may still come before others, as planes of bits, compiled."""

from typing import Any

import numpy as np

from services.matching.domain.compiled import compiled
from services.matching.domain.engine.asking import Question
from services.matching.domain.engine.columns import Array, Table

TOO_FAR = -1
_WITHOUT_END = np.int64(2**62)


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
def part(planes: Array, question: Question, words: Array, others: Array) -> None:
    """Leaves in `words` who works with every area and condition of the client, and in `others` the rest."""
    others[:] = words
    _keep_every(words, planes, question.area_planes)
    _keep_every(words, planes, question.condition_planes)
    for word in range(words.size):
        others[word] &= ~words[word]


@compiled
def keep_hopeful(table: Table, near: Array, question: Question, words: Array, spare: int) -> None:
    """Leaves of those who lack an area or a condition whoever may lose by it no more than `spare` points."""
    planes, points, named = table.planes, question.condition_points, question.condition_planes.size
    least: Any = _WITHOUT_END
    if question.area_points > spare:
        _keep_every(words, planes, question.area_planes)
    else:
        least = question.area_points
    if named > 0 and points[named] - points[named - 1] > spare:
        _keep_every(words, planes, question.condition_planes)
    elif named > 0:
        least = min(least, points[named] - points[named - 1])
    if least + max(near.max(), 0) > spare:
        keep_near(words, near, table.lowest, table.highest)


@compiled
def keep_near(words: Array, near: Array, lowest: Array, highest: Array) -> None:
    """Leaves only the words in which somebody has a district within the client's limit."""
    for word in range(words.size):
        if words[word] and not _any_near(near, lowest[word], highest[word]):
            words[word] = 0


@compiled
def _any_near(near: Array, lowest: int, highest: int) -> bool:
    for district in range(lowest, highest + 1):  # noqa: SIM110
        if near[district] != TOO_FAR:
            return True
    return False


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
