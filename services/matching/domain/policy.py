"""The clinic's matching policy: a data file, checked as a whole before anything is ranked by it."""

import tomllib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.matching.domain.group_rules import GroupRules
from services.matching.domain.policy_invariants import broken
from services.matching.domain.policy_lines import line_of, path_in
from services.matching.domain.policy_sources import Cited, Source, unsourced
from services.matching.domain.therapist import AgeGroup
from shared.contract.vocabulary import (
    Condition,
    Evidence,
    FlagKind,
    Format,
    LifeEvent,
    ProblemArea,
    Strength,
    Therapy,
    Variant,
)


def _one_school(therapy: Therapy) -> Therapy:
    if therapy is Therapy.EITHER:
        raise ValueError("must be ipt or systemic")
    return therapy


Points = Annotated[int, Field(ge=0, le=10_000)]
Positive = Annotated[int, Field(ge=1)]
Need = Literal["attending_adult", "no_diagnosis", "no_acute_flag"]
FormRule = Literal["ages", "only_for", "not_for"] | Need
School = Annotated[Therapy, AfterValidator(_one_school)]


class PolicyFault(Exception):
    """The policy cannot be used; every field that is wrong is named with the rule it breaks."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(
            "the matching policy cannot be used:\n" + "\n".join(f"  {fault}" for fault in faults)
        )
        self.faults = faults


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Span(_Table):
    """A range of whole numbers with both ends included; written `[first, last]`."""

    first: Annotated[int, Field(ge=0)]
    last: int

    @model_validator(mode="before")
    @classmethod
    def _from_pair(cls, value: object) -> object:
        if isinstance(value, list):
            if len(value) != 2:
                raise ValueError("must be [first, last]")
            return {"first": value[0], "last": value[1]}
        return value

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            raise ValueError("the last must not be below the first")
        return self

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last

    def __str__(self) -> str:
        return f"{self.first} and over" if self.last >= 120 else f"{self.first} to {self.last}"


class Phases(Cited):
    """The sessions of a course, cut in three."""

    opening: Span
    middle: Span
    ending: Span

    @model_validator(mode="after")
    def _without_gaps(self) -> Self:
        follows = self.middle.first == self.opening.last + 1 and self.ending.first == self.middle.last + 1
        if self.opening.first != 1 or not follows:
            raise ValueError("phases must begin at session 1 and follow one another without gap or overlap")
        return self

    @property
    def sessions(self) -> int:
        """How many sessions a full course has; one a week."""
        return self.ending.last


class Form(_Table):
    """A variant in one format, and whom it is for."""

    variant: Variant
    school: School
    format: Format
    also_for: frozenset[Format] = frozenset()
    ages: Span
    only_for: frozenset[Condition] = frozenset()
    not_for: frozenset[Condition] = frozenset()
    needs: tuple[Need, ...] = ()
    areas_not_covered: frozenset[ProblemArea] = frozenset()
    caution: str | None = None
    flag_cautions: Mapping[FlagKind, str] = {}
    source: str
    rule_sources: Mapping[FormRule, str] = {}
    """What a rule stands on where that is not the source of the form."""

    def rules(self) -> Iterator[FormRule]:
        """What a person is held to, in the order in which it is looked at."""
        yield "ages"
        if self.only_for:
            yield "only_for"
        if self.not_for:
            yield "not_for"
        yield from self.needs

    def source_of(self, rule: FormRule) -> str:
        """Which source a rule stands on."""
        return self.rule_sources.get(rule, self.source)


class OfferSources(_Table):
    """What the rules stand on that are the same for every form."""

    school: str
    format: str


class Tier(_Table):
    """How well a variant is supported for one condition."""

    tier: Evidence
    source: str
    caution: str | None = None


class PreferenceWeights(_Table):
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


class Caps(Cited):
    """Above these, more brings no more points."""

    experience_cases: Annotated[int, Field(ge=1, le=255)]
    """The engine tells no more apart."""

    shared_slots: Positive
    wait_weeks: Positive


class Prices(Cited):
    """What seats cost, and how far a price may hold one back from somebody who has waited."""

    on: bool
    history_days: Positive
    most_requests: Annotated[int, Field(ge=1, le=20_000)]
    most_therapists: Annotated[int, Field(ge=1, le=1_000)]
    least_requests: Positive
    horizon_days: Positive
    iterations: Annotated[int, Field(ge=10, le=1_000)]
    settled_within: Points
    scarcity: Points
    credit_per_week: Points
    most_credit: Points

    def credit(self, waited_days: int) -> int:
        """The points of a price that count no longer after so many days."""
        return min(self.most_credit, self.credit_per_week * max(waited_days, 0) // 7)


class DistanceBand(Cited):
    """Points for a therapist up to so many kilometres away."""

    up_to_km: Positive
    points: Points


class OutcomePoints(_Table):
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
    least_cases: Annotated[int, Field(ge=15)]
    mean: int
    prior_cases: Positive
    margin: Positive
    points: OutcomePoints


class Policy(Cited):
    """All that the ranking depends on beside the request, the directory and the day."""

    source: Mapping[str, str]
    version: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,39}$")]
    shortlist_size: Annotated[int, Field(ge=1, le=20)]
    fresh_days: Positive
    proposal_days: Positive
    expiry_warning_days: Annotated[int, Field(ge=0)]
    newly_qualified_cases: Annotated[int, Field(ge=0)]
    default_distance_km: Positive
    consent_age: Positive
    smallest_group: Annotated[int, Field(ge=5)]
    wait_history_days: Positive
    wait_history_least: Annotated[int, Field(ge=5)]
    acute_flags: frozenset[FlagKind]
    psychosis_flags: frozenset[FlagKind]
    phases: Phases
    age_groups: Mapping[AgeGroup, Span]
    life_events: Mapping[LifeEvent, ProblemArea]
    weights: Weights
    caps: Caps
    prices: Prices
    distance_bands: Annotated[tuple[DistanceBand, ...], Field(min_length=1)]
    outcome: OutcomeRules
    sources: Mapping[str, Annotated[str, Field(pattern=r"\S")]]
    offer_sources: OfferSources
    forms: Annotated[tuple[Form, ...], Field(min_length=1)]
    groups: Mapping[Variant, GroupRules]
    evidence: Mapping[Variant, Mapping[Condition | Literal["unnamed"], Tier]]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        faults = [
            *self._missing_tiers(),
            *self._unknown_sources(),
            *self._other_faults(),
            *self._wrong_forms(),
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _missing_tiers(self) -> list[str]:
        wanted = [*Condition, "unnamed"]
        return [
            f"evidence.{variant}.{condition} is missing"
            for variant in Variant
            for condition in wanted
            if condition not in self.evidence.get(variant, {})
        ] + [
            f"evidence.{variant}.{condition} is {tier.tier} and needs a caution"
            for variant, tiers in self.evidence.items()
            for condition, tier in tiers.items()
            if condition != "unnamed"
            and tier.tier in (Evidence.LIMITED, Evidence.NONE_FOUND)
            and not tier.caution
        ]

    def _unknown_sources(self) -> list[str]:
        inside = {name: table for name, table in self if isinstance(table, Cited)}
        # Rows of rows say theirs themselves.
        rows = set(type(self).model_fields) - {*inside, "version", "source", "sources", *_SAY_THEIR_OWN}
        tables: list[tuple[str, Source, set[str]]] = [("", self.source, rows)]
        tables += [
            (name, table.source, set(type(table).model_fields) - {"source"}) for name, table in inside.items()
        ]
        tables += [
            (f"distance_bands.{place}", band.source, set()) for place, band in enumerate(self.distance_bands)
        ]
        tables += [(f"forms.{place}", form.source, set()) for place, form in enumerate(self.forms)]
        tables += [
            (f"evidence.{variant}.{condition}", tier.source, set())
            for variant, tiers in self.evidence.items()
            for condition, tier in tiers.items()
        ]
        tables += [
            (f"groups.{variant}.{row}", source, set())
            for variant, rules in self.groups.items()
            for row, source in rules.sources()
        ]
        rules = [(f"offer_sources.{rule}", source) for rule, source in self.offer_sources]
        rules += [
            (f"forms.{place}.rule_sources.{rule}", source)
            for place, form in enumerate(self.forms)
            for rule, source in form.rule_sources.items()
        ]
        return [
            fault
            for table, source, its_rows in tables
            for fault in unsourced(table, source, its_rows, self.sources)
        ] + [f"{field} is not among the sources" for field, source in rules if source not in self.sources]

    def _other_faults(self) -> list[str]:
        faults = [f"age_groups.{group} is missing" for group in AgeGroup if group not in self.age_groups]
        # Whatever else happened points to no area by itself.
        events = [event for event in LifeEvent if event is not LifeEvent.OTHER]
        faults += [f"life_events.{event} is missing" for event in events if event not in self.life_events]
        faults += [
            f"distance_bands.{place}.up_to_km must be more than the {nearer.up_to_km} of the band before"
            for place, (nearer, further) in enumerate(pairwise(self.distance_bands), start=1)
            if further.up_to_km <= nearer.up_to_km
        ]
        in_groups = {form.variant for form in self.forms if form.format is Format.GROUP}
        faults += [f"groups.{variant} is missing" for variant in sorted(in_groups - set(self.groups))]
        return faults + [
            f"groups.{variant} has no form that is given in a group"
            for variant in sorted(set(self.groups) - in_groups)
        ]

    def _wrong_forms(self) -> list[str]:
        offered = [(form.variant, form.format) for form in self.forms]
        faults = [
            f"forms.{variant} is missing"
            for variant in Variant
            if variant not in {form.variant for form in self.forms}
        ]
        for place, form in enumerate(self.forms):
            if offered.index(offered[place]) < place:
                faults.append(f"forms.{place}.variant is {form.variant} {form.format} twice")
            ages = form.ages.first, form.ages.last
            faults += [
                f"forms.{place}.{row} {rule}"
                for row, rule in broken(form.variant, ages, form.needs, form.not_for)
            ]
            faults += [
                f"forms.{place}.rule_sources.{rule} has no row"
                for rule in form.rule_sources
                if rule not in form.rules()
            ]
        return faults


_SAY_THEIR_OWN = frozenset({"distance_bands", "offer_sources", "forms", "groups", "evidence"})


def read_policy(text: str) -> Policy:
    """Reads a policy file, or says what is wrong with it."""
    try:
        return Policy.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise PolicyFault([f"it is not TOML: {error}"]) from None
    except ValidationError as error:
        raise PolicyFault([each for fault in error.errors(**_PLAIN) for each in _told(text, fault)]) from None


_PLAIN: dict[str, Any] = {"include_input": False, "include_context": False, "include_url": False}


def _told(text: str, fault: Mapping[str, Any]) -> Iterator[str]:
    """The faults in one of pydantic's, each with its line as far as there is one."""
    path = fault["loc"]
    said = fault["msg"].removeprefix("Value error, ")
    for message in said.split("; ") if not path else [said]:
        line = line_of(text, path or path_in(message))
        where = f"line {line}, " if line is not None else ""
        field = ".".join(map(str, path))
        yield f"{where}{field}: {message}" if field else f"{where}{message}"
