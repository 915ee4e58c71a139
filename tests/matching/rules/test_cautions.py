"""What staff are told of a pathway that fits: how well it is supported, and what to heed."""

from typing import Any

import pytest

from services.matching.domain.pathways import pathways_of
from shared.contract.vocabulary import Condition, Evidence, FlagKind, Format, LifeEvent, Variant
from tests.matching.builders import RULES, THE_DAY, born
from tests.support.builders import a_case, a_flag


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"conditions": (Condition.ANOREXIA_NERVOSA,)}, "evidence_anorexia_nervosa"),
        ({"conditions": (Condition.BULIMIA_NERVOSA,)}, "evidence_bulimia_nervosa"),
        ({"conditions": (Condition.CHRONIC_FATIGUE,)}, "evidence_chronic_fatigue"),
        ({"conditions": (Condition.ANXIETY,)}, "evidence_anxiety"),
        ({"conditions": (Condition.PSYCHOSIS,)}, "evidence_psychosis"),
        ({"flags": (a_flag(FlagKind.PSYCHOSIS),)}, "evidence_psychosis"),
        ({"flags": (a_flag(FlagKind.SELF_HARM),)}, "risk_flag"),
        ({"format": Format.FAMILY}, "format_differs"),
        ({"format": Format.COUPLE}, "form"),
    ],
)
def test_a_caution_is_shown_where_ipt_is_not_the_plain_choice(changes: dict[str, Any], code: str) -> None:
    [pathway] = pathways_of(a_case(**changes), THE_DAY, RULES.policy).fitting

    assert code in [caution.code for caution in pathway.cautions]


def test_depression_in_an_adult_is_told_to_have_other_first_lines_where_it_is_less_severe() -> None:
    [pathway] = pathways_of(a_case(), THE_DAY, RULES.policy).fitting

    [caution] = pathway.cautions
    assert caution.code == "evidence_depression"
    assert "PHQ-9 below 16" in caution.text
    assert pathway.evidence is Evidence.STRONG
    assert pathway.source.startswith("Cuijpers")


def test_the_least_supported_condition_gives_the_tier_and_each_its_caution() -> None:
    case = a_case(conditions=(Condition.DEPRESSION, Condition.ANOREXIA_NERVOSA, Condition.ANXIETY))

    [pathway] = pathways_of(case, THE_DAY, RULES.policy).fitting

    assert (pathway.evidence, pathway.source) == (Evidence.NONE_FOUND, RULES.policy.sources["eating"])
    assert [caution.code for caution in pathway.cautions] == [
        "evidence_depression",
        "evidence_anorexia_nervosa",
        "evidence_anxiety",
    ]
    assert [(each.condition, each.evidence, each.source) for each in pathway.supports] == [
        (Condition.ANOREXIA_NERVOSA, Evidence.NONE_FOUND, RULES.policy.sources["eating"]),
        (Condition.ANXIETY, Evidence.LIMITED, RULES.policy.sources["markowitz"]),
        (Condition.DEPRESSION, Evidence.STRONG, RULES.policy.sources["cuijpers"]),
    ]


def test_who_names_no_condition_is_told_of_no_evidence() -> None:
    [pathway] = pathways_of(a_case(conditions=()), THE_DAY, RULES.policy).fitting

    assert (pathway.evidence, pathway.supports) == (Evidence.NONE_FOUND, ())


def test_no_diagnosis_told_is_a_caution_for_skills_training() -> None:
    case = a_case(date_of_birth=born(14), diagnosed=None)

    pathways = {each.variant: each for each in pathways_of(case, THE_DAY, RULES.policy).fitting}

    assert "diagnosis_unknown" in [caution.code for caution in pathways[Variant.IPT_AST].cautions]


def test_skills_training_does_not_cover_grief_and_says_so() -> None:
    case = a_case(date_of_birth=born(14), diagnosed=False, problem_areas=(), life_event=LifeEvent.DEATH)

    pathways = {each.variant: each for each in pathways_of(case, THE_DAY, RULES.policy).fitting}

    assert "area_not_covered" in [caution.code for caution in pathways[Variant.IPT_AST].cautions]
    assert "area_not_covered" not in [caution.code for caution in pathways[Variant.IPT_A].cautions]


@pytest.mark.parametrize(("age", "asked"), [(15, True), (16, False)])
def test_consent_is_asked_for_below_sixteen(age: int, asked: bool) -> None:
    [pathway] = pathways_of(a_case(date_of_birth=born(age)), THE_DAY, RULES.policy).fitting

    assert ("consent" in [caution.code for caution in pathway.cautions]) is asked
