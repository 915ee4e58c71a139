"""A search as numbers: what the scan has to compare, and the points for each answer."""

from collections.abc import Collection, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from services.matching.domain.engine.columns import (
    AGE_GROUP,
    AREA,
    CONDITION,
    FORMAT,
    LAYOUT,
    MODE,
    SLOT,
    TRAIT,
    VARIANT,
    Array,
)
from services.matching.domain.flags import flagged
from services.matching.domain.gates import Search
from services.matching.domain.languages import wanted
from services.matching.domain.pathways import pathways_of
from services.matching.domain.policy import Policy
from shared.contract.intake import Preference
from shared.contract.vocabulary import Condition, Format, Mode, PreferenceAbout, Strength, Therapy, Variant

_NO_LIMIT = 2**31 - 1
_UNSPOKEN = -1
_OLDEST = 150


PATHWAY = np.dtype(
    [
        ("live", np.int64),  # plane
        ("format", np.int64),  # plane
        ("variant", np.int64),
        ("points", np.int64),  # for its evidence and format, whoever gives it
        ("format_points", np.int64),  # what of these is for the format
    ]
)
"""One pathway as the scan reads it."""

WISH = np.dtype([("trait", np.int64), ("points", np.int64)])
"""The bit of a trait, and what it brings."""


class Question(NamedTuple):
    """One search as the scan reads it."""

    pathways: Array
    any_age: Array  # planes, of which one must be set
    any_language: Array  # planes, of which one must be set
    any_mode: Array  # planes, of which one must be set
    every: Array  # planes, of which each must be set
    first_language: int  # plane, or -1 if nobody speaks it
    first_language_points: int
    other_language_points: int
    would_travel: bool
    in_person: bool  # would, and it is known from where
    online: bool
    fee: int
    fee_points: int
    slots: int
    areas: int
    area_points: int
    area_planes: Array
    conditions: int
    condition_planes: Array
    condition_points: Array  # by how many of the named ones somebody knows
    wishes: Array
    credit: int  # points of a price that do not count


class _Facts(NamedTuple):
    """All of a case that decides which pathways fit and how well they are supported."""

    age: int
    therapy: Therapy
    format: Format
    conditions: tuple[Condition, ...]
    attending_adult: bool
    diagnosed: bool | None
    acute: bool


class PathwayNumbers(NamedTuple):
    """The pathways of a search as numbers, and the variants that these stand for, in the same order."""

    seated: Array  # for whoever has a seat free
    qualified: Array  # for whoever would be proposed with a seat free
    names: tuple[Variant, ...]

    def narrowed(self, only: Variant) -> "PathwayNumbers":
        """That of one variant alone."""
        place = self.names.index(only)
        return PathwayNumbers._make(each[place : place + 1] for each in self)


