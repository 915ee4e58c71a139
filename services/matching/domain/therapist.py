"""Therapists as matching knows them: what they offer, what they hold, how many seats are free."""

from dataclasses import dataclass, replace
from datetime import date

from shared.contract.ids import TherapistId
from shared.contract.vocabulary import (
    AgeGroup,
    Approach,
    Body,
    Condition,
    Format,
    Gender,
    Mode,
    PreferenceAbout,
    ProblemArea,
    Route,
    Slot,
    Variant,
)

__all__ = [
    "Accreditation",
    "AgeGroup",
    "Approach",
    "Body",
    "Gender",
    "Registration",
    "Route",
    "Therapist",
]


@dataclass(frozen=True, slots=True)
class Registration:
    """A core profession; live up to and including its last day."""

    body: Body
    number: str
    expires_on: date


@dataclass(frozen=True, slots=True)
class Accreditation:
    """The right to practise one variant; live up to and including its last day."""

    variant: Variant
    route: Route
    expires_on: date
    cases: int
    """Courses closed in this variant."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How a therapist's closed courses went, over all clients."""

    cases: int
    """Closed courses with a measure at both ends."""

    change: int
    """Mean improvement, in hundredths of a standard deviation of the measure."""


@dataclass(frozen=True, slots=True)
class Therapist:
    """One entry of the directory."""

    id: TherapistId
    name: str
    email: str
    gender: Gender
    outcode: str
    modes: frozenset[Mode]
    formats: frozenset[Format]
    age_groups: frozenset[AgeGroup]
    languages: frozenset[str]
    fee_pence: int
    seats_offered: int
    seats_free: int
    slots: frozenset[Slot]
    problem_areas: frozenset[ProblemArea]
    conditions: frozenset[Condition]
    approaches: frozenset[Approach]
    affirming: frozenset[PreferenceAbout]
    registration: Registration | None
    accreditations: tuple[Accreditation, ...]
    confirmed_on: date
    """When the entry was last confirmed to be true."""

    free_from: date | None = None
    """The first day on which a new client can begin; None for at once."""

    outcomes: Outcomes | None = None

    @property
    def facts(self) -> "Therapist":
        """What somebody says of themselves, whoever was given a seat and whenever it was confirmed."""
        return replace(self, seats_free=0, confirmed_on=date.min)

    def accreditation_for(self, variant: Variant) -> Accreditation | None:
        """The accreditation for a variant, live or not."""
        return next((held for held in self.accreditations if held.variant is variant), None)
