"""Which variants of therapy fit a person, which do not, and the rule for each."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.matching.domain import wording
from services.matching.domain.agreeing import other_ways, would_fit
from services.matching.domain.policy import Form, Need, Policy
from shared.ages import CONSENT_AGE, age_on
from shared.contract.intake import CaseDetails
from shared.contract.matching import Caution, Pathway, RuledOut, Support
from shared.contract.vocabulary import (
    Condition,
    Evidence,
    FlagKind,
    Format,
    LifeEvent,
    ProblemArea,
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


_CONSENT = "record Gillick competence or a parent's consent first."
_NO_CONSENT_YET = (
    "see the client alone, and speak with the safeguarding lead first. "
    "Ask no parent or carer for consent yet."
)


@dataclass(frozen=True, slots=True)
class Pathways:
    """What fits a person and what does not; every variant is in exactly one of the two."""

    fitting: tuple[Pathway, ...]
    ruled_out: tuple[RuledOut, ...]


@dataclass(frozen=True, slots=True)
class Area:
    """A problem area that the case points to, and the field that says so."""

    area: ProblemArea
    field: str


@dataclass(frozen=True, slots=True)
class _Objection:
    """Why a form does not fit, and the key of what that stands on."""

    text: str
    source: str


def areas_of(case: CaseDetails, policy: Policy) -> tuple[Area, ...]:
    """The areas the client named, then the one that the life event points to if it is not among them."""
    named = [Area(area, "details.problem_areas") for area in dict.fromkeys(case.problem_areas)]
    hint = policy.life_events.get(case.life_event or LifeEvent.OTHER)
    if hint is not None and hint not in case.problem_areas:
        named.append(Area(hint, "details.life_event"))
    return tuple(named)


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
        cautions=(*_cautions(form, case, policy), *_of_who_asks(form, case, age, policy, asked_by)),
    )


def _supports(variant: Variant, case: CaseDetails, policy: Policy) -> tuple[Support, ...]:
    """How well each condition that is named is supported, the least first: more is claimed of no pathway."""
    tiers = {condition: policy.evidence[variant][condition] for condition in case.conditions}
    named = (
        Support(condition=condition, evidence=tier.tier, source=policy.sources[tier.source])
        for condition, tier in tiers.items()
    )
    return tuple(sorted(named, key=lambda each: _RANK[each.evidence]))


def _cautions(form: Form, case: CaseDetails, policy: Policy) -> Iterator[Caution]:
    name = wording.VARIANTS[form.variant]
    for condition in dict.fromkeys(case.conditions):
        if text := policy.evidence[form.variant][condition].caution:
            yield Caution(code=f"evidence_{condition}", text=text)
    if flagged(case, policy.psychosis_flags) and Condition.PSYCHOSIS not in case.conditions:
        yield Caution(
            code="evidence_psychosis",
            text=policy.evidence[form.variant][Condition.PSYCHOSIS].caution or "An assessment comes first.",
        )
    if form.caution:
        yield Caution(code="form", text=form.caution)
    if form.format is not case.format:
        asked, given = wording.FORMATS[case.format], wording.FORMATS[form.format]
        yield Caution(
            code="format_differs",
            text=f"The client asked for sessions {asked}; {name} is given {given}.",
        )
    if "no_diagnosis" in form.needs and case.diagnosed is None:
        yield Caution(
            code="diagnosis_unknown",
            text=f"{name} is for young people without a diagnosis; whether there is one is not known.",
        )
    for area in areas_of(case, policy):
        if area.area in form.areas_not_covered:
            yield Caution(
                code="area_not_covered",
                text=f"{wording.capital(name)} does not work on {wording.AREAS[area.area]}.",
            )
    for kind in dict.fromkeys(flag.kind for flag in case.flags):
        if kind in form.flag_cautions:
            yield Caution(code=f"flag_{kind}", text=form.flag_cautions[kind])
    if flagged(case, policy.acute_flags):
        yield Caution(
            code="risk_flag", text="There are signs of risk: read them, and speak with the client first."
        )


def flagged(case: CaseDetails, kinds: Collection[FlagKind]) -> bool:
    """Whether there is a sign of one of the kinds."""
    return any(flag.kind in kinds for flag in case.flags)


def may_be_harmed(case: CaseDetails, policy: Policy) -> bool:
    """Whether there is a sign that somebody is being hurt, perhaps by who asks or comes along."""
    return flagged(case, policy.harm_flags)


def _of_who_asks(
    form: Form, case: CaseDetails, age: int, policy: Policy, asked_by: RequesterRole | None
) -> Iterator[Caution]:
    """Who is to be heard before anything is confirmed."""
    told, harm = policy.who_asks, may_be_harmed(case, policy)
    if age < CONSENT_AGE:
        whose = told.where_harm if harm else told.below_consent_age
        text = whose[asked_by].text if asked_by else _NO_CONSENT_YET if harm else _CONSENT
        yield Caution(code="consent", text=f"Under {CONSENT_AGE}: {text}")
    elif asked_by is not None and (said := told.from_consent_age.get(asked_by)):
        text = wording.capital(told.where_harm[asked_by].text) if harm else said.text
        yield Caution(code="own_consent", text=text)
    # Whom else to ask or involve is no question before the client was seen alone.
    if asked_by is not None and not harm and (said := form.asked_by_cautions.get(asked_by)):
        yield Caution(code=f"asked_by_{asked_by}", text=said.text)


def _conditions(conditions: frozenset[Condition]) -> str:
    return wording.joined(
        [wording.CONDITIONS[condition] for condition in Condition if condition in conditions]
    )
