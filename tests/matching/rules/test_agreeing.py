"""Whom nothing fits as they asked: staff read what would, if another way were agreed on."""

from itertools import product
from typing import Any

import pytest

from services.matching.domain.pathways import pathways_of
from shared.contract.vocabulary import Condition, FlagKind, Format, RequesterRole, Therapy, Variant
from tests.matching.builders import RULES, THE_DAY, born
from tests.support.builders import a_case, a_flag

Changes = dict[str, Any]

BIPOLAR: Changes = {"conditions": (Condition.BIPOLAR_DISORDER,)}
IPT: Changes = {"therapy": Therapy.IPT}
SAID = "would fit if that were agreed."


def told(age: int, asked_by: RequesterRole | None = None, **changes: Any) -> dict[Variant, str]:
    """Of each variant that would fit, what is said of it; nothing fits as it was asked."""
    case = a_case(**({"date_of_birth": born(age), "conditions": (), "diagnosed": False} | changes))
    found = pathways_of(case, THE_DAY, RULES.policy, asked_by)
    assert not found.fitting
    return {out.variant: out.rule for out in found.ruled_out if SAID in out.rule}


@pytest.mark.parametrize("given", [Format.INDIVIDUAL, Format.FAMILY, Format.GROUP])
@pytest.mark.parametrize("age", [7, 11])
def test_a_child_with_bipolar_disorder_who_asks_for_ipt_may_agree_to_systemic_work(
    age: int, given: Format
) -> None:
    assert told(age, format=given, **IPT, **BIPOLAR) == {
        Variant.SYSTEMIC: f"The client asks for IPT. Systemic therapy as a family {SAID}"
    }


def test_a_child_whose_carer_refused_may_agree_to_systemic_work() -> None:
    said = told(9, RequesterRole.CARER, format=Format.FAMILY, **IPT)

    assert said == {Variant.SYSTEMIC: f"The client asks for IPT. Systemic therapy as a family {SAID}"}


def test_another_format_comes_before_another_school() -> None:
    said = told(12, format=Format.COUPLE, attending_adult=True)

    assert said == {
        Variant.IPT_A: f"IPT-A is not given as a couple. IPT-A one to one {SAID}",
        Variant.IPT_AST: f"IPT-AST is not given as a couple. IPT-AST in a group {SAID}",
        Variant.FB_IPT: f"FB-IPT is not given as a couple. FB-IPT as a family {SAID}",
        Variant.SYSTEMIC: f"The client asks for IPT. Systemic therapy one to one {SAID}",
    }


def test_where_somebody_may_be_being_hurt_it_is_said_what_comes_first() -> None:
    said = told(9, flags=(a_flag(FlagKind.BEING_HURT),), **IPT, **BIPOLAR)

    assert said[Variant.SYSTEMIC].endswith(
        f"{SAID} Somebody may be being hurt: speak with the safeguarding lead first, see each person alone, "
        "and the family together only if that is safe."
    )


def test_it_stands_on_the_source_of_what_would_fit_as_well() -> None:
    case = a_case(date_of_birth=born(9), **IPT, **BIPOLAR)

    [systemic] = [
        out for out in pathways_of(case, THE_DAY, RULES.policy).ruled_out if out.variant is Variant.SYSTEMIC
    ]

    sources = RULES.policy.sources
    assert systemic.source == "; ".join([sources["client"], sources["clinic"]])


def test_nothing_would_fit_a_child_of_four() -> None:
    assert told(4, therapy=Therapy.EITHER, format=Format.FAMILY, attending_adult=True) == {}


@pytest.mark.parametrize("age", [5, 7, 11, 12, 15, 17, 18, 40])
def test_nobody_is_left_with_nothing_unsaid(age: int) -> None:
    left = []
    for asked, given, condition in product(Therapy, Format, [None, *Condition]):
        named = () if condition is None else (condition,)
        case = a_case(date_of_birth=born(age), therapy=asked, format=given, conditions=named)
        found = pathways_of(case, THE_DAY, RULES.policy)
        if not found.fitting and not any(SAID in out.rule for out in found.ruled_out):
            left.append((asked, given, condition))

    assert left == []


def test_where_something_fits_nothing_more_is_said_of_what_does_not() -> None:
    found = pathways_of(a_case(therapy=Therapy.IPT), THE_DAY, RULES.policy)

    assert found.fitting
    assert not any(SAID in out.rule for out in found.ruled_out)
