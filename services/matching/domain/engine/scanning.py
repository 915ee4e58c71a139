"""The loops over who passes the gates, compiled: what each is worth, and the best of them."""

from typing import Any

import numpy as np

from services.matching.domain.compiled import compiled
from services.matching.domain.engine.asking import Question
from services.matching.domain.engine.bits import ones, trailing_zeros
from services.matching.domain.engine.columns import Array, Row, Table
from services.matching.domain.engine.passing import TOO_FAR, keep_hopeful, keep_near, part, pass_planes
from services.matching.domain.engine.terms import Terms

IN_PERSON, ONLINE = 1, 2
_LEAST = np.int64(-(2**62))


BEST = np.dtype(
    [
        ("row", np.int64),
        ("pathway", np.int64),  # place among the question's pathways
        ("in_person", np.int64),
        ("score", np.int64),
        ("order", np.int64),  # score minus what counts of the price: what the list is ordered by
        ("id_high", np.uint64),
        ("id_low", np.uint64),
    ]
)
"""One of the best, in order."""


@compiled
def search(  # noqa: PLR0917 - compiled code takes its arrays one by one
    table: Table, blocked: Array, near: Array, question: Question, terms: Terms, desk: Array, best: Array
) -> int:
    """Writes the best rows into `best`, the lower id first where two are equal; returns how many.

    `near` holds the points for distance of every district, or -1 where it is too far for this client; `desk`
    is room to work in, two words for every 64 rows.
    """
    return _look(table, blocked, near, question, terms, desk, best, False)


@compiled
def retime(  # noqa: PLR0917
    table: Table, blocked: Array, near: Array, question: Question, terms: Terms, desk: Array, best: Array
) -> None:
    """Writes who would come first with a time more into `best`, which for every time holds who does now."""
    _look(table, blocked, near, question, terms, desk, best, True)


@compiled
def _name(ids: Array, best: Array) -> None:
    """Writes beside each of the best whose row it is."""
    for place in range(best.size):
        best[place].id_high = ids[best[place].row].id_high
        best[place].id_low = ids[best[place].row].id_low


@compiled
def points_by_district(metres: Array, limit: int, terms: Terms) -> Array:
    """The points for distance of every district, or -1 where it is too far for this client."""
    near = np.full(metres.size, TOO_FAR, np.int16)
    for district in range(metres.size):
        if 0 <= metres[district] <= limit:
            near[district] = 0
            for band in range(terms.band_metres.size):
                if metres[district] <= terms.band_metres[band]:
                    near[district] = terms.band_points[band]
                    break
    return near


@compiled
def _look(  # noqa: PLR0917
    table: Table,
    blocked: Array,
    near: Array,
    question: Question,
    terms: Terms,
    desk: Array,
    best: Array,
    retimes: bool,
) -> int:
    """Goes through who works with all that the client brings, then through who may still come before them."""
    words, others = desk[0], desk[1]
    pass_planes(table.planes, question, words, others)
    if not question.online:
        keep_near(words, near, table.lowest, table.highest)
    part(table.planes, question, words, others)
    kept = _go_through(table, blocked, near, question, terms, words, best, 0, retimes)
    spare = _most(near, question, terms) - _floor(best, kept, retimes)
    keep_hopeful(table, near, question, others, spare)
    kept = _go_through(table, blocked, near, question, terms, others, best, kept, retimes)
    _name(table.kept, best if retimes else best[:kept])
    return kept


@compiled
def _floor(best: Array, kept: int, retimes: bool) -> Any:
    """What somebody must have to come among the best, or at some time first."""
    if retimes:
        # Whoever has been found for one time need not be reached at another.
        least = best[0].order
        for slot in range(best.size):
            least = min(least, best[slot].order)
        return least
    return best[kept - 1].order if kept == best.size else _LEAST


@compiled
def _most(near: Array, question: Question, terms: Terms) -> Any:
    """The most points that anybody can have."""
    points = terms.most_standing + max(near.max(), 0) + question.area_points * question.area_planes.size
    points += question.condition_points[question.condition_planes.size] + terms.slots[terms.slots.size - 1]
    return points + most_more(question, terms)


