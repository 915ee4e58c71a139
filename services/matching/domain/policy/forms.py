"""The forms of therapy that a policy offers, whom each is for, and how well it is supported."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from services.matching.domain.policy.numbers import Span, Table
from shared.contract.vocabulary import (
    Condition,
    Evidence,
    FlagKind,
    Format,
    ProblemArea,
    RequesterRole,
    Therapy,
    Variant,
)


def _one_school(therapy: Therapy) -> Therapy:
    if therapy is Therapy.EITHER:
        raise ValueError("must be ipt or systemic")
    return therapy


Words = Annotated[str, Field(pattern=r"\w{3}")]
"""Something that is said: a dot or a dash is nothing."""
Need = Literal["attending_adult", "no_diagnosis", "no_acute_flag"]
FormRule = Literal["ages", "only_for", "not_for"] | Need
School = Annotated[Therapy, AfterValidator(_one_school)]


class Said(Table):
    """What staff are told, and what it stands on."""

    text: Words
    source: str


class Form(Table):
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
    caution: Words | None = None
    flag_cautions: Mapping[FlagKind, Words] = {}
    flag_sources: Mapping[FlagKind, str] = {}
    """What a caution of a sign stands on where that is not the source of the form."""

    asked_by_cautions: Mapping[RequesterRole, Said] = {}
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


class OfferSources(Table):
    """What the rules stand on that are the same for every form."""

    school: str
    format: str


class Tier(Table):
    """How well a variant is supported for one condition."""

    tier: Evidence
    source: str
    caution: Words | None = None
    caution_source: str | None = None
    """What the caution stands on where that is not the source of the tier."""
