"""What no policy may change: rules of the design that keep people safe, whatever else a clinic decides."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

from services.matching.domain.group_rules import GroupRules
from services.matching.domain.policy.forms import Form, Need, Tier
from services.matching.domain.policy.numbers import Phases, Span
from services.matching.domain.policy.weights import Prices
from services.matching.domain.therapist import AgeGroup
from shared.contract.vocabulary import (
    Condition,
    Evidence,
    FlagKind,
    Format,
    LifeEvent,
    ProblemArea,
    Therapy,
    Variant,
)

_NEEDS: Mapping[Variant, frozenset[Need]] = {
    Variant.FB_IPT: frozenset({"attending_adult"}),
    Variant.IPT_AST: frozenset({"no_diagnosis", "no_acute_flag"}),
}
_WIDEST_AGES: Mapping[Variant | tuple[Variant, Format], Span] = {
    Variant.IPT: Span(first=18, last=120),
    Variant.IPT_A: Span(first=12, last=18),
    Variant.IPT_AST: Span(first=12, last=16),
    Variant.FB_IPT: Span(first=0, last=12),
    Variant.IPT_G: Span(first=18, last=120),
    Variant.IPSRT: Span(first=12, last=120),
    (Variant.SYSTEMIC, Format.INDIVIDUAL): Span(first=12, last=120),
}
"""Of a variant, or of one of its formats: nobody below 12 is seen alone."""

_FORMATS = {Variant.IPT_AST: Format.GROUP, Variant.FB_IPT: Format.FAMILY, Variant.IPT_G: Format.GROUP}
_ONLY_FOR = {Variant.IPSRT: frozenset({Condition.BIPOLAR_DISORDER})}
_NOT_FOR = {
    Variant.IPT_AST: frozenset({Condition.BIPOLAR_DISORDER, Condition.PSYCHOSIS}),
    Variant.IPSRT: frozenset[Condition](),
    Variant.SYSTEMIC: frozenset[Condition](),
}
_NOT_FOR_ELSE = frozenset({Condition.BIPOLAR_DISORDER})
"""Of the forms of IPT only the one made for it; whatever else is not first line carries a caution."""

_HARM = (FlagKind.BEING_HURT, FlagKind.CHILD_AT_RISK)
"""Every form warns of them: whoever asks or comes along may be who does it."""

_WARNED_OF: Mapping[Variant, Sequence[FlagKind]] = {
    Variant.IPT: (FlagKind.SUBSTANCES,),
    Variant.IPT_A: (FlagKind.SUICIDAL_THOUGHTS, FlagKind.HARM_TO_OTHERS, FlagKind.SUBSTANCES),
    Variant.IPT_G: (FlagKind.SUBSTANCES,),
}
_ACUTE = (FlagKind.SUICIDAL_THOUGHTS, FlagKind.SELF_HARM, FlagKind.HARM_TO_OTHERS, FlagKind.PSYCHOSIS)

_TRANSITION = (ProblemArea.ROLE_TRANSITION,)
_AREAS: Mapping[LifeEvent, Sequence[ProblemArea]] = {
    LifeEvent.DEATH: (ProblemArea.GRIEF,),
    LifeEvent.BIRTH: _TRANSITION,
    LifeEvent.MOVE: _TRANSITION,
    LifeEvent.JOB: _TRANSITION,
    LifeEvent.CONFLICT: (ProblemArea.ROLE_DISPUTE,),
    LifeEvent.SEPARATION: (ProblemArea.ROLE_TRANSITION, ProblemArea.ROLE_DISPUTE),
    LifeEvent.ILLNESS: (ProblemArea.ROLE_TRANSITION, ProblemArea.ROLE_DISPUTE),
    LifeEvent.OTHER: (),
}
_WIDEST_GROUPS = {
    AgeGroup.CHILDREN: Span(first=0, last=12),
    AgeGroup.ADOLESCENTS: Span(first=12, last=18),
    AgeGroup.ADULTS: Span(first=18, last=120),
}
_MEMBERS = {Variant.IPT_AST: Span(first=3, last=7), Variant.IPT_G: Span(first=3, last=10)}
_SESSIONS = Span(first=8, last=20)
"""From the brief form to the longest that any body describes."""

_FURTHEST_APART = {Variant.IPT_AST: 3}
_ALONE_FIRST = 2
_LONGEST_GATHERING = 182

_EATING = (Condition.ANOREXIA_NERVOSA, Condition.BULIMIA_NERVOSA)
_NO_SOURCE = "none"
_NEVER_WITHOUT_CAUTION = {
    Condition.PSYCHOSIS: frozenset[Variant](),
    Condition.ANXIETY: frozenset[Variant](),
    Condition.DEPRESSION: frozenset(Variant) - {Variant.IPT, Variant.IPT_A, Variant.IPT_G},
    Condition.BIPOLAR_DISORDER: frozenset({Variant.IPSRT}),
    **dict.fromkeys((*_EATING, Condition.CHRONIC_FATIGUE), frozenset({Variant.SYSTEMIC})),
}
"""Conditions for which a reviewer is warned of every variant but these, whatever tier a policy claims."""


def wrong_in(form: Form) -> Iterator[tuple[str, str]]:
    """Each row of a form that breaks such a rule, and the rule."""
    variant = form.variant
    school = Therapy.SYSTEMIC if variant is Variant.SYSTEMIC else Therapy.IPT
    if form.school is not school:
        yield "school", f"must be {school} for {variant}"
    if form.format is not _FORMATS.get(variant, form.format):
        yield "format", f"must be {_FORMATS[variant]} for {variant}"
    widest = _WIDEST_AGES.get(variant) or _WIDEST_AGES.get((variant, form.format), form.ages)
    if not _within(form.ages, widest):
        yield "ages", f"must lie within {widest.first} to {widest.last} for {variant}"
    yield from _differing("only_for", form.only_for, _ONLY_FOR.get(variant, frozenset()), variant)
    yield from _differing("not_for", form.not_for, _NOT_FOR.get(variant, _NOT_FOR_ELSE), variant)
    needs = _NEEDS.get(variant, frozenset())
    # Who must come along is the policy's to say; what closes a form to who is ill or at risk is not.
    yield from _differing("needs", {*form.needs} - ({"attending_adult"} - needs), needs, variant)
    for kind in (*_HARM, *_WARNED_OF.get(variant, ())):
        if kind not in form.flag_cautions:
            yield "flag_cautions", f"must hold {kind} for {variant}"
    if variant is Variant.IPT_AST and ProblemArea.GRIEF not in form.areas_not_covered:
        yield "areas_not_covered", f"must hold {ProblemArea.GRIEF} for {variant}"
    if variant is Variant.IPSRT and not form.caution:
        yield "caution", f"must be there for {variant}, which goes alongside medication"


def closed_by_risk(forms: Sequence[Form]) -> Iterator[str]:
    """Forms that a sign of risk closes where none of the same school then stays open."""
    for place, form in enumerate(forms):
        if "no_acute_flag" not in form.needs:
            continue
        for asked in sorted({form.format, *form.also_for}):
            open_to_all = [
                other.ages
                for other in forms
                if other.school is form.school
                and asked in {other.format, *other.also_for}
                and not (other.needs or other.only_for)
            ]
            ages = range(form.ages.first, form.ages.last + 1)
            if not all(any(age in span for span in open_to_all) for age in ages):
                yield (
                    f"forms.{place}.ages must be open to another form for who asks for {asked}: "
                    "a sign of risk leaves nobody without a pathway"
                )


def unheeded_flags(
    acute: Collection[FlagKind], psychosis: Collection[FlagKind], harm: Collection[FlagKind]
) -> Iterator[str]:
    """Signs of risk that a policy would no longer take for what they are."""
    yield from (f"acute_flags must hold {kind}" for kind in _ACUTE if kind not in acute)
    if FlagKind.PSYCHOSIS not in psychosis:
        yield f"psychosis_flags must hold {FlagKind.PSYCHOSIS}"
    yield from (f"harm_flags must hold {kind}" for kind in _HARM if kind not in harm)


def wrong_areas(life_events: Mapping[LifeEvent, ProblemArea]) -> Iterator[str]:
    """Events that point to an area which is not theirs: a death is grief, and nothing else is."""
    for event, area in life_events.items():
        if area not in _AREAS[event]:
            allowed = " or ".join(_AREAS[event])
            yield f"life_events.{event} must {f'be {allowed}' if allowed else 'point to no area'}"


def wrong_age_groups(groups: Mapping[AgeGroup, Span]) -> Iterator[str]:
    """Groups that would take somebody to a therapist for another age."""
    for group, span in groups.items():
        widest = _WIDEST_GROUPS[group]
        if not _within(span, widest):
            yield f"age_groups.{group} must lie within {widest.first} to {widest.last}"


def unlimited(phases: Phases) -> Iterator[str]:
    """A course whose end is too far away to be worked towards from the start, or too near."""
    if phases.sessions not in _SESSIONS:
        yield f"phases.ending must end with session {_SESSIONS.first} to {_SESSIONS.last}"


def wrong_groups(groups: Mapping[Variant, GroupRules]) -> Iterator[str]:
    """Rules for groups of clients that nobody has tried, or that leave people waiting for ever."""
    for variant, rules in groups.items():
        members = _MEMBERS.get(variant)
        if members and not (rules.size.least in members and rules.size.most in members):
            yield f"groups.{variant}.size must lie within {members.first} to {members.last}"
        furthest = _FURTHEST_APART.get(variant)
        if furthest is not None and rules.age_span.years > furthest:
            yield f"groups.{variant}.age_span must be at most {furthest} years"
        if rules.individual_first.sessions < _ALONE_FIRST:
            yield f"groups.{variant}.individual_first must be at least {_ALONE_FIRST} sessions"
        room = 7 * rules.individual_first.sessions
        if rules.starting.days < room:
            yield f"groups.{variant}.starting must be at least {room} days, a week for each session alone"
        for row, days in (("gathering", rules.gathering.days), ("starting", rules.starting.days)):
            if days > _LONGEST_GATHERING:
                yield f"groups.{variant}.{row} must be at most {_LONGEST_GATHERING} days"


def overclaimed(
    evidence: Mapping[Variant, Mapping[Condition | Literal["unnamed"], Tier]], points: Mapping[Evidence, int]
) -> Iterator[str]:
    """Evidence that a policy claims, or rewards, where there is none."""
    for variant, tiers in evidence.items():
        if "unnamed" in tiers and tiers["unnamed"].tier is not Evidence.NONE_FOUND:
            yield f"evidence.{variant}.unnamed must be none_found: evidence is for a condition"
        for condition, tier in tiers.items():
            if tier.tier is not Evidence.NONE_FOUND and tier.source == _NO_SOURCE:
                yield f"evidence.{variant}.{condition} is {tier.tier} and needs a source"
    if points[Evidence.NONE_FOUND]:
        yield "weights.evidence.none_found must be 0"


def held_for_ever(prices: Prices) -> Iterator[str]:
    """A price that would not give way however long somebody waits."""
    if prices.most_credit < prices.scarcity:
        yield f"prices.most_credit must be at least the scarcity of {prices.scarcity}"


def unwarned(evidence: Mapping[Variant, Mapping[Condition | Literal["unnamed"], Tier]]) -> Iterator[str]:
    """Conditions that lack the caution which no tier makes needless."""
    for variant, tiers in evidence.items():
        for condition, but in _NEVER_WITHOUT_CAUTION.items():
            if variant not in but and condition in tiers and not tiers[condition].caution:
                yield f"evidence.{variant}.{condition} needs a caution, whatever its tier"


def _differing(
    row: str, there: Collection[str], wanted: Collection[str], variant: Variant
) -> Iterator[tuple[str, str]]:
    yield from ((row, f"must hold {each} for {variant}") for each in sorted(wanted) if each not in there)
    yield from ((row, f"must not hold {each} for {variant}") for each in sorted(there) if each not in wanted)


def _within(span: Span, widest: Span) -> bool:
    return span.first in widest and span.last in widest
