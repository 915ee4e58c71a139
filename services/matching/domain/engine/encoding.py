"""From entries of the directory, written plainly, to columns."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import NamedTuple
from uuid import UUID

import numpy as np

from services.matching.domain.engine.columns import (
    AGE_GROUP,
    AREA,
    CONDITION,
    FORMAT,
    MODE,
    MOST_CASES,
    SCORED,
    SLOT,
    TRAIT,
    VARIANT,
    Array,
    Table,
    day_number,
)
from services.matching.domain.outcomes import points_of, tier_of
from services.matching.domain.policy import OutcomeRules, Policy
from services.matching.domain.therapist import Outcomes, Route, Therapist


class Entry(NamedTuple):
    """What the engine needs to know of a therapist; lists are words with a space between them."""

    id: UUID
    outcode: str
    modes: str
    formats: str
    age_groups: str
    languages: str
    traits: str
    slots: str
    problem_areas: str
    conditions: str
    fee_pence: int
    seats_offered: int
    seats_free: int
    registered_until: int
    """Days since 2000; 0 for nobody's register."""

    confirmed: int
    accreditations: str
    """Each as `variant:route:days since 2000:closed cases`."""

    free_from: int
    """Days since 2000; 0 for at once."""

    outcome_cases: int
    outcome_change: int


def entry_of(therapist: Therapist) -> Entry:
    """A therapist as an entry."""
    held = therapist.registration
    return Entry(
        id=therapist.id,
        outcode=therapist.outcode,
        modes=" ".join(sorted(therapist.modes)),
        formats=" ".join(sorted(therapist.formats)),
        age_groups=" ".join(sorted(therapist.age_groups)),
        languages=" ".join(sorted(therapist.languages)),
        traits=" ".join([therapist.gender, *sorted(therapist.approaches), *sorted(therapist.affirming)]),
        slots=" ".join(sorted(therapist.slots)),
        problem_areas=" ".join(sorted(therapist.problem_areas)),
        conditions=" ".join(sorted(therapist.conditions)),
        fee_pence=therapist.fee_pence,
        seats_offered=therapist.seats_offered,
        seats_free=therapist.seats_free,
        registered_until=0 if held is None else day_number(held.expires_on),
        confirmed=day_number(therapist.confirmed_on),
        accreditations=" ".join(
            f"{each.variant}:{each.route}:{day_number(each.expires_on)}:{each.cases}"
            for each in therapist.accreditations
        ),
        free_from=0 if therapist.free_from is None else day_number(therapist.free_from),
        outcome_cases=0 if therapist.outcomes is None else therapist.outcomes.cases,
        outcome_change=0 if therapist.outcomes is None else therapist.outcomes.change,
    )


class _Masks(dict[str, int]):
    """The bits of a list of words; few lists are met again and again, so each is worked out once."""

    def __init__(self, bits: Mapping[str, int]) -> None:
        super().__init__()
        # A word that is new to the vocabulary is no reason to lose the therapist.
        self._marks = defaultdict(int, {str(word): 1 << bit for word, bit in bits.items()})

    def __missing__(self, words: str) -> int:
        found = self[words] = reduce(or_, map(self._marks.__getitem__, words.split()), 0)
        return found


def write(
    table: Table, rows: Array, entries: Sequence[Entry], outcodes: Mapping[str, int], rules: OutcomeRules
) -> None:
    """Writes entries into their rows, ids apart; planes and standing points are not touched."""
    # Field by field: to take one out of each entry would take longer than all the rest.
    given = dict(zip(Entry._fields, zip(*entries, strict=True), strict=True))

    def put(column: str, values: Iterable[int]) -> None:
        records = table.scored if column in (SCORED.names or ()) else table.kept
        records[column][rows] = np.fromiter(values, records.dtype[column], len(entries))

    def masks(column: str, field: str, bits: Mapping[str, int]) -> None:
        put(column, map(_Masks(bits).__getitem__, given[field]))

    put("district", (outcodes.get(outcode.strip().upper(), 0) for outcode in given["outcode"]))
    put("fee", given["fee_pence"])
    for same in ("registered_until", "confirmed", "seats_offered", "seats_free", "free_from"):
        put(same, given[same])
    if rules.on:
        outcomes = map(Outcomes, given["outcome_cases"], given["outcome_change"])
        put("outcome", (points_of(tier_of(each, rules), rules) for each in outcomes))
    masks("slots", "slots", SLOT)
    masks("areas", "problem_areas", AREA)
    masks("conditions", "conditions", CONDITION)
    masks("traits", "traits", TRAIT)
    masks("formats", "formats", FORMAT)
    masks("ages", "age_groups", AGE_GROUP)
    masks("modes", "modes", MODE)
    _write_accreditations(table, rows, given["accreditations"])


def _write_accreditations(table: Table, rows: Array, written: Sequence[str]) -> None:
    each_held = [
        (place, VARIANT[variant], int(days), min(int(closed), MOST_CASES), route == Route.KSA)
        for place, held in enumerate(written)
        for variant, route, days, closed in (each.split(":") for each in held.split())
    ]
    places, variants, *facts = np.array(each_held, np.int64).reshape(-1, 5).T
    by_variant = np.zeros((len(facts), len(written), len(VARIANT)), np.int64)
    by_variant[:, places, variants] = facts
    table.kept["accredited_until"][rows], table.scored["cases"][rows], by_ksa = by_variant
    table.kept["ksa"][rows] = by_ksa @ [1 << bit for bit in VARIANT.values()]


def write_standing(table: Table, rows: Array, policy: Policy, today: int) -> None:
    """Works out the points that are the same for every client: free seats, how soon, how well."""
    offered = table.kept["seats_offered"][rows].astype(np.int64)
    free = np.minimum(table.kept["seats_free"][rows].astype(np.int64), offered)
    days = np.maximum(table.kept["free_from"][rows].astype(np.int64) - today, 0)
    weeks = policy.caps.wait_weeks
    table.scored["standing"][rows] = (
        policy.weights.caseload * free // np.maximum(offered, 1)
        + policy.weights.wait * np.maximum(weeks - days // 7, 0) // weeks
        + table.kept["outcome"][rows]
    )
