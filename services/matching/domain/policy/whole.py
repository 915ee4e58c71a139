"""The whole policy, checked as one before anything is ranked by it."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.matching.domain.group_rules import GroupRules
from services.matching.domain.policy import invariants
from services.matching.domain.policy.asking import WhoAsks
from services.matching.domain.policy.forms import Form, OfferSources, Tier, Words
from services.matching.domain.policy.numbers import Days, Phases, Span
from services.matching.domain.policy.sources import Cited, Source, unsourced
from services.matching.domain.policy.weights import Caps, DistanceBand, OutcomeRules, Prices, Weights
from services.matching.domain.therapist import AgeGroup
from shared.contract.vocabulary import Condition, Evidence, FlagKind, Format, LifeEvent, ProblemArea, Variant


class Policy(Cited):
    """All that the ranking depends on beside the request, the directory and the day."""

    source: Mapping[str, str]
    version: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,39}$")]
    shortlist_size: Annotated[int, Field(ge=1, le=20)]
    fresh_days: Annotated[int, Field(ge=1, le=365)]
    latest_start_weeks: Annotated[int, Field(ge=1, le=26)]
    proposal_days: Annotated[int, Field(ge=1, le=90)]
    newly_qualified_cases: Annotated[int, Field(ge=0, le=10_000)]
    default_distance_km: Annotated[int, Field(ge=1, le=100)]
    smallest_group: Annotated[int, Field(ge=5, le=10_000)]
    wait_history_days: Days
    wait_history_least: Annotated[int, Field(ge=5, le=10_000)]
    acute_flags: frozenset[FlagKind]
    psychosis_flags: frozenset[FlagKind]
    harm_flags: frozenset[FlagKind]
    phases: Phases
    age_groups: Mapping[AgeGroup, Span]
    life_events: Mapping[LifeEvent, ProblemArea]
    weights: Weights
    caps: Caps
    prices: Prices
    distance_bands: Annotated[tuple[DistanceBand, ...], Field(min_length=1)]
    outcome: OutcomeRules
    sources: Mapping[str, Words]
    offer_sources: OfferSources
    who_asks: WhoAsks
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
            *invariants.closed_by_risk(self.forms),
            *invariants.unheeded_flags(self.acute_flags, self.psychosis_flags, self.harm_flags),
            *invariants.wrong_areas(self.life_events),
            *invariants.wrong_age_groups(self.age_groups),
            *invariants.unlimited(self.phases),
            *invariants.held_for_ever(self.prices),
            *invariants.wrong_groups(self.groups),
            *invariants.overclaimed(self.evidence, self.weights.evidence),
            *invariants.unwarned(self.evidence),
        ]
        # A row that is missing or wrong may be why a source has none.
        faults = faults or self._unused_sources()
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
        tables, rows = self._sourced()
        return [
            fault
            for table, source, its_rows in tables
            for fault in unsourced(table, source, its_rows, self.sources)
        ] + [f"{field} is not among the sources" for field, source in rows if source not in self.sources]

    def _unused_sources(self) -> list[str]:
        tables, rows = self._sourced()
        used = {source for _, source in rows}
        for _, source, _ in tables:
            used |= {source} if isinstance(source, str) else set(source.values())
        return [f"sources.{each} has no row that stands on it" for each in self.sources if each not in used]

    def _sourced(self) -> tuple[list[tuple[str, Source, set[str]]], list[tuple[str, str]]]:
        """Every table with its sources and the rows that need one; and rows that name theirs themselves."""
        inside = {name: table for name, table in self if isinstance(table, Cited)}
        # Rows of rows say theirs themselves.
        rows = set(type(self).model_fields) - {*inside, "version", "source", "sources", *_SAY_THEIR_OWN}
        tables: list[tuple[str, Source, set[str]]] = [("", self.source, rows)]
        tables += [
            (name, table.source, set(type(table).model_fields) - {"source"}) for name, table in inside.items()
        ]
        tables += [
            (f"distance_bands.{place}", band.source, set(type(band).model_fields) - {"source"})
            for place, band in enumerate(self.distance_bands)
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
        rules += [
            (f"forms.{place}.flag_sources.{kind}", source)
            for place, form in enumerate(self.forms)
            for kind, source in form.flag_sources.items()
        ]
        rules += [
            (f"forms.{place}.asked_by_cautions.{role}.source", said.source)
            for place, form in enumerate(self.forms)
            for role, said in form.asked_by_cautions.items()
        ]
        rules += [
            (f"who_asks.{table}.{role}.source", said.source)
            for table, role, said in self.who_asks.rows()
            if said is not None
        ]
        rules += [
            (f"evidence.{variant}.{condition}.caution_source", tier.caution_source)
            for variant, tiers in self.evidence.items()
            for condition, tier in tiers.items()
            if tier.caution_source is not None
        ]
        return tables, rules

    def _other_faults(self) -> list[str]:
        faults = [f"age_groups.{group} is missing" for group in AgeGroup if group not in self.age_groups]
        # Whatever else happened points to no area by itself.
        events = [event for event in LifeEvent if event is not LifeEvent.OTHER]
        faults += [f"life_events.{event} is missing" for event in events if event not in self.life_events]
        faults += [
            f"who_asks.{table}.{role} is missing"
            for table, role, said in self.who_asks.rows()
            if said is None
        ]
        faults += [
            f"distance_bands.{place}.up_to_km must be more than the {nearer.up_to_km} of the band before"
            for place, (nearer, further) in enumerate(pairwise(self.distance_bands), start=1)
            if further.up_to_km <= nearer.up_to_km
        ]
        points = self.weights.evidence
        faults += [
            f"weights.evidence.{worse} must not exceed {better}"
            for better, worse in pairwise(Evidence)
            if points[worse] > points[better]
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
            faults += [f"forms.{place}.{row} {rule}" for row, rule in invariants.wrong_in(form)]
            faults += [
                f"forms.{place}.rule_sources.{rule} has no row"
                for rule in form.rule_sources
                if rule not in form.rules()
            ]
            faults += [
                f"forms.{place}.flag_sources.{kind} has no row"
                for kind in form.flag_sources
                if kind not in form.flag_cautions
            ]
        return faults


_SAY_THEIR_OWN = frozenset({"distance_bands", "offer_sources", "who_asks", "forms", "groups", "evidence"})
