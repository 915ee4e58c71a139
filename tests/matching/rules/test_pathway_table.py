"""The pathway rules as one table: who may have what, what is ruled out and why, what a reviewer is warned of.

The expectations come from the clinic's offer and the published evidence, and not from the policy file. Where
both leave room (who may stand in for another format, from which age systemic work and IPSRT are given), they
come from what matching's docs/rules.md and policy have decided. Where two rules keep a variant out, the
broader one is named: school, age, condition, format, then what the form needs. It is
longer than other rooms, as a clinician is to read through it in one place.
"""

from datetime import date
from typing import Any, NamedTuple

import pytest

from services.matching.domain.areas import areas_of
from services.matching.domain.pathways import Pathways, pathways_of
from shared.contract.vocabulary import (
    Condition,
    FlagKind,
    Format,
    LifeEvent,
    ProblemArea,
    RequesterRole,
    Therapy,
    Variant,
)
from tests.matching.builders import RULES, THE_DAY, born
from tests.support.builders import a_case, a_flag

Changes = dict[str, Any]

# What the rule that a reviewer reads must say.
WORDS = {
    "asked-ipt": "asks for IPT",
    "asked-systemic": "asks for systemic therapy",
    "ages": "is for ages",
    "bipolar-only": "for bipolar disorder only",
    "not-bipolar": "not for bipolar disorder",
    "not-psychosis": "not for psychosis",
    "format": "is not given",
    "adult": "an adult who comes to every session",
    "client-alone": "an adult who comes to every session. The client asks alone",
    "parent-refused": "an adult who comes to every session. The parent who asks has not agreed",
    "carer-refused": "an adult who comes to every session. The carer who asks has not agreed",
    "adult-unasked": "an adult who comes to every session. The professional who asks names none",
    "diagnosis": "without a diagnosis",
    "acute": "acute risk",
}


class Row(NamedTuple):
    """A person, and what is expected for them; a caution under `*` stands on every pathway."""

    name: str
    who: int | date
    changes: Changes
    fits: str
    ruled_out: str
    cautions: str = ""
    on: date = THE_DAY
    asked_by: RequesterRole | None = None


IPT: Changes = {"therapy": Therapy.IPT, "conditions": ()}
SYSTEMIC: Changes = {"therapy": Therapy.SYSTEMIC}
EITHER: Changes = {"therapy": Therapy.EITHER, "conditions": ()}
COUPLE: Changes = {"format": Format.COUPLE}
FAMILY: Changes = {"format": Format.FAMILY}
GROUP: Changes = {"format": Format.GROUP}
UNDIAGNOSED: Changes = {"diagnosed": False}
UNKNOWN: Changes = {"diagnosed": None}
WITH_ADULT: Changes = {"attending_adult": True}
CARER_REFUSED: Changes = {"attending_adult": False}


def living_with(*conditions: Condition) -> Changes:
    return {"conditions": conditions}


def flagged(*kinds: FlagKind) -> Changes:
    return {"flags": tuple(a_flag(kind) for kind in kinds)}


# Nothing but age and format keeps anything from them, IPSRT apart.
OPEN = EITHER | UNDIAGNOSED | WITH_ADULT | living_with()
DEPRESSION = living_with(Condition.DEPRESSION)
BIPOLAR = living_with(Condition.BIPOLAR_DISORDER)
PSYCHOSIS = living_with(Condition.PSYCHOSIS)
ANOREXIA = living_with(Condition.ANOREXIA_NERVOSA)
BULIMIA = living_with(Condition.BULIMIA_NERVOSA)
FATIGUE = living_with(Condition.CHRONIC_FATIGUE)
YOUNG = OPEN | IPT

