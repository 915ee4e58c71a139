"""How the directory lies in memory: a plane of bits per fact for gates, a short row each for points."""

from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from services.matching.domain.therapist import AgeGroup, Approach, Gender
from shared.contract.vocabulary import Condition, Format, Mode, PreferenceAbout, ProblemArea, Slot, Variant

Array = npt.NDArray[Any]
Row = Any
"""A record of the table."""


def _bits(*words: StrEnum) -> dict[str, int]:
    return {word: place for place, word in enumerate(words)}


VARIANT = _bits(*Variant)
FORMAT = _bits(*Format)
AGE_GROUP = _bits(*AgeGroup)
AREA = _bits(*ProblemArea)
CONDITION = _bits(*Condition)
SLOT = _bits(*Slot)
MODE = _bits(Mode.IN_PERSON, Mode.ONLINE)
# What a client may wish for in a therapist.
TRAIT = _bits(
    *Gender,
    *Approach,
    PreferenceAbout.LGBTQ_AFFIRMING,
    PreferenceAbout.NEURODIVERGENCE_AFFIRMING,
    PreferenceAbout.FAITH_AWARE,
)


class Layout(NamedTuple):
    """Where each group of planes begins. A plane holds one bit for each row."""

    live: int  # may be proposed today for the variant, and has a seat free
    qualified: int  # may be proposed today for the variant as soon as a seat is free
    accredited: int  # for the variant, today, by whatever route
    by_ksa: int  # for the variant
    registered: int  # today
    fresh: int  # confirmed lately enough
    in_time: int  # free soon enough
    seated: int  # has a seat free
    formats: int
    ages: int
    modes: int
    traits: int
    areas: int
    conditions: int
    nobody: int  # always empty
    languages: int  # one plane for each language that somebody meets


def _laid_out(*sizes: int) -> Layout:
    return Layout(*(sum(sizes[:place]) for place in range(len(sizes) + 1)))


_OF_VARIANTS = [len(VARIANT)] * 4
LAYOUT = _laid_out(
    *_OF_VARIANTS,
    *(1, 1, 1, 1),
    *map(len, (FORMAT, AGE_GROUP, MODE, TRAIT, AREA, CONDITION)),
    1,
)

LIVE_BY_VARIANT = np.array(
    [(LAYOUT.qualified + variant, LAYOUT.live + variant) for variant in range(len(VARIANT))], np.int64
)
"""The plane for who is qualified, and the one for who has a seat besides."""

_EPOCH = date(2000, 1, 1).toordinal()
NEVER = 0
"""A credential that is not held."""

MOST_CASES = 255
"""More closed cases than this are not told apart; the policy's cap is below it."""


SCORED = np.dtype(
    [
        ("fee", np.int32),  # pence
        ("price", np.int32),  # points
        ("slots", np.uint32),
        ("conditions", np.uint16),
        ("district", np.uint16),  # place in the table of districts; 0 for one that is not known
        ("standing", np.int16),  # points that are the same for every client on this day
        ("areas", np.uint8),
        ("traits", np.uint8),
        ("modes", np.uint8),
        ("cases", np.uint8, len(VARIANT)),
        ("_", np.uint8, 4),
    ]
)
"""What scoring needs of one therapist, in 32 bytes side by side: half a line of the processor's memory."""

KEPT = np.dtype(
    [
        ("id_high", np.uint64),
        ("id_low", np.uint64),
        ("seats_free", np.int16),
        ("seats_offered", np.int16),
        ("confirmed", np.uint16),  # days since 2000
        ("registered_until", np.uint16),  # days since 2000
        ("accredited_until", np.uint16, len(VARIANT)),  # days since 2000, by variant
        ("free_from", np.uint16),  # days since 2000; 0 for at once
        ("outcome", np.int16),  # points
        ("ksa", np.uint8),  # a bit for each variant that was reached by the KSA route
        ("formats", np.uint8),
        ("ages", np.uint8),
    ]
)
"""What else is known of one therapist; planes are painted from it."""


class Table(NamedTuple):
    """The directory: two records and a column of bits for each therapist."""

    scored: Array
    kept: Array
    planes: Array
    lowest: Array  # district of the 64 rows of each word
    highest: Array


def empty_table(rows: int, planes: int) -> Table:
    """Room for so many rows; nobody is in them."""
    words = -(-rows // 64)
    return Table(
        scored=np.zeros(rows, SCORED),
        kept=np.zeros(rows, KEPT),
        planes=np.zeros((planes, words), np.uint64),
        lowest=np.full(words, 65_535, np.uint16),
        highest=np.zeros(words, np.uint16),
    )


class Seats(NamedTuple):
    """How many places a therapist offers, and how many of them are free."""

    number: int
    """The therapist's id as one number."""

    free: int
    offered: int


def day_number(day: date) -> int:
    """Days since 2000, from 1; what lies outside the range of the column is held at its ends."""
    return min(max(day.toordinal() - _EPOCH, 1), 65_535)
