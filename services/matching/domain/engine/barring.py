"""Which therapists each gate bars, as planes of bits, compiled."""

import numpy as np

from services.matching.domain.compiled import compiled
from services.matching.domain.engine.asking import Question
from services.matching.domain.engine.bits import trailing_zeros
from services.matching.domain.engine.columns import Array, Layout, Table
from services.matching.domain.engine.passing import TOO_FAR
from services.matching.domain.engine.scanning import IN_PERSON, ONLINE
from services.matching.domain.gates import Gate

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
START = 12
SEAT = 13
GATES = 14

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
    "START",
    "SEAT",
]


@compiled
def bar(  # noqa: PLR0917
    layout: Layout, planes: Array, question: Question, excluded: Array, without_seat: Array, barred: Array
) -> None:
    """Marks whom the gates bar that are the same on every pathway, but for those of place and fee."""
    every = question.every
    barred[EXCLUDED] = excluded
    barred[AGE_GROUP] = ~np.uint64(0)
    for plane in question.any_age:
        barred[AGE_GROUP] &= ~planes[plane]
    barred[LANGUAGE] = ~np.uint64(0)
    for plane in question.any_language:
        barred[LANGUAGE] &= ~planes[plane]
    barred[MUST_HAVE] = np.uint64(0)
    for plane in every:
        barred[MUST_HAVE] |= ~planes[plane]
    barred[FRESH] = ~planes[layout.fresh]
    barred[START] = ~planes[layout.in_time]
    barred[SEAT] = ~planes[layout.seated] | without_seat


@compiled
def bar_on(layout: Layout, planes: Array, question: Question, pathway: int, barred: Array) -> None:
    """Marks whom the gates bar that differ from pathway to pathway."""
    variant = question.pathways[pathway].variant
    by_ksa = planes[layout.by_ksa + variant]
    barred[REGISTRATION] = ~(planes[layout.registered] | by_ksa)
    barred[ACCREDITATION] = ~planes[layout.accredited + variant]
    barred[PRIVATE_PRACTICE] = by_ksa
    barred[FORMAT] = ~planes[question.pathways[pathway].format]


@compiled
def bar_by_place_and_fee(table: Table, near: Array, question: Question, wanted: Array, barred: Array) -> None:
    """Marks whom place and fee bar, of those that are wanted: these gates look at each by themselves."""
    # Taken out of their tuples once: within the loop each look would count references.
    scored, dearest = table.scored, question.fee
    would_travel, may_travel, may_call = question.would_travel, question.in_person, question.online
    for gate in (MODE, DISTANCE, FEE):
        barred[gate] = np.uint64(0)
    for word in range(wanted.size):
        rest = wanted[word]
        mode = distance = fee = np.uint64(0)
        while rest:
            bit = trailing_zeros(rest)
            rest &= rest - np.uint64(1)
            row = scored[word * 64 + np.int64(bit)]
            travels = (row.modes & IN_PERSON) != 0
            meets = (may_travel & travels & (near[row.district] != TOO_FAR)) | (
                may_call & ((row.modes & ONLINE) != 0)
            )
            too_far = would_travel & travels
            distance |= np.uint64(not meets and too_far) << bit
            mode |= np.uint64(not meets and not too_far) << bit
            fee |= np.uint64(row.fee > dearest) << bit
        barred[MODE, word], barred[DISTANCE, word], barred[FEE, word] = mode, distance, fee
