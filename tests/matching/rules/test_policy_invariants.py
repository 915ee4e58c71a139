"""What keeps people safe is no policy's to change: what would switch it off is refused by line and rule."""

import pytest

from services.matching.domain.policy import read_policy
from shared.contract.vocabulary import Condition, Variant
from tests.matching.policies import FB_IPT, IPT_AST, SYSTEMIC, SYSTEMIC_FAMILY, Row, changed, is_refused

NEVER_WITHOUT_CAUTION = {
    Condition.PSYCHOSIS: set(Variant),
    Condition.ANXIETY: set(Variant),
    Condition.DEPRESSION: {Variant.IPT, Variant.IPT_A, Variant.IPT_G},
    Condition.BIPOLAR_DISORDER: set(Variant) - {Variant.IPSRT},
    Condition.ANOREXIA_NERVOSA: set(Variant) - {Variant.SYSTEMIC},
    Condition.BULIMIA_NERVOSA: set(Variant) - {Variant.SYSTEMIC},
    Condition.CHRONIC_FATIGUE: set(Variant) - {Variant.SYSTEMIC},
}
WHAT_IS_WARNED_OF = [
    *(
        Row(
            f"[evidence.{variant}]\n",
            f"\n{condition} = ",
            f'\n{condition} = {{ tier = "strong", source = "none" }} #',
            f"evidence.{variant}.{condition} needs a caution, whatever its tier",
        )
        for condition, variants in NEVER_WITHOUT_CAUTION.items()
        for variant in sorted(variants)
    ),
    Row(
        "[evidence.ipt]",
        '"IPT is not first line for anxiety; CBT has done at least as well in trials."',
        '" "',
        "evidence.ipt.anxiety.caution: String should match",
    ),
]
WHAT_COUNTS_AS_WHAT = [
    *(
        Row('version = "2026-11"', f'"{kind}"', '"being_hurt"', f"acute_flags must hold {kind}")
        for kind in ("suicidal_thoughts", "self_harm", "harm_to_others", "psychosis")
    ),
    Row(
        "acute_flags",
        'psychosis_flags = ["psychosis"]',
        "psychosis_flags = []",
        "psychosis_flags must hold psychosis",
    ),
    *(
        Row("psychosis_flags", f'"{kind}"', '"self_harm"', f"harm_flags must hold {kind}")
        for kind in ("being_hurt", "child_at_risk")
    ),
    Row("[life_events]", 'death = "grief"', 'death = "role_transition"', "life_events.death must be grief"),
    *(
        Row(
            "[life_events]",
            f'{event} = "role_transition"',
            f'{event} = "grief"',
            f"life_events.{event} must be role_transition",
        )
        for event in ("birth", "move", "job")
    ),
    *(
        Row(
            "[life_events]",
            f'{event} = "role_transition"',
            f'{event} = "grief"',
            f"life_events.{event} must be role_transition or role_dispute",
        )
        for event in ("separation", "illness")
    ),
    Row(
        "[life_events]",
        'conflict = "role_dispute"',
        'conflict = "role_transition"',
        "life_events.conflict must be role_dispute",
    ),
    Row(
        "[life_events]",
        'death = "grief"',
        'other = "grief"\ndeath = "grief"',
        "life_events.other must point to no area",
    ),
    Row(
        "[age_groups]",
        "children = [5, 12]",
        "children = [5, 13]",
        "age_groups.children must lie within 0 to 12",
    ),
    Row("[age_groups]", "[12, 18]", "[11, 18]", "age_groups.adolescents must lie within 12 to 18"),
    Row("[age_groups]", "[12, 18]", "[12, 19]", "age_groups.adolescents must lie within 12 to 18"),
    Row("[age_groups]", "[18, 120]", "[17, 120]", "age_groups.adults must lie within 18 to 120"),
    Row("version", "shortlist_size", "consent_age = 18\nshortlist_size", "consent_age: Extra inputs are not"),
    *(
        Row(
            "[weights.evidence]",
            f"\n{worse} = {points}",
            f"\n{worse} = {points}1",
            f"weights.evidence.{worse} must not exceed {better}",
        )
        for better, worse, points in (("strong", "moderate", 50), ("moderate", "limited", 20))
    ),
    Row(
        "[weights.evidence]",
        "none_found = 0",
        "none_found = 21",
        "weights.evidence.none_found must not exceed limited",
    ),
    Row("[weights.evidence]", "none_found = 0", "none_found = 1", "weights.evidence.none_found must be 0"),
    *(
        Row(
            f"[evidence.{variant}]\n",
            'unnamed = { tier = "none_found", source = "none" }',
            'unnamed = { tier = "limited", source = "strategies" }',
            f"evidence.{variant}.unnamed must be none_found",
        )
        for variant in Variant
    ),
    Row(
        "[evidence.ipt]\n",
        'source = "markowitz", caution',
        'source = "none",  caution',
        "evidence.ipt.anxiety is limited and needs a source",
    ),
    Row("[sources]\n", 'none = "', 'none = "-" #', "sources.none: String should match"),
]
GROUPS_AND_CLOCKS = [
    Row("[groups.ipt-ast]", "least = 4", "least = 2", "groups.ipt-ast.size must lie within 3 to 7"),
    Row("[groups.ipt-ast]", "most = 7", "most = 8", "groups.ipt-ast.size must lie within 3 to 7"),
    Row(
        "[groups.ipt-ast]",
        "most = 7",
        "most = 3",
        "groups.ipt-ast.size: the most must not be below the least",
    ),
    Row("[groups.ipt-g]", "least = 4", "least = 2", "groups.ipt-g.size must lie within 3 to 10"),
    Row("[groups.ipt-g]", "most = 7", "most = 11", "groups.ipt-g.size must lie within 3 to 10"),
    *(
        Row(
            f"[groups.{variant}]",
            "{ sessions = 2",
            f"{{ sessions = {number}",
            f"groups.{variant}.individual_first must be at least 2 sessions",
        )
        for variant in ("ipt-ast", "ipt-g")
        for number in (0, 1)
    ),
    Row("[groups.ipt-ast]", "years = 3", "years = 4", "groups.ipt-ast.age_span must be at most 3 years"),
    Row("[groups.ipt-ast]", "years = 3", "years = 120", "groups.ipt-ast.age_span must be at most 3 years"),
    Row("most_credit", " = 400", " = 299", "prices.most_credit must be at least the scarcity of 300"),
    Row("[groups.ipt-ast]", "days = 21", "days = 13", "groups.ipt-ast.starting must be at least 14 days"),
    Row("[groups.ipt-ast]", "days = 28", "days = 183", "groups.ipt-ast.gathering must be at most 182 days"),
    Row("[groups.ipt-g]", "days = 21", "days = 183", "groups.ipt-g.starting must be at most 182 days"),
    Row("[phases]", "[15, 16]", "[15, 21]", "phases.ending must end with session 8 to 20"),
    Row(
        "[phases]",
        "opening = [1, 3]\nmiddle = [4, 14]\nending = [15, 16]",
        "ending = [6, 7]\nopening = [1, 3]\nmiddle = [4, 5]",
        "phases.ending must end with session 8 to 20",
    ),
    Row("fresh_days", " = 120 ", " = 366 ", "fresh_days: Input should be less than or equal to 365"),
    Row(
        "latest_start_weeks",
        " = 18 ",
        " = 27 ",
        "latest_start_weeks: Input should be less than or equal to 26",
    ),
    Row("proposal_days", " = 14 ", " = 91 ", "proposal_days: Input should be less than or equal to 90"),
    Row(
        "default_distance_km",
        " = 15 ",
        " = 101 ",
        "default_distance_km: Input should be less than or equal to 100",
    ),
    Row(
        "credit_per_week",
        " = 40 ",
        " = 0 ",
        "prices.credit_per_week: Input should be greater than or equal to 1",
    ),
    Row("most_credit", " = 400", " = 0", "prices.most_credit: Input should be greater than or equal to 1"),
    Row("smallest_group", " = 10 ", " = 4 ", "smallest_group: Input should be greater than or equal to 5"),
    Row(
        "least_cases", " = 15 ", " = 14 ", "outcome.least_cases: Input should be greater than or equal to 15"
    ),
]
TABLE = [*WHAT_IS_WARNED_OF, *WHAT_COUNTS_AS_WHAT, *GROUPS_AND_CLOCKS]


