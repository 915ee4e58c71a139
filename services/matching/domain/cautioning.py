"""What staff are to weigh before they confirm a form of therapy for somebody, whoever would give it."""

from collections.abc import Iterator

from services.matching.domain import wording
from services.matching.domain.areas import areas_of
from services.matching.domain.flags import flagged, may_be_harmed
from services.matching.domain.policy import Form, Policy
from shared.ages import CONSENT_AGE
from shared.contract.intake import CaseDetails
from shared.contract.matching import Caution
from shared.contract.vocabulary import Condition, RequesterRole

_CONSENT = "record Gillick competence or a parent's consent first."
_NO_CONSENT_YET = (
    "see the client alone, and speak with the safeguarding lead first. "
    "Ask no parent or carer for consent yet."
)


def cautions_of(
    form: Form, case: CaseDetails, age: int, policy: Policy, asked_by: RequesterRole | None
) -> tuple[Caution, ...]:
    """Of the evidence, the form, the signs of risk, and who is to be heard first."""
    return (*_of_form(form, case, policy), *_of_who_asks(form, case, age, policy, asked_by))


def _of_form(form: Form, case: CaseDetails, policy: Policy) -> Iterator[Caution]:
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
