"""How many therapists each gate keeps out of a search, compiled."""

import numpy as np

from services.matching.domain.compiled import compiled
from services.matching.domain.engine.asking import Question
from services.matching.domain.engine.barring import (
    ACCREDITATION,
    AGE_GROUP,
    EXCLUDED,
    FORMAT,
    GATES,
    LANGUAGE,
    MODE,
    PRIVATE_PRACTICE,
    REGISTRATION,
    bar,
    bar_by_place_and_fee,
    bar_on,
)
from services.matching.domain.engine.bits import ones
from services.matching.domain.engine.columns import Array, Layout, Table


@compiled
def tally(  # noqa: PLR0917 - compiled code takes its arrays one by one
    layout: Layout,
    table: Table,
    near: Array,
    question: Question,
    everybody: Array,
    excluded: Array,
    without_seat: Array,
    kept_out: Array,
) -> None:
    """Counts every therapist who passes on no pathway at the last gate that any pathway led to.

    `everybody`, `excluded` and `without_seat` hold a bit for each row.
    """
    planes, pathways = table.planes, question.pathways.size
    barred = np.empty((GATES, everybody.size), np.uint64)
    stopped = np.zeros((GATES, everybody.size), np.uint64)
    going_on = np.empty((pathways, everybody.size), np.uint64)
    wanted = np.zeros(everybody.size, np.uint64)
    bar(layout, planes, question, excluded, without_seat, barred)
    for pathway in range(pathways):
        bar_on(layout, planes, question, pathway, barred)
        rest = going_on[pathway]
        rest[:] = everybody
        _stop(stopped, barred, rest, EXCLUDED)
        _stop(stopped, barred, rest, REGISTRATION)
        # Without a core profession the KSA route is what is looked at first.
        unregistered = rest & ~planes[layout.registered]
        stopped[PRIVATE_PRACTICE] |= unregistered
        rest &= ~unregistered
        for gate in (ACCREDITATION, PRIVATE_PRACTICE, AGE_GROUP, FORMAT, LANGUAGE):
            _stop(stopped, barred, rest, gate)
        wanted |= rest
    bar_by_place_and_fee(table, near, question, wanted, barred)
    passed = np.zeros(everybody.size, np.uint64)
    for pathway in range(pathways):
        for gate in range(MODE, GATES):
            _stop(stopped, barred, going_on[pathway], gate)
        passed |= going_on[pathway]
    for gate in range(GATES - 1, -1, -1):
        for word in range(everybody.size):
            kept_out[gate] += np.int64(ones(stopped[gate, word] & ~passed[word]))
        # Whoever was counted at a later gate is not counted again.
        passed |= stopped[gate]


@compiled
def _stop(stopped: Array, barred: Array, rest: Array, gate: int) -> None:
    """Notes who is stopped at a gate, and leaves the others."""
    for word in range(rest.size):
        stopped[gate, word] |= rest[word] & barred[gate, word]
        rest[word] &= ~barred[gate, word]