@pytest.mark.parametrize("row", TABLE, ids=[f"{row.fault} ({row.wrong.strip()[:30]})" for row in TABLE])
def test_what_keeps_people_safe_is_no_policy_s_to_change(row: Row) -> None:
    assert is_refused(row)


@pytest.mark.parametrize(
    ("after", "right", "wrong"),
    [
        (IPT_AST, "ages = [12, 16]", "ages = [13, 15]"),
        (FB_IPT, "ages = [7, 12]", "ages = [5, 12]"),
        (SYSTEMIC, "ages = [12, 120]", "ages = [16, 120]"),
        (SYSTEMIC_FAMILY, "ages = ", 'needs = ["attending_adult"]\nages = '),
        ("acute_flags", '"psychosis"]', '"psychosis", "being_hurt"]'),
        ("[life_events]", 'separation = "role_transition"', 'separation = "role_dispute"'),
        ("[age_groups]", "[12, 18]", "[13, 17]"),
        ("[groups.ipt-ast]", "least = 4, most = 7", "least = 3, most = 6"),
        ("[groups.ipt-g]", "{ sessions = 2", "{ sessions = 3"),
        ("[weights.evidence]", "moderate = 50", "moderate = 80"),
        ("[phases]", "ending = [15, 16]", "ending = [15, 20]"),
        ("fresh_days", " = 120 ", " = 365 "),
        ("latest_start_weeks", " = 18 ", " = 26 "),
        ("most_credit", " = 400", " = 300"),
        ("[groups.ipt-g]", "years = 30", "years = 60"),
    ],
)
def test_what_the_design_leaves_open_is_the_policy_s_own(after: str, right: str, wrong: str) -> None:
    assert read_policy(changed(after, right, wrong))