# fmt: off
ALONE = [
    Row("4, one to one", 4, OPEN, "", "ages: *"),
    Row("5, one to one", 5, OPEN, "systemic/family", "ages: *", "*: consent format_differs"),
    Row("6, one to one", 6, OPEN, "systemic/family", "ages: *", "*: consent format_differs"),
    Row("7, one to one", 7, OPEN, "fb-ipt/family systemic/family", "ages: *",
        "*: consent format_differs"),
    Row("8, one to one", 8, OPEN, "fb-ipt/family systemic/family", "ages: *",
        "*: consent format_differs"),
    Row("11, one to one", 11, OPEN, "fb-ipt/family systemic/family", "ages: *",
        "*: consent format_differs"),
    Row("12, one to one", 12, OPEN, "ipt-a/individual ipt-ast/group fb-ipt/family systemic/individual",
        "ages: ipt ipt-g; bipolar-only: ipsrt",
        "*: consent; ipt-ast: format_differs; fb-ipt: format_differs"),
    Row("13, one to one", 13, OPEN, "ipt-a/individual ipt-ast/group systemic/individual",
        "ages: ipt ipt-g fb-ipt; bipolar-only: ipsrt", "*: consent; ipt-ast: format_differs"),
    Row("15, one to one", 15, OPEN, "ipt-a/individual ipt-ast/group systemic/individual",
        "ages: ipt ipt-g fb-ipt; bipolar-only: ipsrt", "*: consent; ipt-ast: format_differs"),
    Row("16, one to one", 16, OPEN, "ipt-a/individual ipt-ast/group systemic/individual",
        "ages: ipt ipt-g fb-ipt; bipolar-only: ipsrt", "ipt-ast: format_differs"),
    Row("17, one to one", 17, OPEN, "ipt-a/individual systemic/individual",
        "bipolar-only: ipsrt; ages: *"),
    Row("18, one to one", 18, OPEN, "ipt/individual ipt-a/individual systemic/individual",
        "bipolar-only: ipsrt; format: ipt-g; ages: *"),
    Row("19, one to one", 19, OPEN, "ipt/individual systemic/individual",
        "bipolar-only: ipsrt; format: ipt-g; ages: *"),
    Row("70, one to one", 70, OPEN, "ipt/individual systemic/individual",
        "bipolar-only: ipsrt; format: ipt-g; ages: *"),
]
AS_A_FAMILY = [
    Row("4, as a family", 4, OPEN | FAMILY, "", "ages: *"),
    Row("5, as a family", 5, OPEN | FAMILY, "systemic/family", "ages: *", "*: consent"),
    Row("6, as a family", 6, OPEN | FAMILY, "systemic/family", "ages: *", "*: consent"),
    Row("7, as a family", 7, OPEN | FAMILY, "fb-ipt/family systemic/family", "ages: *", "*: consent"),
    Row("8, as a family", 8, OPEN | FAMILY, "fb-ipt/family systemic/family", "ages: *", "*: consent"),
    Row("11, as a family", 11, OPEN | FAMILY, "fb-ipt/family systemic/family", "ages: *", "*: consent"),
    Row("12, as a family", 12, OPEN | FAMILY, "ipt-a/individual fb-ipt/family systemic/family",
        "ages: ipt ipt-g; bipolar-only: ipsrt; format: ipt-ast", "*: consent; ipt-a: format_differs"),
    Row("13, as a family", 13, OPEN | FAMILY, "ipt-a/individual systemic/family",
        "ages: ipt ipt-g fb-ipt; bipolar-only: ipsrt; format: ipt-ast", "*: consent; ipt-a: format_differs"),
    Row("17, as a family", 17, OPEN | FAMILY, "ipt-a/individual systemic/family",
        "bipolar-only: ipsrt; ages: *", "ipt-a: format_differs"),
    Row("18, as a family", 18, OPEN | FAMILY, "ipt/individual ipt-a/individual systemic/family",
        "bipolar-only: ipsrt; format: ipt-g; ages: *", "ipt: format_differs; ipt-a: format_differs"),
    Row("70, as a family", 70, OPEN | FAMILY, "ipt/individual systemic/family",
        "bipolar-only: ipsrt; format: ipt-g; ages: *", "ipt: format_differs"),
]
IN_A_GROUP = [
    # Below 12 there is no group: what there is, is with the family.
    Row("5, in a group, either school", 5, OPEN | GROUP, "systemic/family", "ages: *",
        "*: consent format_differs"),
    Row("7, in a group, either school", 7, OPEN | GROUP, "fb-ipt/family systemic/family", "ages: *",
        "*: consent format_differs"),
    Row("11, in a group", 11, YOUNG | GROUP, "fb-ipt/family", "asked-ipt: systemic; ages: *",
        "*: consent format_differs"),
    Row("11, in a group, either school", 11, OPEN | GROUP, "fb-ipt/family systemic/family", "ages: *",
        "*: consent format_differs"),
    Row("11, in a group, carer refused", 11, OPEN | GROUP | CARER_REFUSED, "systemic/family",
        "adult: fb-ipt; ages: *", "*: consent format_differs"),
    Row("12, in a group", 12, YOUNG | GROUP, "ipt-a/individual ipt-ast/group fb-ipt/family",
        "asked-ipt: systemic; bipolar-only: ipsrt; ages: *",
        "*: consent; ipt-a: format_differs; fb-ipt: format_differs"),
    Row("14, in a group, either school", 14, OPEN | GROUP,
        "ipt-a/individual ipt-ast/group systemic/individual",
        "bipolar-only: ipsrt; ages: *", "*: consent; ipt-a: format_differs; systemic: format_differs"),
    Row("16, in a group", 16, YOUNG | GROUP, "ipt-a/individual ipt-ast/group",
        "asked-ipt: systemic; bipolar-only: ipsrt; ages: *", "ipt-a: format_differs"),
    Row("17, in a group", 17, YOUNG | GROUP, "ipt-a/individual",
        "asked-ipt: systemic; bipolar-only: ipsrt; ages: *", "ipt-a: format_differs"),
    Row("18, in a group", 18, YOUNG | GROUP, "ipt-a/individual ipt-g/group",
        "asked-ipt: systemic; bipolar-only: ipsrt; format: ipt; ages: *", "ipt-a: format_differs"),
    Row("19, in a group", 19, YOUNG | GROUP, "ipt-g/group",
        "asked-ipt: systemic; bipolar-only: ipsrt; format: ipt; ages: *"),
    Row("70, in a group, either school", 70, OPEN | GROUP, "ipt-g/group systemic/individual",
        "bipolar-only: ipsrt; format: ipt; ages: *", "systemic: format_differs"),
    Row("13, in a group, systemic", 13, SYSTEMIC | GROUP, "systemic/individual", "asked-systemic: *",
        "*: consent format_differs"),
    Row("40, in a group, systemic", 40, SYSTEMIC | GROUP, "systemic/individual", "asked-systemic: *",
        "*: format_differs"),
]
AS_A_COUPLE = [
    Row("12, as a couple", 12, OPEN | COUPLE, "",
        "ages: ipt ipt-g systemic; bipolar-only: ipsrt; format: *"),
    Row("17, as a couple", 17, OPEN | COUPLE, "", "format: ipt-a; bipolar-only: ipsrt; ages: *"),
    Row("18, as a couple", 18, OPEN | COUPLE, "ipt/couple systemic/couple",
        "format: ipt-a ipt-g; bipolar-only: ipsrt; ages: *", "ipt: form"),
    Row("70, as a couple", 70, OPEN | COUPLE, "ipt/couple systemic/couple",
        "format: ipt-g; bipolar-only: ipsrt; ages: *", "ipt: form"),
    Row("40, as a couple in conflict", 40, EITHER | COUPLE | living_with(Condition.RELATIONSHIP_CONFLICT),
        "ipt/couple systemic/couple", "format: ipt-g; bipolar-only: ipsrt; ages: *",
        "ipt: form evidence_relationship_conflict"),
]
BIRTHDAYS = [
    Row("the day before turning 5", date(2021, 11, 25), OPEN | FAMILY, "", "ages: *"),
    Row("turning 5", date(2021, 11, 24), OPEN | FAMILY, "systemic/family", "ages: *", "*: consent"),
    Row("the day before turning 7", date(2019, 11, 25), YOUNG | FAMILY, "", "asked-ipt: systemic; ages: *"),
    Row("turning 7", date(2019, 11, 24), YOUNG | FAMILY, "fb-ipt/family", "asked-ipt: systemic; ages: *",
        "*: consent"),
    Row("the day before turning 12", date(2014, 11, 25), YOUNG | FAMILY, "fb-ipt/family",
        "asked-ipt: systemic; ages: *", "*: consent"),
    Row("turning 12", date(2014, 11, 24), YOUNG | FAMILY, "ipt-a/individual fb-ipt/family",
        "asked-ipt: systemic; ages: ipt ipt-g; bipolar-only: ipsrt; format: ipt-ast",
        "*: consent; ipt-a: format_differs"),
    Row("the day before turning 13", date(2013, 11, 25), YOUNG | FAMILY, "ipt-a/individual fb-ipt/family",
        "asked-ipt: systemic; ages: ipt ipt-g; bipolar-only: ipsrt; format: ipt-ast",
        "*: consent; ipt-a: format_differs"),
    Row("the day before turning 16", date(2010, 11, 25), YOUNG | GROUP, "ipt-a/individual ipt-ast/group",
        "asked-ipt: systemic; bipolar-only: ipsrt; ages: *", "*: consent; ipt-a: format_differs"),
    Row("the day before turning 17", date(2009, 11, 25), YOUNG | GROUP, "ipt-a/individual ipt-ast/group",
        "asked-ipt: systemic; bipolar-only: ipsrt; ages: *", "ipt-a: format_differs"),
    Row("the day before turning 18", date(2008, 11, 25), IPT, "ipt-a/individual",
        "asked-ipt: systemic; bipolar-only: ipsrt; ages: *"),
    Row("the day before turning 19", date(2007, 11, 25), IPT, "ipt/individual ipt-a/individual",
        "asked-ipt: systemic; bipolar-only: ipsrt; format: ipt-g; ages: *"),
    Row("born on 29 February, on 28 February", date(2008, 2, 29), IPT, "ipt-a/individual",
        "asked-ipt: systemic; bipolar-only: ipsrt; ages: *", on=date(2026, 2, 28)),
    Row("born on 29 February, on 1 March", date(2008, 2, 29), IPT, "ipt/individual ipt-a/individual",
        "asked-ipt: systemic; bipolar-only: ipsrt; format: ipt-g; ages: *", on=date(2026, 3, 1)),
    Row("born on 29 February, the day before a leap day", date(2016, 2, 29), YOUNG | GROUP, "fb-ipt/family",
        "asked-ipt: systemic; ages: *", "*: consent format_differs", on=date(2028, 2, 28)),
    Row("born on 29 February, on a leap day", date(2016, 2, 29), YOUNG | GROUP,
        "ipt-a/individual ipt-ast/group fb-ipt/family", "asked-ipt: systemic; bipolar-only: ipsrt; ages: *",
        "*: consent; ipt-a: format_differs; fb-ipt: format_differs", on=date(2028, 2, 29)),
]
SCHOOLS = [
    Row("35, IPT", 35, IPT, "ipt/individual",
        "asked-ipt: systemic; bipolar-only: ipsrt; format: ipt-g; ages: *"),
    Row("35, systemic", 35, SYSTEMIC, "systemic/individual", "asked-systemic: *"),
    Row("35, either", 35, EITHER, "ipt/individual systemic/individual",
        "bipolar-only: ipsrt; format: ipt-g; ages: *"),
    Row("9, systemic, as a family", 9, SYSTEMIC | FAMILY | WITH_ADULT, "systemic/family", "asked-systemic: *",
        "*: consent"),
]
DIAGNOSES_AND_ADULTS = [
    Row("14, diagnosed", 14, IPT | {"diagnosed": True}, "ipt-a/individual",
        "asked-ipt: systemic; bipolar-only: ipsrt; diagnosis: ipt-ast; ages: *", "*: consent"),
    Row("14, diagnosed, in a group", 14, IPT | GROUP | {"diagnosed": True}, "ipt-a/individual",
        "asked-ipt: systemic; bipolar-only: ipsrt; diagnosis: ipt-ast; ages: *", "*: consent format_differs"),
    Row("14, not diagnosed", 14, IPT | UNDIAGNOSED, "ipt-a/individual ipt-ast/group",
        "asked-ipt: systemic; bipolar-only: ipsrt; ages: *", "*: consent; ipt-ast: format_differs"),
    Row("14, diagnosis unknown", 14, IPT | UNKNOWN, "ipt-a/individual ipt-ast/group",
        "asked-ipt: systemic; bipolar-only: ipsrt; ages: *",
        "*: consent; ipt-ast: format_differs diagnosis_unknown"),
    Row("9, carer refused", 9, YOUNG | FAMILY | CARER_REFUSED, "",
        "asked-ipt: systemic; adult: fb-ipt; ages: *"),
    Row("9, carer refused, either school", 9, OPEN | FAMILY | CARER_REFUSED, "systemic/family",
        "adult: fb-ipt; ages: *", "*: consent"),
    Row("12, carer refused", 12, YOUNG | GROUP | CARER_REFUSED | {"format": Format.INDIVIDUAL},
        "ipt-a/individual ipt-ast/group", "asked-ipt: systemic; adult: fb-ipt; bipolar-only: ipsrt; ages: *",
        "*: consent; ipt-ast: format_differs"),
    Row("9, low in mood", 9, IPT | FAMILY | WITH_ADULT | DEPRESSION,
        "fb-ipt/family", "asked-ipt: systemic; ages: *", "*: consent evidence_depression"),
]
BIPOLAR_DISORDER = [
    Row("11, bipolar", 11, YOUNG | BIPOLAR, "", "asked-ipt: systemic; not-bipolar: fb-ipt; ages: *"),
    Row("11, bipolar, either school, one to one", 11, EITHER | BIPOLAR, "systemic/family",
        "not-bipolar: fb-ipt; ages: *", "*: consent evidence_bipolar_disorder format_differs"),
    Row("7, bipolar, either school, one to one", 7, EITHER | BIPOLAR, "systemic/family",
        "not-bipolar: fb-ipt; ages: *", "*: consent evidence_bipolar_disorder format_differs"),
    Row("7, bipolar, either school, in a group", 7, EITHER | GROUP | BIPOLAR, "systemic/family",
        "not-bipolar: fb-ipt; ages: *", "*: consent evidence_bipolar_disorder format_differs"),
    Row("11, bipolar, either school, in a group", 11, EITHER | GROUP | BIPOLAR, "systemic/family",
        "not-bipolar: fb-ipt; ages: *", "*: consent evidence_bipolar_disorder format_differs"),
    Row("12, bipolar", 12, YOUNG | BIPOLAR, "ipsrt/individual",
        "asked-ipt: systemic; ages: ipt ipt-g; not-bipolar: *", "*: consent form"),
    Row("16, bipolar", 16, YOUNG | BIPOLAR, "ipsrt/individual",
        "asked-ipt: systemic; not-bipolar: ipt-a ipt-ast; ages: *", "*: form"),
    Row("18, bipolar", 18, IPT | BIPOLAR, "ipsrt/individual",
        "asked-ipt: systemic; not-bipolar: ipt ipt-a ipt-g; ages: *", "*: form"),
    Row("70, bipolar", 70, EITHER | BIPOLAR, "ipsrt/individual systemic/individual",
        "not-bipolar: ipt ipt-g; ages: *", "ipsrt: form; systemic: evidence_bipolar_disorder"),
    Row("40, bipolar beside depression", 40,
        IPT | living_with(Condition.DEPRESSION, Condition.BIPOLAR_DISORDER),
        "ipsrt/individual", "asked-ipt: systemic; not-bipolar: ipt ipt-g; ages: *",
        "*: form evidence_depression"),
    Row("40, bipolar, in a group", 40, EITHER | GROUP | BIPOLAR, "ipsrt/individual systemic/individual",
        "not-bipolar: ipt ipt-g; ages: *",
        "*: format_differs; ipsrt: form; systemic: evidence_bipolar_disorder"),
    Row("40, bipolar, as a couple", 40, EITHER | COUPLE | BIPOLAR, "ipsrt/individual systemic/couple",
        "not-bipolar: ipt ipt-g; ages: *", "ipsrt: form format_differs; systemic: evidence_bipolar_disorder"),
    Row("15, bipolar, as a family", 15, EITHER | FAMILY | BIPOLAR, "ipsrt/individual systemic/family",
        "not-bipolar: ipt-a ipt-ast; ages: *",
        "*: consent; ipsrt: form format_differs; systemic: evidence_bipolar_disorder"),
    # No source keeps systemic work from bipolar disorder: it goes beside treatment, so staff are told.
    Row("40, bipolar, systemic alone", 40, SYSTEMIC | BIPOLAR, "systemic/individual", "asked-systemic: *",
        "*: evidence_bipolar_disorder"),
    Row("12, bipolar, systemic alone", 12, SYSTEMIC | BIPOLAR, "systemic/individual", "asked-systemic: *",
        "*: consent evidence_bipolar_disorder"),
    Row("11, bipolar, systemic alone", 11, SYSTEMIC | BIPOLAR, "systemic/family", "asked-systemic: *",
        "*: consent evidence_bipolar_disorder format_differs"),
    Row("40, bipolar, systemic, in a group", 40, SYSTEMIC | GROUP | BIPOLAR, "systemic/individual",
        "asked-systemic: *", "*: evidence_bipolar_disorder format_differs"),
    Row("15, bipolar, either school", 15, EITHER | BIPOLAR, "ipsrt/individual systemic/individual",
        "not-bipolar: ipt-a ipt-ast; ages: *",
        "*: consent; ipsrt: form; systemic: evidence_bipolar_disorder"),
    Row("40, bipolar and psychosis, systemic alone", 40,
        SYSTEMIC | living_with(Condition.BIPOLAR_DISORDER, Condition.PSYCHOSIS), "systemic/individual",
        "asked-systemic: *", "*: evidence_bipolar_disorder evidence_psychosis"),
]
ADULT_ALONE = "asked-ipt: systemic; bipolar-only: ipsrt; format: ipt-g; ages: *"
YOUNG_ALONE = "asked-ipt: systemic; bipolar-only: ipsrt; ages: *"
NO_SKILLS = "asked-ipt: systemic; bipolar-only: ipsrt; acute: ipt-ast; ages: *"
RISK = [
    Row("40, psychosis named", 40, IPT | PSYCHOSIS, "ipt/individual", ADULT_ALONE, "*: evidence_psychosis"),
    Row("40, psychosis flagged", 40, IPT | flagged(FlagKind.PSYCHOSIS), "ipt/individual", ADULT_ALONE,
        "*: evidence_psychosis risk_flag"),
    Row("40, psychosis named and flagged", 40, IPT | PSYCHOSIS | flagged(FlagKind.PSYCHOSIS),
        "ipt/individual", ADULT_ALONE, "*: evidence_psychosis risk_flag"),
    Row("40, psychosis flagged, as a couple", 40, EITHER | COUPLE | flagged(FlagKind.PSYCHOSIS),
        "ipt/couple systemic/couple", "format: ipt-g; bipolar-only: ipsrt; ages: *",
        "*: evidence_psychosis risk_flag; ipt: form"),
    Row("40, psychosis flagged, in a group", 40, IPT | GROUP | flagged(FlagKind.PSYCHOSIS), "ipt-g/group",
        "asked-ipt: systemic; bipolar-only: ipsrt; format: ipt; ages: *", "*: evidence_psychosis risk_flag"),
    Row("40, bipolar, psychosis flagged", 40, IPT | BIPOLAR | flagged(FlagKind.PSYCHOSIS), "ipsrt/individual",
        "asked-ipt: systemic; not-bipolar: ipt ipt-g; ages: *", "*: form evidence_psychosis risk_flag"),
    Row("17, psychosis named", 17, IPT | PSYCHOSIS, "ipt-a/individual", YOUNG_ALONE, "*: evidence_psychosis"),
    Row("14, psychosis named", 14, YOUNG | PSYCHOSIS, "ipt-a/individual",
        "asked-ipt: systemic; not-psychosis: ipt-ast; bipolar-only: ipsrt; ages: *",
        "*: consent evidence_psychosis"),
    Row("14, substances flagged", 14, YOUNG | flagged(FlagKind.SUBSTANCES), "ipt-a/individual ipt-ast/group",
        YOUNG_ALONE, "*: consent; ipt-a: flag_substances; ipt-ast: format_differs"),
    Row("40, substances flagged", 40, IPT | flagged(FlagKind.SUBSTANCES), "ipt/individual", ADULT_ALONE,
        "*: flag_substances"),
    Row("40, substances flagged, in a group", 40, IPT | GROUP | flagged(FlagKind.SUBSTANCES), "ipt-g/group",
        "asked-ipt: systemic; bipolar-only: ipsrt; format: ipt; ages: *", "*: flag_substances"),
    Row("40, substances flagged, as a couple", 40, EITHER | COUPLE | flagged(FlagKind.SUBSTANCES),
        "ipt/couple systemic/couple", "format: ipt-g; bipolar-only: ipsrt; ages: *",
        "ipt: form flag_substances"),
    Row("14, psychosis flagged", 14, YOUNG | flagged(FlagKind.PSYCHOSIS), "ipt-a/individual", NO_SKILLS,
        "*: consent evidence_psychosis risk_flag"),
    Row("9, psychosis flagged", 9, YOUNG | FAMILY | flagged(FlagKind.PSYCHOSIS), "fb-ipt/family",
        "asked-ipt: systemic; ages: *", "*: consent evidence_psychosis risk_flag"),
    Row("14, suicidal thoughts", 14, YOUNG | flagged(FlagKind.SUICIDAL_THOUGHTS),
        "ipt-a/individual", NO_SKILLS, "*: consent risk_flag flag_suicidal_thoughts"),
    Row("16, self-harm, in a group", 16, YOUNG | GROUP | flagged(FlagKind.SELF_HARM), "ipt-a/individual",
        NO_SKILLS, "*: format_differs risk_flag"),
    Row("13, harm to others", 13, YOUNG | flagged(FlagKind.HARM_TO_OTHERS), "ipt-a/individual", NO_SKILLS,
        "*: consent risk_flag flag_harm_to_others"),
    Row("14, diagnosis unknown, suicidal thoughts", 14, IPT | UNKNOWN | flagged(FlagKind.SUICIDAL_THOUGHTS),
        "ipt-a/individual", NO_SKILLS, "*: consent risk_flag flag_suicidal_thoughts"),
    Row("12, suicidal thoughts, with an adult", 12, YOUNG | flagged(FlagKind.SUICIDAL_THOUGHTS),
        "ipt-a/individual fb-ipt/family", NO_SKILLS,
        "*: consent risk_flag; ipt-a: flag_suicidal_thoughts; fb-ipt: format_differs"),
    Row("7, psychosis named, with an adult", 7, YOUNG | FAMILY | PSYCHOSIS, "fb-ipt/family",
        "asked-ipt: systemic; ages: *", "*: consent evidence_psychosis"),
    Row("12, psychosis named, with an adult", 12, YOUNG | FAMILY | PSYCHOSIS,
        "ipt-a/individual fb-ipt/family",
        "asked-ipt: systemic; bipolar-only: ipsrt; not-psychosis: ipt-ast; ages: *",
        "*: consent evidence_psychosis; ipt-a: format_differs"),
    Row("14, being hurt is not an acute sign", 14, YOUNG | flagged(FlagKind.BEING_HURT),
        "ipt-a/individual ipt-ast/group", YOUNG_ALONE, "*: consent flag_being_hurt; ipt-ast: format_differs"),
    # What is said in front of who hurts somebody may do harm: everybody is seen alone first.
    Row("40, being hurt, as a couple", 40, EITHER | COUPLE | flagged(FlagKind.BEING_HURT),
        "ipt/couple systemic/couple", "bipolar-only: ipsrt; format: ipt-g; ages: *",
        "ipt: form; *: flag_being_hurt"),
    Row("40, being hurt, one to one", 40, IPT | flagged(FlagKind.BEING_HURT), "ipt/individual", ADULT_ALONE,
        "*: flag_being_hurt"),
    Row("40, being hurt, bipolar", 40, EITHER | BIPOLAR | flagged(FlagKind.BEING_HURT),
        "ipsrt/individual systemic/individual", "not-bipolar: ipt ipt-g; ages: *",
        "*: flag_being_hurt; ipsrt: form; systemic: evidence_bipolar_disorder"),
    Row("40, a child at risk, as a couple", 40, EITHER | COUPLE | flagged(FlagKind.CHILD_AT_RISK),
        "ipt/couple systemic/couple", "bipolar-only: ipsrt; format: ipt-g; ages: *",
        "ipt: form; *: flag_child_at_risk"),
    Row("40, a child at risk, in a group", 40, YOUNG | GROUP | flagged(FlagKind.CHILD_AT_RISK), "ipt-g/group",
        "asked-ipt: systemic; bipolar-only: ipsrt; format: ipt; ages: *", "*: flag_child_at_risk"),
    Row("9, a child at risk, with the family", 9, YOUNG | FAMILY | flagged(FlagKind.CHILD_AT_RISK),
        "fb-ipt/family", "asked-ipt: systemic; ages: *", "*: consent flag_child_at_risk"),
    Row("40, suicidal thoughts", 40, IPT | flagged(FlagKind.SUICIDAL_THOUGHTS),
        "ipt/individual", ADULT_ALONE, "*: risk_flag"),
    Row("40, suicidal thoughts and self-harm", 40,
        IPT | flagged(FlagKind.SUICIDAL_THOUGHTS, FlagKind.SELF_HARM),
        "ipt/individual", ADULT_ALONE, "*: risk_flag"),
]
CONDITIONS = [
    Row("40, depression", 40, IPT | DEPRESSION, "ipt/individual", ADULT_ALONE, "*: evidence_depression"),
    Row("40, depression, either school", 40, EITHER | DEPRESSION, "ipt/individual systemic/individual",
        "bipolar-only: ipsrt; format: ipt-g; ages: *", "ipt: evidence_depression"),
    Row("40, depression, in a group", 40, IPT | GROUP | DEPRESSION, "ipt-g/group",
        "asked-ipt: systemic; bipolar-only: ipsrt; format: ipt; ages: *", "*: evidence_depression"),
    Row("14, depression", 14, YOUNG | DEPRESSION, "ipt-a/individual ipt-ast/group", YOUNG_ALONE,
        "*: consent; ipt-a: evidence_depression; ipt-ast: format_differs"),
    Row("40, no condition named", 40, IPT | living_with(), "ipt/individual", ADULT_ALONE),
    Row("40, anxiety", 40, IPT | living_with(Condition.ANXIETY), "ipt/individual", ADULT_ALONE,
        "*: evidence_anxiety"),
    Row("40, something not listed", 40, IPT | living_with(Condition.OTHER), "ipt/individual", ADULT_ALONE,
        "*: evidence_other"),
    Row("40, bulimia", 40, IPT | BULIMIA, "ipt/individual", ADULT_ALONE, "*: evidence_bulimia_nervosa"),
    Row("40, bulimia, in a group", 40, IPT | GROUP | BULIMIA, "ipt-g/group",
        "asked-ipt: systemic; bipolar-only: ipsrt; format: ipt; ages: *", "*: evidence_bulimia_nervosa"),
    Row("40, anorexia", 40, IPT | ANOREXIA, "ipt/individual", ADULT_ALONE, "*: evidence_anorexia_nervosa"),
    Row("17, anorexia", 17, IPT | ANOREXIA, "ipt-a/individual", YOUNG_ALONE, "*: evidence_anorexia_nervosa"),
    Row("15, anorexia, as a family", 15, EITHER | FAMILY | ANOREXIA, "ipt-a/individual systemic/family",
        "format: ipt-ast; bipolar-only: ipsrt; ages: *",
        "*: consent evidence_anorexia_nervosa; ipt-a: format_differs"),
    Row("40, anorexia and bulimia beside depression", 40,
        IPT | living_with(Condition.DEPRESSION, Condition.ANOREXIA_NERVOSA, Condition.BULIMIA_NERVOSA),
        "ipt/individual", ADULT_ALONE,
        "*: evidence_depression evidence_anorexia_nervosa evidence_bulimia_nervosa"),
    Row("40, chronic fatigue", 40, EITHER | FATIGUE, "ipt/individual systemic/individual",
        "bipolar-only: ipsrt; format: ipt-g; ages: *", "*: evidence_chronic_fatigue"),
    Row("14, chronic fatigue", 14, YOUNG | FATIGUE, "ipt-a/individual ipt-ast/group", YOUNG_ALONE,
        "*: consent evidence_chronic_fatigue; ipt-ast: format_differs"),
    Row("40, conflict, either school", 40, EITHER | living_with(Condition.RELATIONSHIP_CONFLICT),
        "ipt/individual systemic/individual", "bipolar-only: ipsrt; format: ipt-g; ages: *",
        "ipt: evidence_relationship_conflict"),
]
GRIEF = [
    Row("14, after a death", 14, YOUNG | {"problem_areas": (), "life_event": LifeEvent.DEATH},
        "ipt-a/individual ipt-ast/group", YOUNG_ALONE,
        "*: consent; ipt-ast: format_differs area_not_covered"),
    Row("14, grieving", 14, YOUNG | {"problem_areas": (ProblemArea.GRIEF,), "life_event": LifeEvent.DEATH},
        "ipt-a/individual ipt-ast/group", YOUNG_ALONE,
        "*: consent; ipt-ast: format_differs area_not_covered"),
    Row("40, after a death", 40, IPT | {"problem_areas": (), "life_event": LifeEvent.DEATH}, "ipt/individual",
        ADULT_ALONE),
]
SELF, PARENT = RequesterRole.SELF, RequesterRole.PARENT
CARER, PROFESSIONAL = RequesterRole.CARER, RequesterRole.PROFESSIONAL
WITH_FAMILY = YOUNG | FAMILY
# Who asks is told of and rules nobody out: from 16 the client decides, before that staff find out who may.
WHO_ASKS = [
    Row("40, asks alone", 40, IPT, "ipt/individual", ADULT_ALONE, asked_by=SELF),
    Row("40, a parent asks", 40, IPT, "ipt/individual", ADULT_ALONE, "*: own_consent", asked_by=PARENT),
    Row("40, a carer asks", 40, IPT, "ipt/individual", ADULT_ALONE, "*: own_consent", asked_by=CARER),
    Row("40, a professional asks", 40, IPT, "ipt/individual", ADULT_ALONE, "*: own_consent",
        asked_by=PROFESSIONAL),
    Row("40, bipolar, a carer asks", 40, IPT | BIPOLAR, "ipsrt/individual",
        "asked-ipt: systemic; not-bipolar: ipt ipt-g; ages: *", "*: form own_consent", asked_by=CARER),
    Row("40, as a couple, a carer asks", 40, EITHER | COUPLE, "ipt/couple systemic/couple",
        "format: ipt-g; bipolar-only: ipsrt; ages: *", "*: own_consent; ipt: form", asked_by=CARER),
    Row("16, asks alone", 16, IPT, "ipt-a/individual",
        "asked-ipt: systemic; bipolar-only: ipsrt; diagnosis: ipt-ast; ages: *", "*: asked_by_self",
        asked_by=SELF),
    Row("16, a parent asks", 16, IPT, "ipt-a/individual",
        "asked-ipt: systemic; bipolar-only: ipsrt; diagnosis: ipt-ast; ages: *", "*: own_consent",
        asked_by=PARENT),
    Row("the day before turning 16, a parent asks", date(2010, 11, 25), IPT, "ipt-a/individual",
        "asked-ipt: systemic; bipolar-only: ipsrt; diagnosis: ipt-ast; ages: *", "*: consent",
        asked_by=PARENT),
    Row("14, asks alone", 14, YOUNG, "ipt-a/individual ipt-ast/group", YOUNG_ALONE,
        "*: consent; ipt-a: asked_by_self; ipt-ast: format_differs", asked_by=SELF),
    Row("14, being hurt, a parent asks", 14, YOUNG | flagged(FlagKind.CHILD_AT_RISK, FlagKind.BEING_HURT),
        "ipt-a/individual ipt-ast/group", YOUNG_ALONE,
        "*: consent flag_child_at_risk flag_being_hurt; ipt-ast: format_differs", asked_by=PARENT),
    Row("14, a carer asks", 14, YOUNG, "ipt-a/individual ipt-ast/group", YOUNG_ALONE,
        "*: consent; ipt-ast: format_differs", asked_by=CARER),
    Row("14, a professional asks", 14, YOUNG, "ipt-a/individual ipt-ast/group", YOUNG_ALONE,
        "*: consent; ipt-ast: format_differs", asked_by=PROFESSIONAL),
    Row("9, asks alone, an adult would come", 9, WITH_FAMILY, "fb-ipt/family", "asked-ipt: systemic; ages: *",
        "*: consent asked_by_self", asked_by=SELF),
    Row("9, a parent asks and comes", 9, WITH_FAMILY, "fb-ipt/family", "asked-ipt: systemic; ages: *",
        "*: consent", asked_by=PARENT),
    Row("9, a professional asks, an adult would come", 9, WITH_FAMILY, "fb-ipt/family",
        "asked-ipt: systemic; ages: *", "*: consent asked_by_professional", asked_by=PROFESSIONAL),
    Row("9, asks alone, being hurt, an adult would come", 9, WITH_FAMILY | flagged(FlagKind.BEING_HURT),
        "fb-ipt/family", "asked-ipt: systemic; ages: *", "*: consent flag_being_hurt", asked_by=SELF),
    Row("9, a carer asks, at risk, no adult", 9, WITH_FAMILY | CARER_REFUSED | flagged(FlagKind.BEING_HURT),
        "", "asked-ipt: systemic; adult: fb-ipt; ages: *", asked_by=CARER),
    Row("9, asks alone, no adult", 9, WITH_FAMILY | CARER_REFUSED, "",
        "asked-ipt: systemic; client-alone: fb-ipt; ages: *", asked_by=SELF),
    Row("9, the parent who asks refused", 9, WITH_FAMILY | CARER_REFUSED, "",
        "asked-ipt: systemic; parent-refused: fb-ipt; ages: *", asked_by=PARENT),
    Row("9, the carer who asks refused", 9, WITH_FAMILY | CARER_REFUSED, "",
        "asked-ipt: systemic; carer-refused: fb-ipt; ages: *", asked_by=CARER),
    Row("9, a professional asks, no adult", 9, WITH_FAMILY | CARER_REFUSED, "",
        "asked-ipt: systemic; adult-unasked: fb-ipt; ages: *", asked_by=PROFESSIONAL),
    Row("12, the carer who asks refused, others fit", 12, WITH_FAMILY | CARER_REFUSED, "ipt-a/individual",
        "asked-ipt: systemic; carer-refused: fb-ipt; bipolar-only: ipsrt; format: ipt-ast; ages: *",
        "*: consent format_differs", asked_by=CARER),
]
# fmt: on