@compiled
def _go_through(  # noqa: PLR0917
    table: Table,
    blocked: Array,
    near: Array,
    question: Question,
    terms: Terms,
    words: Array,
    best: Array,
    kept: int,
    retimes: bool,
) -> int:
    """Scores who is marked in `words`, and keeps the best; or, for every time, whoever it would put first."""
    most = most_more(question, terms)
    # Whatever is used within the loop is taken out of its tuple: each look into one, and each call that is
    # given one, would count references to all of its arrays.
    ids, scored, planes = table.kept, table.scored, table.planes
    by_conditions, by_slots, experience = question.condition_points, terms.slots, terms.experience
    pathways, wishes = question.pathways, question.wishes
    language, first_points = question.first_language, question.first_language_points
    other_points, fee_points = question.other_language_points, question.fee_points
    may_travel, may_call, dearest = question.in_person, question.online, question.fee
    wanted_areas, wanted_conditions = np.uint64(question.areas), np.uint64(question.conditions)
    wanted_slots, area_points = np.uint64(question.slots), question.area_points
    credit = question.credit
    floor = _floor(best, kept, retimes)
    for word in range(words.size):
        passing = words[word]
        while passing:
            number: Any = word * 64 + np.int64(trailing_zeros(passing))
            passing &= passing - np.uint64(1)
            row = scored[number]
            in_person = may_travel & ((row.modes & IN_PERSON) != 0) & (near[row.district] != TOO_FAR)
            passes = (row.fee <= dearest) & (in_person | (may_call & ((row.modes & ONLINE) != 0)))
            # Only somebody who has a further time themselves can come first by it.
            others = row.slots & ~wanted_slots if retimes else np.uint64(0)
            points = row.standing + (near[row.district] if in_person else 0)
            points += area_points * np.int64(ones(row.areas & wanted_areas))
            points += by_conditions[ones(row.conditions & wanted_conditions)]
            points += by_slots[ones(row.slots & wanted_slots) + np.uint64(others != 0)]
            price = max(row.price - credit, 0)
            # One jump, hardly ever taken: most cannot come near the best any more.
            if not passes or points + most - price < floor:
                continue
            own, pathway = _best_pathway(planes, row, number, pathways, experience)
            speaks = language >= 0 and is_set(planes, language, number)
            points += own + _more(row, wishes, speaks, first_points, other_points, dearest, fee_points)
            order = points - price
            # Who they are lies elsewhere in memory, and only of the best it is asked.
            if order < floor or _is_blocked(ids[number], blocked):
                continue
            while others:
                slot = trailing_zeros(others)
                others &= others - np.uint64(1)
                if _goes_before(ids, number, order, best[slot]):
                    _write(best[slot], number, pathway, in_person, points, order)
            if not retimes:
                kept = _insert(ids, best, kept, number, pathway, in_person, points, order)
                if kept == best.size:
                    floor = best[kept - 1].order
    return kept


@compiled
def _is_blocked(entry: Row, blocked: Array) -> bool:
    for place in range(blocked.size):
        each = blocked[place]
        if each.id_low == entry.id_low and each.id_high == entry.id_high:
            return bool(entry.seats_free <= each.seats)
    return False


@compiled
def most_more(question: Question, terms: Terms) -> Any:
    """The most points that `more` and `best_pathway` can bring."""
    points = question.fee_points + max(question.first_language_points, question.other_language_points)
    for wish in range(question.wishes.size):
        points += question.wishes[wish].points
    pathway_most: Any = np.int64(0)
    for pathway in range(question.pathways.size):
        pathway_most = max(pathway_most, question.pathways[pathway].points)
    return points + pathway_most + terms.experience[terms.experience.size - 1]


@compiled
def _more(  # noqa: PLR0917
    row: Row,
    wishes: Array,
    first_language: bool,
    first_points: int,
    other_points: int,
    fee: int,
    fee_points: int,
) -> Any:
    """The points for wishes, language and fee."""
    points = np.int64(first_points if first_language else other_points)
    for wish in range(wishes.size):
        points += wishes[wish].points * ((row.traits & wishes[wish].trait) != 0)
    if fee_points:
        points += fee_points * (fee - row.fee) // fee
    return points


@compiled
def is_set(planes: Array, plane: int, row: int) -> bool:
    """Whether a plane holds a mark for a row."""
    return bool((planes[plane, row >> 6] >> np.uint64(row & 63)) & np.uint64(1))


@compiled
def _best_pathway(
    planes: Array,
    row: Row,
    number: int,
    pathways: Array,
    experience: Array,
) -> tuple[Any, int]:
    """The points of the pathway that suits the therapist best, the first of equals, and its place."""
    most: Any = _LEAST
    chosen = 0
    for pathway in range(pathways.size):
        each = pathways[pathway]
        if is_set(planes, each.live, number) and is_set(planes, each.format, number):
            closed = min(int(row.cases[each.variant]), experience.size - 1)
            points = each.points + experience[closed]
            if points > most:
                most, chosen = points, pathway
    return most, chosen


@compiled
def _insert(  # noqa: PLR0917
    ids: Array, best: Array, kept: int, row: int, pathway: int, in_person: bool, score: int, order: int
) -> int:
    if kept == best.size and not _goes_before(ids, row, order, best[kept - 1]):
        return kept
    place = min(kept, best.size - 1)
    while place > 0 and _goes_before(ids, row, order, best[place - 1]):
        best[place] = best[place - 1]
        place -= 1
    _write(best[place], row, pathway, in_person, score, order)
    return min(kept + 1, best.size)


@compiled
def _write(one: Row, row: int, pathway: int, in_person: bool, score: int, order: int) -> None:  # noqa: PLR0917
    one.row, one.pathway, one.in_person, one.score, one.order = row, pathway, in_person, score, order


@compiled
def _goes_before(ids: Array, row: int, order: int, other: Row) -> bool:
    if order != other.order:
        return bool(order > other.order)
    one, two = ids[row], ids[other.row]
    return bool(one.id_high < two.id_high or (one.id_high == two.id_high and one.id_low < two.id_low))
