"""Who would come first if the client had one time more, compiled."""

import numba as nb
import numpy as np

from services.matching.domain.engine.asking import Question
from services.matching.domain.engine.bits import ones, trailing_zeros
from services.matching.domain.engine.columns import Array, Table
from services.matching.domain.engine.scanning import (
    IN_PERSON,
    ONLINE,
    TOO_FAR,
    Desk,
    best_way,
    goes_before,
    is_set,
    more,
    most_more,
    name,
    pass_planes,
    survivors,
)
from services.matching.domain.engine.terms import Terms

_compiled = nb.njit(cache=True, error_model="numpy", nogil=True)


@_compiled
def retime(  # noqa: PLR0917 - compiled code takes its arrays one by one
    table: Table, blocked: Array, near: Array, question: Question, terms: Terms, desk: Desk, best: Array
) -> None:
    """Writes who would come first instead into `best`, which for every time holds who comes first now.

    Only somebody who has that time themselves can: to all others it brings nothing.
    """
    pass_planes(table.planes, question, desk)
    found = survivors(table, blocked, near, question, desk)
    # Taken out of their tuples once: within the loop each look would count references.
    ids, scored, planes, rows, free = table.kept, table.scored, table.planes, desk.rows, desk.free
    by_conditions, by_slots, experience = question.condition_points, terms.slots, terms.experience
    live, formats, variants, evidence = (
        question.live,
        question.formats,
        question.variants,
        question.evidence,
    )
    wishes, wish_points = question.wishes, question.wish_points
    language, first_points = question.first_language, question.first_language_points
    other_points, fee_points = question.other_language_points, question.fee_points
    may_travel, may_call, dearest = question.in_person, question.online, question.fee
    wanted_areas, wanted_conditions = np.uint64(question.areas), np.uint64(question.conditions)
    wanted_slots, area_points = np.uint64(question.slots), question.area_points
    credit, most, floor = question.credit, most_more(question, terms), best[0].order
    for place in range(found):
        number = rows[place]
        row = scored[number]
        in_person = may_travel & ((row.modes & IN_PERSON) != 0) & (near[row.district] != TOO_FAR)
        passes = free[place] & (row.fee <= dearest) & (in_person | (may_call & ((row.modes & ONLINE) != 0)))
        points = row.standing + (near[row.district] if in_person else 0)
        points += area_points * np.int64(ones(row.areas & wanted_areas))
        points += by_conditions[ones(row.conditions & wanted_conditions)]
        others = row.slots & ~wanted_slots
        points += by_slots[ones(row.slots & wanted_slots) + np.uint64(others != 0)]
        price = max(row.price - credit, 0)
        # Hardly anybody can come before the first, even with a time more.
        if not passes or not others or points + most - price < floor:
            continue
        own, way = best_way(planes, row, number, live, formats, variants, evidence, experience)
        speaks = language >= 0 and is_set(planes, language, number)
        points += own + more(
            row, wishes, wish_points, speaks, first_points, other_points, dearest, fee_points
        )
        while others:
            slot = trailing_zeros(others)
            others &= others - np.uint64(1)
            if goes_before(ids, number, points - price, best[slot]):
                best[slot].row, best[slot].way, best[slot].in_person = number, way, in_person
                best[slot].score, best[slot].order = points, points - price
    name(ids, best)