TABLE = [
    *ALONE,
    *AS_A_FAMILY,
    *IN_A_GROUP,
    *AS_A_COUPLE,
    *BIRTHDAYS,
    *SCHOOLS,
    *DIAGNOSES_AND_ADULTS,
    *BIPOLAR_DISORDER,
    *RISK,
    *CONDITIONS,
    *GRIEF,
    *WHO_ASKS,
]


def by_key(cell: str) -> dict[str, list[str]]:
    """A cell such as `ages: ipt ipt-g; format: *`."""
    parts = [part.split(":") for part in cell.split(";") if part.strip()]
    return {key.strip(): words.split() for key, words in parts}


def words_for(row: Row) -> dict[str, str]:
    """What the rule of each variant must say; `*` is every variant not named elsewhere in the row."""
    cells = by_key(row.ruled_out)
    named = {variant for variants in cells.values() for variant in variants}
    named |= {fit.split("/")[0] for fit in row.fits.split()}
    return {
        variant: WORDS[rule]
        for rule, variants in cells.items()
        for variant in (sorted(set(Variant) - named) if variants == ["*"] else variants)
    }


@pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])
def test_who_may_have_what(row: Row) -> None:
    birthday = row.who if isinstance(row.who, date) else born(row.who)
    found = pathways_of(a_case(date_of_birth=birthday, **row.changes), row.on, RULES.policy, row.asked_by)

    assert sorted(f"{each.variant}/{each.format}" for each in found.fitting) == sorted(row.fits.split())

    expected, rules = words_for(row), {out.variant: out.rule for out in found.ruled_out}
    assert set(rules) == set(expected)
    assert [
        (rule, expected[variant]) for variant, rule in rules.items() if expected[variant] not in rule
    ] == []

    cautions = by_key(row.cautions)
    for pathway in found.fitting:
        wanted = [*cautions.get("*", []), *cautions.get(pathway.variant, [])]
        assert sorted(caution.code for caution in pathway.cautions) == sorted(wanted), pathway.variant
        assert all(caution.text.endswith(".") for caution in pathway.cautions)


