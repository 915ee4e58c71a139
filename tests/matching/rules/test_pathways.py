"""Which variants fit whom: every boundary, every exclusion; and which problem areas a case points to."""

from datetime import date
from typing import Any

import pytest

from services.matching.domain.areas import areas_of
from services.matching.domain.pathways import pathways_of
from shared.ages import age_on
from shared.contract.vocabulary import (
    Condition,
    FlagKind,
    Format,
    LifeEvent,
    ProblemArea,
    Therapy,
    Variant,
)
from tests.matching.builders import RULES, THE_DAY, born
from tests.support.builders import a_case, a_flag

EITHER: dict[str, Any] = {"therapy": Therapy.EITHER}
GROUP: dict[str, Any] = {"format": Format.GROUP}
COUPLE: dict[str, Any] = {"format": Format.COUPLE}
FAMILY: dict[str, Any] = {"format": Format.FAMILY}
ADULT_COMES: dict[str, Any] = {"attending_adult": True}
NOT_DIAGNOSED: dict[str, Any] = {"diagnosed": False}
BIPOLAR: dict[str, Any] = {"conditions": (Condition.BIPOLAR_DISORDER,)}
PSYCHOSIS: dict[str, Any] = {"conditions": (Condition.PSYCHOSIS,)}
AT_RISK: dict[str, Any] = {"flags": (a_flag(FlagKind.SUICIDAL_THOUGHTS),)}

CASES: list[tuple[str, int, dict[str, Any], str]] = [
    ("an adult", 35, {}, "ipt"),
    ("an adult who is open to both schools", 35, EITHER, "ipt systemic"),
    ("an adult who asks for systemic therapy", 35, {"therapy": Therapy.SYSTEMIC}, "systemic"),
    ("an adult of 18", 18, {}, "ipt ipt-a"),
    ("an adult of 19", 19, {}, "ipt"),
    ("somebody of 17", 17, {}, "ipt-a"),
    ("somebody of 17 without a diagnosis", 17, NOT_DIAGNOSED, "ipt-a"),
    ("somebody of 16 without a diagnosis", 16, NOT_DIAGNOSED, "ipt-a ipt-ast"),
    ("somebody of 16 with a diagnosis", 16, {}, "ipt-a"),
    ("somebody of 14 with a diagnosis", 14, {}, "ipt-a"),
    ("somebody of 14 without a diagnosis", 14, NOT_DIAGNOSED, "ipt-a ipt-ast"),
    ("somebody of 14 who does not know of a diagnosis", 14, {"diagnosed": None}, "ipt-a ipt-ast"),
    ("somebody of 14 at risk, without a diagnosis", 14, NOT_DIAGNOSED | AT_RISK, "ipt-a"),
    ("somebody of 14 at risk who asks for a group", 14, NOT_DIAGNOSED | AT_RISK | GROUP, "ipt-a"),
    ("somebody of 14 who asks for a group", 14, NOT_DIAGNOSED | GROUP, "ipt-a ipt-ast"),
    ("somebody of 13", 13, ADULT_COMES | NOT_DIAGNOSED, "ipt-a ipt-ast"),
    ("a child of 12 whom all three fit", 12, ADULT_COMES | NOT_DIAGNOSED, "ipt-a ipt-ast fb-ipt"),
    ("a child of 12 with a diagnosis", 12, ADULT_COMES, "ipt-a fb-ipt"),
    ("a child of 12 whose carer refused", 12, NOT_DIAGNOSED, "ipt-a ipt-ast"),
    ("a child of 11 with an adult", 11, ADULT_COMES, "fb-ipt"),
    ("a child of 11 alone", 11, {}, ""),
    ("a child of 11 alone, either school", 11, EITHER, "systemic"),
    ("a child of 11 as a family, either school", 11, FAMILY | EITHER, "systemic"),
    ("a child of 8 with an adult", 8, ADULT_COMES, "fb-ipt"),
    ("a child of 8 as a family", 8, ADULT_COMES | FAMILY, "fb-ipt"),
    ("a child of 7 with an adult", 7, ADULT_COMES, "fb-ipt"),
    ("a child of 6 with an adult", 6, ADULT_COMES, ""),
    ("a child of 6 as a family, either school", 6, ADULT_COMES | FAMILY | EITHER, "systemic"),
    ("a child of 4 as a family, either school", 4, ADULT_COMES | FAMILY | EITHER, ""),
    ("a child of 8 as a couple", 8, ADULT_COMES | COUPLE | EITHER, ""),
    ("an adult in a group", 40, GROUP, "ipt-g"),
    ("somebody of 18 in a group", 18, GROUP, "ipt-a ipt-g"),
    ("somebody of 17 in a group", 17, GROUP, "ipt-a"),
    ("a couple", 40, COUPLE, "ipt"),
    ("a couple, either school", 40, COUPLE | EITHER, "ipt systemic"),
    ("a couple who ask for systemic therapy", 40, COUPLE | {"therapy": Therapy.SYSTEMIC}, "systemic"),
    ("a couple of 17", 17, COUPLE | EITHER, ""),
    ("a family", 40, FAMILY, "ipt"),
    ("a family, either school", 40, FAMILY | EITHER, "ipt systemic"),
    ("a family with somebody of 15", 15, FAMILY | EITHER, "ipt-a systemic"),
    ("an adult with bipolar disorder", 40, BIPOLAR, "ipsrt"),
    ("an adult with bipolar disorder, either school", 40, BIPOLAR | EITHER, "ipsrt systemic"),
    ("an adult with bipolar disorder in a group", 40, BIPOLAR | GROUP, "ipsrt"),
    ("a couple with bipolar disorder, either school", 40, BIPOLAR | COUPLE | EITHER, "ipsrt systemic"),
    ("somebody of 15 with bipolar disorder", 15, BIPOLAR, "ipsrt"),
    ("somebody of 12 with bipolar disorder", 12, BIPOLAR | ADULT_COMES | NOT_DIAGNOSED, "ipsrt"),
    ("a child of 11 with bipolar disorder", 11, BIPOLAR | ADULT_COMES, ""),
    (
        "bipolar disorder beside depression",
        40,
        {"conditions": (Condition.DEPRESSION, Condition.BIPOLAR_DISORDER)},
        "ipsrt",
    ),
    ("an adult with psychosis", 40, PSYCHOSIS, "ipt"),
    ("somebody of 15 with psychosis", 15, PSYCHOSIS, "ipt-a"),
    ("an adult with anorexia", 40, {"conditions": (Condition.ANOREXIA_NERVOSA,)}, "ipt"),
    ("an adult with bulimia", 40, {"conditions": (Condition.BULIMIA_NERVOSA,)}, "ipt"),
    ("an adult with chronic fatigue", 40, {"conditions": (Condition.CHRONIC_FATIGUE,)}, "ipt"),
    ("an adult who names no condition", 40, {"conditions": ()}, "ipt"),
    ("an adult at risk", 40, AT_RISK, "ipt"),
    ("somebody of 90", 90, {}, "ipt"),
]


