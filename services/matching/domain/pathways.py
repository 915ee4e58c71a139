"""Which variants of therapy fit a person, which do not, and the rule for each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.matching.domain import wording
from services.matching.domain.agreeing import other_ways, would_fit
from services.matching.domain.cautioning import cautions_of
from services.matching.domain.flags import flagged, may_be_harmed
from services.matching.domain.policy import Form, Need, Policy
from shared.ages import age_on
from shared.contract.intake import CaseDetails
from shared.contract.matching import Pathway, RuledOut, Support
from shared.contract.vocabulary import (
    Condition,
    Evidence,
    Format,
    RequesterRole,
    Therapy,
    Variant,
)

# The least supported first.
_RANK = {Evidence.NONE_FOUND: 0, Evidence.LIMITED: 1, Evidence.MODERATE: 2, Evidence.STRONG: 3}

_LACKING: dict[Need, str] = {
    "attending_adult": "needs an adult who comes to every session",
    "no_diagnosis": "is for young people without a diagnosis",
    "no_acute_flag": "is not offered while there are signs of acute risk; other forms stay open",
}
_NEEDED: dict[Need, str] = {
    "attending_adult": "with an adult in every session",
    "no_diagnosis": "without a diagnosis",
    "no_acute_flag": "without signs of acute risk",
}


@dataclass(frozen=True, slots=True)
class Pathways:
    """What fits a person and what does not; every variant is in exactly one of the two."""

    fitting: tuple[Pathway, ...]
    ruled_out: tuple[RuledOut, ...]


@dataclass(frozen=True, slots=True)
class _Objection:
    """Why a form does not fit, and the key of what that stands on."""

    text: str
    source: str


def pathways_of(
    case: CaseDetails, on: date, policy: Policy, asked_by: RequesterRole | None = None
) -> Pathways:
    """Every variant that fits on that day, and every other with the rule that keeps it out.

    Who asks, if it is known, changes what is told of a variant, and never which fit.
    """
    age = age_on(on, case.date_of_birth)
    found = _sorted_out(case, age, policy, asked_by)
    return found if found.fitting else _with_what_would_fit(found, case, age, policy)


def _sorted_out(case: CaseDetails, age: int, policy: Policy, asked_by: RequesterRole | None) -> Pathways:
    pathways: list[Pathway] = []
    ruled_out: list[RuledOut] = []
    for variant in _variants(policy):
        forms = _nearest_first(case, [form for form in policy.forms if form.variant is variant])
        objections = [next(_objections(form, case, age, policy, asked_by), None) for form in forms]
        fitting = next((form for form, why in zip(forms, objections, strict=True) if why is None), None)
        if fitting is not None:
            pathways.append(_pathway(fitting, case, age, policy, asked_by))
        else:
            why = _telling(case, forms, objections, age)
            ruled_out.append(RuledOut(variant=variant, rule=why.text, source=policy.sources[why.source]))
    return Pathways(tuple(pathways), tuple(ruled_out))


def into_groups(pathways: Sequence[Pathway], policy: Policy) -> tuple[Pathway, ...]:
    """The pathways that lead into a group."""
    return tuple(each for each in pathways if each.variant in policy.groups and each.format is Format.GROUP)


def _with_what_would_fit(found: Pathways, case: CaseDetails, age: int, policy: Policy) -> Pathways:
    """The same for somebody whom nothing fits, and which variant would if another way were agreed on."""
    told = {out.variant: out for out in found.ruled_out}
    for agreed in other_ways(case):
        for each in _sorted_out(agreed, age, policy, None).fitting:
            out = told[each.variant]
            if out in found.ruled_out:
                told[each.variant] = would_fit(out, each)
    return replace(found, ruled_out=tuple(told.values()))


def _telling(
    case: CaseDetails, forms: list[Form], objections: list[_Objection | None], age: int
) -> _Objection:
    """Why no form of a variant fits, as it helps staff most."""
    found = [(form, why) for form, why in zip(forms, objections, strict=True) if why is not None]
    if not any(_serves(form, case) for form in forms):
        # Nobody is seen in this format, so the age that one form is for is not what stands in the way.
        found = [(form, why) for form, why in found if age in form.ages] or found
    return found[0][1]


def _variants(policy: Policy) -> Iterator[Variant]:
    yield from dict.fromkeys(form.variant for form in policy.forms)


def _nearest_first(case: CaseDetails, forms: list[Form]) -> list[Form]:
    # The form that was asked for speaks first, so that its objection is the one that staff read.
    return sorted(forms, key=lambda form: (form.format is not case.format, case.format not in form.also_for))


def _serves(form: Form, case: CaseDetails) -> bool:
    return case.format is form.format or case.format in form.also_for


def _is_of_school(form: Form, case: CaseDetails) -> bool:
    return case.therapy in (Therapy.EITHER, form.school)


def _objections(
    form: Form, case: CaseDetails, age: int, policy: Policy, asked_by: RequesterRole | None
) -> Iterator[_Objection]:
    """What keeps a form out, the broader rule first."""
    name, offer = wording.capital(wording.VARIANTS[form.variant]), policy.offer_sources
    if not _is_of_school(form, case):
        asked = "systemic therapy" if case.therapy is Therapy.SYSTEMIC else "IPT"
        yield _Objection(f"The client asks for {asked}.", offer.school)
    if age not in form.ages:
        given = wording.capital(wording.form(form.variant, form.format))
        yield _Objection(f"{given} is for ages {form.ages}; the client is {age}.", form.source_of("ages"))
    if form.only_for and not form.only_for & set(case.conditions):
        yield _Objection(
            f"{name} is for {_conditions(form.only_for)} only, which is not named.",
            form.source_of("only_for"),
        )
    if barred := form.not_for & set(case.conditions):
        yield _Objection(f"{name} is not for {_conditions(barred)}.", form.source_of("not_for"))
    if not _serves(form, case):
        yield _Objection(f"{name} is not given {wording.FORMATS[case.format]}.", offer.format)
    for need in form.needs:
        if not _meets(need, case, policy):
            yield _lacking(form, need, case, policy, asked_by)


def _lacking(
    form: Form, need: Need, case: CaseDetails, policy: Policy, asked_by: RequesterRole | None
) -> _Objection:
    text = f"{wording.capital(wording.VARIANTS[form.variant])} {_LACKING[need]}."
    # Where somebody may be being hurt, nobody is to ask who may be doing it to come along.
    if need != "attending_adult" or asked_by is None or may_be_harmed(case, policy):
        return _Objection(text, form.source_of(need))
    # That a carer does not want it is another reason than that nobody has been asked.
    why = policy.who_asks.no_adult[asked_by]
    return _Objection(f"{text} {why.text}", why.source)


def _meets(need: Need, case: CaseDetails, policy: Policy) -> bool:
    match need:
        case "attending_adult":
            return case.attending_adult
        case "no_diagnosis":
            return not case.diagnosed
        case "no_acute_flag":
            return not flagged(case, policy.acute_flags)


def _rule(form: Form, age: int) -> str:
    """Whom a form that fits is for."""
    bounds = [f"for ages {form.ages}"]
    if form.only_for:
        bounds.append(f"for {_conditions(form.only_for)} only")
    bounds += [f"not for {_conditions(frozenset({each}))}" for each in Condition if each in form.not_for]
    bounds += [_NEEDED[need] for need in form.needs]
    return f"{wording.capital(', '.join(bounds))}; the client is {age}."


def _pathway(
    form: Form, case: CaseDetails, age: int, policy: Policy, asked_by: RequesterRole | None
) -> Pathway:
    supports, unnamed = _supports(form.variant, case, policy), policy.evidence[form.variant]["unnamed"]
    return Pathway(
        variant=form.variant,
        format=form.format,
        rule=_rule(form, age),
        rule_sources=tuple(dict.fromkeys(policy.sources[form.source_of(rule)] for rule in form.rules())),
        evidence=supports[0].evidence if supports else unnamed.tier,
        source=supports[0].source if supports else policy.sources[unnamed.source],
        supports=supports,
        cautions=cautions_of(form, case, age, policy, asked_by),
    )


def _supports(variant: Variant, case: CaseDetails, policy: Policy) -> tuple[Support, ...]:
    """How well each condition that is named is supported, the least first: more is claimed of no pathway."""
    tiers = {condition: policy.evidence[variant][condition] for condition in case.conditions}
    named = (
        Support(condition=condition, evidence=tier.tier, source=policy.sources[tier.source])
        for condition, tier in tiers.items()
    )
    return tuple(sorted(named, key=lambda each: _RANK[each.evidence]))


def _conditions(conditions: frozenset[Condition]) -> str:
    return wording.joined(
        [wording.CONDITIONS[condition] for condition in Condition if condition in conditions]
    )