def test_the_table_says_something_of_every_variant_rule_and_format() -> None:
    pathways = [fit.split("/") for row in TABLE for fit in row.fits.split()]

    assert len({row.name for row in TABLE}) == len(TABLE) >= 60
    assert {variant for variant, _ in pathways} == set(Variant)
    assert {given for _, given in pathways} == set(Format)
    assert {rule for row in TABLE for rule in by_key(row.ruled_out)} == set(WORDS)


@pytest.mark.parametrize("condition", Condition)
@pytest.mark.parametrize("age", [8, 12, 15, 17, 18, 40])
@pytest.mark.parametrize("asked", [IPT, SYSTEMIC, EITHER], ids=["ipt", "systemic", "either"])
def test_whatever_somebody_lives_with_leaves_a_pathway_to_who_would_have_one(
    asked: Changes, age: int, condition: Condition
) -> None:
    def pathways(*conditions: Condition) -> Pathways:
        case = a_case(date_of_birth=born(age), **(asked | FAMILY | WITH_ADULT | living_with(*conditions)))
        return pathways_of(case, THE_DAY, RULES.policy)

    before, after = pathways(), pathways(condition)

    # FB-IPT is not for a child with bipolar disorder, and IPSRT not for one under 12.
    expected = bool(before.fitting) and (asked, age, condition) != (IPT, 8, Condition.BIPOLAR_DISORDER)
    assert bool(after.fitting) is expected