@pytest.mark.parametrize(("who", "age", "changes", "variants"), CASES, ids=[case[0] for case in CASES])
def test_the_variants_that_fit(who: str, age: int, changes: dict[str, Any], variants: str) -> None:
    found = pathways_of(a_case(date_of_birth=born(age), **changes), THE_DAY, RULES.policy)

    assert " ".join(pathway.variant for pathway in found.fitting) == variants, who
    named = [pathway.variant for pathway in found.fitting] + [out.variant for out in found.ruled_out]
    assert sorted(named) == sorted(Variant), "every variant either fits or is ruled out"
    assert all(out.rule.endswith(".") for out in found.ruled_out)


@pytest.mark.parametrize(
    ("variant", "age", "changes", "rule", "source"),
    [
        (Variant.IPT, 17, {}, "IPT one to one is for ages 18 and over; the client is 17.", "strategies"),
        (Variant.IPT_A, 35, {}, "IPT-A one to one is for ages 12 to 18; the client is 35.", "adolescents"),
        (Variant.IPT_AST, 14, {}, "IPT-AST is for young people without a diagnosis.", "skills"),
        (
            Variant.IPT_AST,
            14,
            NOT_DIAGNOSED | AT_RISK,
            "IPT-AST is not offered while there are signs of acute risk; other forms stay open.",
            "clinic",
        ),
        (Variant.IPT_AST, 17, {}, "IPT-AST in a group is for ages 12 to 16; the client is 17.", "skills"),
        (Variant.FB_IPT, 9, {}, "FB-IPT needs an adult who comes to every session.", "offer"),
        (Variant.FB_IPT, 13, {}, "FB-IPT as a family is for ages 7 to 12; the client is 13.", "dietz"),
        (Variant.FB_IPT, 9, ADULT_COMES | BIPOLAR, "FB-IPT is not for bipolar disorder.", "bipolar"),
        (Variant.IPT, 35, BIPOLAR, "IPT is not for bipolar disorder.", "bipolar"),
        (Variant.IPSRT, 35, {}, "IPSRT is for bipolar disorder only, which is not named.", "bipolar"),
        (Variant.IPSRT, 11, {}, "IPSRT one to one is for ages 12 and over; the client is 11.", "clinic"),
        (Variant.IPT_G, 35, {}, "Group IPT is not given one to one.", "offer"),
        (Variant.IPT_G, 17, GROUP, "Group IPT is for ages 18 and over; the client is 17.", "group"),
        (Variant.SYSTEMIC, 35, {}, "The client asks for IPT.", "client"),
        (Variant.IPT, 35, {"therapy": Therapy.SYSTEMIC}, "The client asks for systemic therapy.", "client"),
    ],
)
def test_a_variant_is_ruled_out_with_its_rule_and_what_that_stands_on(
    variant: Variant, age: int, changes: dict[str, Any], rule: str, source: str
) -> None:
    found = pathways_of(a_case(date_of_birth=born(age), **changes), THE_DAY, RULES.policy)

    [out] = [out for out in found.ruled_out if out.variant is variant]
    assert (out.rule, out.source) == (rule, RULES.policy.sources[source])


