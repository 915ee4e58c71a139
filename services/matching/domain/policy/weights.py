"""The part of a policy that makes scores and prices."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from services.matching.domain.policy.numbers import Days, Percent, Points, Positive, Table
from services.matching.domain.policy.sources import Cited
from shared.contract.vocabulary import Evidence, Strength


class PreferenceWeights(Table):
    """Points for a wish that is met, by how much it matters to the client."""

    slight: Points
    strong: Points
    must: Points

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.slight <= self.strong <= self.must:
            raise ValueError("slight must not exceed strong, nor strong must")
        return self

    def of(self, strength: Strength) -> int:
        """The points of a strength."""
        return {Strength.SLIGHT: self.slight, Strength.STRONG: self.strong, Strength.MUST: self.must}[
            strength
        ]


class Weights(Cited):
    """The most that each term can bring."""

    problem_area: Points
    condition: Points
    format: Points
    experience: Points
    availability: Points
    preferred_language: Points
    other_language: Points
    fee: Points
    wait: Points
    caseload: Points
    evidence: Mapping[Evidence, Points]
    preference: PreferenceWeights

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if missing := sorted(set(Evidence) - set(self.evidence)):
            raise ValueError(f"evidence lacks {', '.join(missing)}")
        return self

    def of_pathway(self, evidence: Evidence, *, as_asked: bool) -> int:
        """What a pathway brings whoever gives it: for its evidence, and for the format asked for."""
        return self.evidence[evidence] + (self.format if as_asked else 0)


class Caps(Cited):
    """Above these, more brings no more points."""

    experience_cases: Annotated[int, Field(ge=1, le=255)]
    """The engine tells no more apart."""

    shared_slots: Positive
    wait_weeks: Positive


class Prices(Cited):
    """What seats cost, and how far a price may hold one back from somebody who has waited."""

    on: bool
    history_days: Days
    most_requests: Annotated[int, Field(ge=1, le=20_000)]
    most_therapists: Annotated[int, Field(ge=1, le=1_000)]
    least_requests: Positive
    horizon_days: Days
    free_today: Percent
    iterations: Annotated[int, Field(ge=10, le=1_000)]
    settled_within: Points
    scarcity: Points
    credit_per_week: Positive
    most_credit: Positive
    """No price is higher: each must give way to waiting."""

    def credit(self, waited_days: int) -> int:
        """The points of a price that count no longer after so many days."""
        return min(self.most_credit, self.credit_per_week * max(waited_days, 0) // 7)


class DistanceBand(Cited):
    """Points for a therapist up to so many kilometres away."""

    up_to_km: Positive
    points: Points


class OutcomePoints(Table):
    """Points for a tier of outcomes."""

    above: Points
    average: Points
    below: Points

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.below <= self.average <= self.above:
            raise ValueError("below must not exceed average, nor average above")
        return self


class OutcomeRules(Cited):
    """Whether and how the outcomes of closed courses count; changes in hundredths of a standard deviation."""

    on: bool
    least_cases: Annotated[int, Field(ge=15, le=10_000)]
    mean: Annotated[int, Field(ge=-1_000, le=1_000)]
    prior_cases: Positive
    margin: Positive
    points: OutcomePoints