@pytest.mark.parametrize(
    ("event", "named", "areas"),
    [
        (LifeEvent.DEATH, "", "grief"),
        (LifeEvent.BIRTH, "", "role_transition"),
        (LifeEvent.MOVE, "", "role_transition"),
        (LifeEvent.JOB, "", "role_transition"),
        (LifeEvent.SEPARATION, "", "role_transition"),
        (LifeEvent.ILLNESS, "", "role_transition"),
        (LifeEvent.CONFLICT, "", "role_dispute"),
        (LifeEvent.OTHER, "", ""),
        (None, "", ""),
        (None, "interpersonal_deficits", "interpersonal_deficits"),
        (LifeEvent.DEATH, "role_transition", "role_transition grief"),
        (LifeEvent.DEATH, "grief", "grief"),
        (LifeEvent.CONFLICT, "grief interpersonal_deficits", "grief interpersonal_deficits role_dispute"),
    ],
)
def test_what_happened_points_to_an_area(event: LifeEvent | None, named: str, areas: str) -> None:
    case = a_case(life_event=event, problem_areas=tuple(map(ProblemArea, named.split())))

    assert [each.area for each in areas_of(case, RULES.policy)] == areas.split()


@pytest.mark.parametrize(
    ("who", "named", "tiers"),
    [
        (40, "", "ipt: none_found; systemic: none_found"),
        (40, "depression", "ipt: strong; systemic: moderate"),
        (40, "depression anorexia_nervosa", "ipt: none_found; systemic: limited"),
        (40, "anorexia_nervosa depression", "ipt: none_found; systemic: limited"),
        (40, "depression anxiety", "ipt: limited; systemic: limited"),
        (40, "depression relationship_conflict", "ipt: limited; systemic: moderate"),
        (40, "depression other", "ipt: none_found; systemic: none_found"),
        (17, "depression bulimia_nervosa", "ipt-a: none_found; systemic: limited"),
    ],
)
def test_a_pathway_is_called_as_well_supported_as_the_least_supported_condition(
    who: int, named: str, tiers: str
) -> None:
    case = a_case(date_of_birth=born(who), **(EITHER | living_with(*map(Condition, named.split()))))

    found = pathways_of(case, THE_DAY, RULES.policy).fitting

    assert {str(each.variant): [str(each.evidence)] for each in found} == by_key(tiers)
