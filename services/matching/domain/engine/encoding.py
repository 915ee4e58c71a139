"""From entries of the directory, written plainly, to columns."""

from collections.abc import Iterable, Mapping, Sequence
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

_LOW = (1 << 64) - 1


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
        self._marks = {str(word): 1 << bit for word, bit in bits.items()}

    def __missing__(self, words: str) -> int:
        found = 0
        for word in words.split():
            # A word that is new to the vocabulary is no reason to lose the therapist.
            found |= self._marks.get(word, 0)
        self[words] = found
        return found


def write(
    table: Table, rows: Array, entries: Sequence[Entry], outcodes: Mapping[str, int], rules: OutcomeRules
) -> None:
    """Writes entries into their rows; planes and standing points are not touched."""
    count = len(entries)

    def put(column: str, values: Iterable[int]) -> None:
        records = table.scored if column in (SCORED.names or ()) else table.kept
        records[column][rows] = np.fromiter(values, records.dtype[column], count)

    def masks(column: str, words: Iterable[str], bits: Mapping[str, int]) -> None:
        known = _Masks(bits)
        put(column, (known[each] for each in words))

    put("id_high", (entry.id.int >> 64 for entry in entries))
    put("id_low", (entry.id.int & _LOW for entry in entries))
    put("registered_until", (entry.registered_until for entry in entries))
    put("confirmed", (entry.confirmed for entry in entries))
    put("district", (outcodes.get(entry.outcode.strip().upper(), 0) for entry in entries))
    put("fee", (entry.fee_pence for entry in entries))
    put("seats_offered", (entry.seats_offered for entry in entries))
    put("seats_free", (entry.seats_free for entry in entries))
    put("free_from", (entry.free_from for entry in entries))
    put("outcome", (_outcome_points(entry, rules) for entry in entries))
    masks("slots", (entry.slots for entry in entries), SLOT)
    masks("areas", (entry.problem_areas for entry in entries), AREA)
    masks("conditions", (entry.conditions for entry in entries), CONDITION)
    masks("traits", (entry.traits for entry in entries), TRAIT)
    masks("formats", (entry.formats for entry in entries), FORMAT)
    masks("ages", (entry.age_groups for entry in entries), AGE_GROUP)
    masks("modes", (entry.modes for entry in entries), MODE)
    _write_accreditations(table, rows, entries)


def _write_accreditations(table: Table, rows: Array, entries: Sequence[Entry]) -> None:
    until = np.zeros((len(entries), len(VARIANT)), np.uint16)
    cases = np.zeros((len(entries), len(VARIANT)), np.uint8)
    ksa = np.zeros(len(entries), np.uint8)
    for place, entry in enumerate(entries):
        for held in entry.accreditations.split():
            variant, route, days, closed = held.split(":")
            bit = VARIANT[variant]
            until[place, bit] = int(days)
            cases[place, bit] = min(int(closed), MOST_CASES)
            if route == Route.KSA:
                ksa[place] |= 1 << bit
    table.kept["accredited_until"][rows] = until
    table.scored["cases"][rows] = cases
    table.kept["ksa"][rows] = ksa


def _outcome_points(entry: Entry, rules: OutcomeRules) -> int:
    if not rules.on:
        return 0
    return points_of(tier_of(Outcomes(entry.outcome_cases, entry.outcome_change), rules), rules)


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
