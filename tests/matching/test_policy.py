"""A policy that is wrong is refused, with the field and the rule; nothing is ranked by half a policy."""

from pathlib import Path

import pytest

from services.matching.app import load_rules
from services.matching.domain.policy import PolicyFault, read_policy
from services.matching.settings import POLICY
from shared.contract.vocabulary import Condition, Evidence, Variant
from shared.kit.errors import Fatal
from tests.matching.builders import RULES

TEXT = POLICY.read_text(encoding="utf-8")


def test_the_committed_policy_is_whole() -> None:
    policy = read_policy(TEXT)

    assert policy.version == POLICY.stem
    assert {form.variant for form in policy.forms} == set(Variant)
    assert all(set(Condition) <= set(policy.evidence[variant]) for variant in Variant)
    assert (policy.phases.opening.last, policy.phases.middle.last, policy.phases.sessions) == (3, 14, 16)


@pytest.mark.parametrize("variant", [Variant.IPT, Variant.IPT_A, Variant.IPT_AST, Variant.FB_IPT])
@pytest.mark.parametrize("condition", [Condition.ANOREXIA_NERVOSA, Condition.CHRONIC_FATIGUE])
def test_what_the_clinic_claims_without_evidence_is_marked(variant: Variant, condition: Condition) -> None:
    tier = RULES.policy.evidence[variant][condition]

    assert tier.tier is Evidence.NONE_FOUND
    assert tier.caution


@pytest.mark.parametrize(
    ("wrong", "right", "fault"),
    [
        ("shortlist_size = 5", "shortlist_size = 0", "shortlist_size: Input should be greater than or equal"),
        ("shortlist_size = 5", "", "shortlist_size: Field required"),
        ("fresh_days = 120 ", 'fresh_days = "long"', "fresh_days: Input should be a valid integer"),
        ("fee = 40", "fee = 40\nwealth = 3", "weights.wealth: Extra inputs are not permitted"),
        ("problem_area = 200", "problem_area = -1", "weights.problem_area: "),
        ("problem_area = 200", "problem_area = 1.5", "weights.problem_area: "),
        ("ages = [12, 18]", "ages = [18, 12]", "forms.2.ages: the last must not be below the first"),
        ("ages = [12, 18]", "ages = [12]", "forms.2.ages: must be [first, last]"),
        ('variant = "ipt-g"', 'variant = "ipt-x"', "forms.5.variant: "),
        ('school = "systemic"', 'school = "either"', "must be ipt or systemic"),
        ("middle = [4, 14]", "middle = [5, 14]", "phases: phases must begin at session 1 and follow"),
        ("strong = 90\n", "strong = 10\n", "weights.preference: slight must not exceed strong"),
        ("up_to_km = 5\n", "up_to_km = 2\n", "distance_bands must grow"),
        ("none_found = 0\n", "", "weights: evidence lacks none_found"),
        ("children = [5, 12]\n", "", "age_groups.children is missing"),
        ('death = "grief"', 'death = "sorrow"', "life_events.death: "),
        ('depression = { tier = "strong", source = "cuijpers" }\n', "", "evidence.ipt.depression is missing"),
        ('source = "cuijpers" }', 'source = "hearsay" }', "evidence.ipt.depression.source is not among"),
        ('source = "dietz"\n', 'source = "hearsay"\n', "forms.4.source is not among the sources"),
        (
            ', caution = "IPT-A is not first line for anxiety."',
            "",
            "evidence.ipt-a.anxiety is limited and needs",
        ),
        ('version = "2026-11"', 'version = "2026-11', "it is not TOML: "),
    ],
)
def test_a_wrong_policy_is_refused_by_field_and_rule(wrong: str, right: str, fault: str) -> None:
    assert wrong in TEXT, "the test no longer changes anything"

    with pytest.raises(PolicyFault) as refused:
        read_policy(TEXT.replace(wrong, right, 1))

    assert any(fault in each for each in refused.value.faults), refused.value.faults


@pytest.mark.parametrize(
    ("right", "wrong", "stands_at"),
    [
        ("shortlist_size = 5", "shortlist_size = 0", "shortlist_size = 0"),
        ("ages = [7, 12]", "ages = [12, 7]", "ages = [12, 7]"),
        ("fee = 40\n", "", "[weights]"),
        ("up_to_km = 5\n", "up_to_km = 0\n", "up_to_km = 0"),
        ('depression = { tier = "strong", source = "cuijpers" }\n', "", "[evidence.ipt]"),
        (
            'source = "cuijpers" }',
            'source = "hearsay" }',
            'depression = { tier = "strong", source = "hearsay" }',
        ),
        ('source = "dietz"\n', 'source = "hearsay"\n', 'source = "hearsay"'),
    ],
)
def test_a_fault_names_the_line_that_is_wrong(right: str, wrong: str, stands_at: str) -> None:
    text = TEXT.replace(right, wrong, 1)
    line = [each.partition("  #")[0].strip() for each in text.splitlines()].index(stands_at) + 1

    with pytest.raises(PolicyFault) as refused:
        read_policy(text)

    assert [fault for fault in refused.value.faults if fault.startswith(f"line {line}, ")]


def test_all_faults_are_named_at_once() -> None:
    text = TEXT.replace("shortlist_size = 5", "shortlist_size = 0").replace(
        "consent_age = 16", "consent_age = 0"
    )

    with pytest.raises(PolicyFault) as refused:
        read_policy(text)

    assert len(refused.value.faults) == 2


def test_a_service_with_a_wrong_policy_does_not_start(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(TEXT.replace("consent_age = 16", ""), encoding="utf-8")

    with pytest.raises(Fatal, match=r"consent_age: Field required"):
        load_rules(file)


def test_a_policy_that_is_not_there_does_not_start_either(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match=r"POLICY_FILE .* cannot be read"):
        load_rules(tmp_path / "nowhere.toml")