class Asker:
    """Turns searches into questions under one policy."""

    def __init__(self, policy: Policy, language_planes: Mapping[str, int]) -> None:
        self._policy = policy
        self._language_planes = language_planes
        self._pathways: dict[_Facts, PathwayNumbers] = {}
        self._ages = [_age_planes(age, policy) for age in range(_OLDEST + 1)]

    def question(self, search: Search, pathways: PathwayNumbers) -> Question:
        """The search as numbers."""
        case, weights = search.case, self._policy.weights
        planes = self._language_planes
        counted = wanted(case.languages)
        languages = tuple(planes[code] for code in counted if code in planes)
        wishes = [(_trait(wish), wish.strength) for wish in case.preferences]
        named = set(case.conditions)
        musts = [bit for bit, strength in wishes if strength is Strength.MUST]
        in_person, online = case.mode is not Mode.ONLINE, case.mode is not Mode.IN_PERSON
        met = [(1 << bit, weights.preference.of(strength)) for bit, strength in wishes if bit is not None]
        return Question(
            pathways=pathways.seated,
            any_age=self._ages[min(search.age, _OLDEST)],
            any_language=_numbers(languages),
            any_mode=_MODES[in_person, online],
            every=_must_planes(musts),
            first_language=planes.get(counted[0], _UNSPOKEN),
            first_language_points=weights.preferred_language,
            other_language_points=weights.other_language,
            would_travel=in_person,
            in_person=in_person and search.position is not None,
            online=online,
            fee=_NO_LIMIT if case.max_fee_pence is None else case.max_fee_pence,
            fee_points=weights.fee if case.max_fee_pence else 0,
            slots=_mask(case.availability, SLOT),
            areas=_mask([area.area for area in search.areas], AREA),
            area_planes=_numbers(tuple(LAYOUT.areas + AREA[area.area] for area in search.areas)),
            area_points=weights.problem_area // max(len(search.areas), 1),
            conditions=_mask(named, CONDITION),
            condition_planes=_numbers(tuple(LAYOUT.conditions + CONDITION[each] for each in sorted(named))),
            condition_points=_condition_points(weights.condition, len(named)),
            wishes=_wishes(tuple(met)),
            credit=search.credit,
        )

    def regardless(self, search: Search, pathways: PathwayNumbers) -> Question:
        """The search as numbers, whoever has a seat free and whatever anybody costs."""
        return self.question(search, pathways)._replace(pathways=pathways.qualified, credit=_NO_LIMIT)

    def pathways(self, search: Search) -> PathwayNumbers:
        """The pathways that fit."""
        case = search.case
        facts = _Facts(
            search.age,
            case.therapy,
            case.format,
            case.conditions,
            case.attending_adult,
            case.diagnosed,
            flagged(case, self._policy.acute_flags),
        )
        pathways = self._pathways.get(facts)
        if pathways is None:
            if len(self._pathways) >= _MOST_REMEMBERED:
                self._pathways.clear()
            pathways = self._pathways[facts] = self._work_out(search)
        return pathways

    def _work_out(self, search: Search) -> PathwayNumbers:
        pathways = pathways_of(search.case, search.on, self._policy).fitting
        weights = self._policy.weights
        rows = [
            (
                LAYOUT.formats + FORMAT[each.format],
                VARIANT[each.variant],
                weights.of_pathway(each.evidence, as_asked=(as_asked := each.format is search.case.format)),
                weights.format if as_asked else 0,
            )
            for each in pathways
        ]
        return PathwayNumbers(
            seated=np.array([(LAYOUT.live + row[1], *row) for row in rows], PATHWAY),
            qualified=np.array([(LAYOUT.qualified + row[1], *row) for row in rows], PATHWAY),
            names=tuple(each.variant for each in pathways),
        )


_MOST_REMEMBERED = 4096


# Lists of numbers are few and come again and again; to make an array of one takes longer than to look it up.
@lru_cache(_MOST_REMEMBERED)
def _numbers(values: tuple[int, ...]) -> Array:
    return np.array(values, np.int64)


@lru_cache(_MOST_REMEMBERED)
def _wishes(values: tuple[tuple[int, int], ...]) -> Array:
    return np.array(list(values), WISH)


@cache
def _condition_points(weight: int, named: int) -> Array:
    return _numbers(tuple(weight * known // max(named, 1) for known in range(named + 1)))


def _must_planes(traits: Collection[int | None]) -> Array:
    return _numbers(tuple(LAYOUT.nobody if bit is None else LAYOUT.traits + bit for bit in traits))


def _mask(words: Collection[str], bits: Mapping[str, int]) -> int:
    found = 0
    for word in words:
        found |= 1 << bits[word]
    return found


def _age_planes(age: int, policy: Policy) -> Array:
    return _numbers(
        tuple(LAYOUT.ages + AGE_GROUP[group] for group, span in policy.age_groups.items() if age in span)
    )


def _trait(wish: Preference) -> int | None:
    """The trait that a wish is about; None for one that no therapist has."""
    if wish.about in (PreferenceAbout.THERAPIST_GENDER, PreferenceAbout.APPROACH):
        return TRAIT.get(wish.wish)
    return TRAIT[wish.about]


_MODES = {
    (in_person, online): _numbers(
        (LAYOUT.modes + MODE[Mode.IN_PERSON],) * in_person + (LAYOUT.modes + MODE[Mode.ONLINE],) * online
    )
    for in_person in (False, True)
    for online in (False, True)
}
