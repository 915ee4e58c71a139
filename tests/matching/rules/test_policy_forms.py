"""Whom a form is for, how it is given and what it warns of is no policy's to change."""

import pytest

from tests.matching.policies import (
    ALL,
    COUPLE,
    FB_IPT,
    IPSRT,
    IPT,
    IPT_A,
    IPT_AST,
    IPT_G,
    SYSTEMIC,
    TEXT,
    Row,
    changed,
    faults_of,
    is_refused,
)

BIPOLAR, ONLY = 'not_for = ["bipolar_disorder"', 'only_for = ["bipolar_disorder"]'
NEEDS = 'needs = ["no_diagnosis", "no_acute_flag"]'

WHOM_A_FORM_IS_FOR = [
    Row(FB_IPT, 'needs = ["attending_adult"]', "needs = []", "needs must hold attending_adult for fb-ipt"),
    Row(IPT_AST, NEEDS, 'needs = ["no_acute_flag"]', "needs must hold no_diagnosis for ipt-ast"),
    Row(IPT_AST, NEEDS, 'needs = ["no_diagnosis"]', "needs must hold no_acute_flag for ipt-ast"),
    Row(IPT, BIPOLAR, f'needs = ["no_acute_flag"]\n{BIPOLAR}', "needs must not hold no_acute_flag for ipt"),
    Row(IPT, BIPOLAR, f'needs = ["no_diagnosis"]\n{BIPOLAR}', "needs must not hold no_diagnosis for ipt"),
    Row(IPT, "ages = [18", "ages = [17", "ages must lie within 18 to 120 for ipt"),
    Row(COUPLE, "ages = [18", "ages = [17", "ages must lie within 18 to 120 for ipt"),
    Row(IPT_A, "ages = [12, 18]", "ages = [12, 19]", "ages must lie within 12 to 18 for ipt-a"),
    Row(IPT_A, "ages = [12, 18]", "ages = [11, 18]", "ages must lie within 12 to 18 for ipt-a"),
    Row(IPT_AST, "ages = [12, 16]", "ages = [12, 17]", "ages must lie within 12 to 16 for ipt-ast"),
    Row(IPT_AST, "ages = [12, 16]", "ages = [11, 16]", "ages must lie within 12 to 16 for ipt-ast"),
    Row(FB_IPT, "ages = [7, 12]", "ages = [7, 13]", "ages must lie within 0 to 12 for fb-ipt"),
    Row(IPT_G, "ages = [18", "ages = [17", "ages must lie within 18 to 120 for ipt-g"),
    Row(IPSRT, "ages = [12", "ages = [11", "ages must lie within 12 to 120 for ipsrt"),
    Row(SYSTEMIC, "ages = [12", "ages = [0", "ages must lie within 12 to 120 for systemic"),
    Row(IPSRT, ONLY, "only_for = []", "only_for must hold bipolar_disorder for ipsrt"),
    Row(IPSRT, ONLY, 'only_for = ["depression"]', "only_for must not hold depression for ipsrt"),
    Row(IPT, BIPOLAR, f'only_for = ["depression"]\n{BIPOLAR}', "only_for must not hold depression for ipt"),
    *(
        Row(each, BIPOLAR, 'not_for = ["psychosis"', "not_for must hold bipolar_disorder for ")
        for each in (IPT, COUPLE, IPT_A, IPT_AST, FB_IPT, IPT_G)
    ),
    Row(IPT_AST, f'{BIPOLAR}, "psychosis"]', f"{BIPOLAR}]", "not_for must hold psychosis for ipt-ast"),
    Row(IPT, BIPOLAR, f'{BIPOLAR}, "anorexia_nervosa"', "not_for must not hold anorexia_nervosa for ipt"),
    Row(SYSTEMIC, "\nsource", f"\n{BIPOLAR}]\nsource", "not_for must not hold bipolar_disorder for systemic"),
    Row(IPSRT, "caution", f"{BIPOLAR}]\ncaution", "not_for must not hold bipolar_disorder for ipsrt"),
]
HOW_A_FORM_IS_GIVEN = [
    *(
        Row(each.removesuffix(f'"{given}"\n'), f'"{given}"', '"individual"', f"format must be {given} for ")
        for each, given in ((IPT_AST, "group"), (FB_IPT, "family"), (IPT_G, "group"))
    ),
    *(
        Row(f'[[forms]]\nvariant = "{of}"\n', '"ipt"', '"systemic"', f"school must be ipt for {of}")
        for of in ("ipt", "ipt-a", "ipt-ast", "fb-ipt", "ipt-g", "ipsrt")
    ),
    Row('variant = "systemic"\nschool = ', '"systemic"', '"ipt"', "school must be systemic for systemic"),
]
WHAT_A_FORM_WARNS_OF = [
    *(Row(each, "being_hurt", "self_harm", "flag_cautions must hold being_hurt for ") for each in ALL),
    *(Row(each, "child_at_risk", "self_harm", "flag_cautions must hold child_at_risk for ") for each in ALL),
    *(
        Row(IPT_A, f"{kind} = ", "self_harm = ", f"flag_cautions must hold {kind} for ipt-a")
        for kind in ("suicidal_thoughts", "harm_to_others", "substances")
    ),
    Row('variant = "ipt"\n', "substances = ", "self_harm = ", "flag_cautions must hold substances for ipt"),
    Row(COUPLE, "substances = ", "self_harm = ", "flag_cautions must hold substances for ipt"),
    Row(IPT_G, "substances = ", "self_harm = ", "flag_cautions must hold substances for ipt-g"),
    Row(IPT_AST, '["grief"]', "[]", "areas_not_covered must hold grief for ipt-ast"),
    Row(COUPLE, 'being_hurt = "', 'being_hurt = " " } # "', "flag_cautions.being_hurt: String should match"),
    Row(COUPLE, 'caution = "', 'caution = " " #', "caution: String should match"),
    Row(COUPLE, 'caution = "', 'caution = "." #', "caution: String should match"),
    Row(IPSRT, 'caution = "', 'caution = "-" #', "caution: String should match"),
]
FORMS = [*WHOM_A_FORM_IS_FOR, *HOW_A_FORM_IS_GIVEN, *WHAT_A_FORM_WARNS_OF]