@pytest.mark.parametrize(
    ("variant", "age", "changes", "rule", "sources"),
    [
        (
            Variant.IPT,
            35,
            {},
            "For ages 18 and over, not for bipolar disorder; the client is 35.",
            "strategies bipolar",
        ),
        (
            Variant.IPT_A,
            12,
            {},
            "For ages 12 to 18, not for bipolar disorder; the client is 12.",
            "adolescents",
        ),
        (
            Variant.IPT_AST,
            16,
            NOT_DIAGNOSED,
            "For ages 12 to 16, not for bipolar disorder, not for psychosis, without a diagnosis, "
            "without signs of acute risk; the client is 16.",
            "skills clinic",
        ),
        (
            Variant.FB_IPT,
            7,
            ADULT_COMES,
            "For ages 7 to 12, not for bipolar disorder, with an adult in every session; the client is 7.",
            "dietz bipolar offer",
        ),
        (
            Variant.IPSRT,
            40,
            BIPOLAR,
            "For ages 12 and over, for bipolar disorder only; the client is 40.",
            "clinic bipolar",
        ),
        (Variant.SYSTEMIC, 5, EITHER | FAMILY, "For ages 5 and over; the client is 5.", "clinic"),
    ],
)
def test_a_variant_fits_by_a_rule_and_what_that_stands_on(
    variant: Variant, age: int, changes: dict[str, Any], rule: str, sources: str
) -> None:
    found = pathways_of(a_case(date_of_birth=born(age), **changes), THE_DAY, RULES.policy)

    [pathway] = [pathway for pathway in found.fitting if pathway.variant is variant]
    assert pathway.rule == rule
    assert pathway.rule_sources == tuple(RULES.policy.sources[key] for key in sources.split())


@pytest.mark.parametrize("age", range(12, 17))
@pytest.mark.parametrize("kind", FlagKind)
@pytest.mark.parametrize("asked", Format)
def test_a_risk_flag_never_leaves_a_young_person_without_a_pathway(
    age: int, kind: FlagKind, asked: Format
) -> None:
    case = a_case(date_of_birth=born(age), diagnosed=False, format=asked, attending_adult=True)

    calm = pathways_of(case, THE_DAY, RULES.policy)
    flagged = pathways_of(case.model_copy(update={"flags": (a_flag(kind),)}), THE_DAY, RULES.policy)

    assert bool(flagged.fitting) == bool(calm.fitting)


def test_a_birthday_opens_a_pathway_on_the_day() -> None:
    case = a_case(date_of_birth=date(2008, 11, 25))

    before = pathways_of(case, date(2026, 11, 24), RULES.policy)
    after = pathways_of(case, date(2026, 11, 25), RULES.policy)

    assert [pathway.variant for pathway in before.fitting] == [Variant.IPT_A]
    assert [pathway.variant for pathway in after.fitting] == [Variant.IPT, Variant.IPT_A]


@pytest.mark.parametrize(
    ("day", "age"),
    [(date(2026, 2, 28), 17), (date(2026, 3, 1), 18), (date(2028, 2, 28), 19), (date(2028, 2, 29), 20)],
)
def test_a_child_of_the_leap_day_ages_on_the_first_of_march(day: date, age: int) -> None:
    assert age_on(day, date(2008, 2, 29)) == age


@pytest.mark.parametrize(
    ("event", "area"),
    [
        (LifeEvent.DEATH, ProblemArea.GRIEF),
        (LifeEvent.BIRTH, ProblemArea.ROLE_TRANSITION),
        (LifeEvent.MOVE, ProblemArea.ROLE_TRANSITION),
        (LifeEvent.JOB, ProblemArea.ROLE_TRANSITION),
        (LifeEvent.CONFLICT, ProblemArea.ROLE_DISPUTE),
        (LifeEvent.OTHER, None),
        (None, None),
    ],
)
def test_a_life_event_points_to_its_area(event: LifeEvent | None, area: ProblemArea | None) -> None:
    found = areas_of(a_case(problem_areas=(), life_event=event), RULES.policy)

    assert [(each.area, each.field) for each in found] == ([(area, "details.life_event")] if area else [])


def test_what_the_client_named_stands_before_what_the_event_points_to() -> None:
    case = a_case(problem_areas=(ProblemArea.ROLE_DISPUTE,), life_event=LifeEvent.DEATH)

    found = areas_of(case, RULES.policy)

    assert [each.area for each in found] == [ProblemArea.ROLE_DISPUTE, ProblemArea.GRIEF]