@pytest.mark.parametrize(
    "row", FORMS, ids=[f"{row.after[19:30]} {row.fault} {row.wrong[:30]}" for row in FORMS]
)
def test_whom_a_form_is_for_and_what_it_warns_of_is_no_policy_s_to_change(row: Row) -> None:
    place = TEXT[: TEXT.index(row.after) + len(row.after)].count("[[forms]]") - 1

    assert is_refused(row, f"forms.{place}.")


@pytest.mark.parametrize(
    ("form", "row", "fault"),
    [
        (FB_IPT, "needs = ", "forms.4.needs must hold attending_adult for fb-ipt"),
        (IPSRT, "caution = ", "forms.6.caution must be there for ipsrt"),
    ],
)
def test_a_row_that_is_gone_is_named_by_the_line_of_its_form(form: str, row: str, fault: str) -> None:
    text = changed(form, row, "# ")
    line = text[: text.index(form)].count("\n") + 1

    assert [each for each in faults_of(text) if each.startswith(f"line {line}, {fault}")]


@pytest.mark.parametrize(
    ("right", "wrong", "asked"),
    [
        ("ages = [12, 18]", "ages = [13, 18]", "group individual"),
        ("ages = [12, 18]", "ages = [12, 15]", "group individual"),
        ('also_for = ["family", "group"]', 'also_for = ["family"]', "group"),
        ('source = "adolescents"', 'needs = ["attending_adult"]\nsource = "adolescents"', "group individual"),
    ],
)
def test_where_a_sign_of_risk_closes_a_form_another_stays_open(right: str, wrong: str, asked: str) -> None:
    text = changed(IPT_A, right, wrong)
    line = text[: text.index("ages = ", text.index(IPT_AST))].count("\n") + 1

    assert [fault for fault in faults_of(text) if "a sign of risk" in fault] == [
        f"line {line}, forms.3.ages must be open to another form for who asks for {each}: "
        "a sign of risk leaves nobody without a pathway"
        for each in asked.split()
    ]
