"""A policy that is wrong is refused, with the field and the rule; nothing is ranked by half a policy."""

import re
import tomllib

import pytest

from services.matching.domain.policy import PolicyFault, read_policy
from services.matching.settings import POLICY
from shared.contract.vocabulary import Condition, Evidence, LifeEvent, Variant
from tests.matching.builders import RULES
from tests.matching.policies import TEXT, changed, faults_of, line_with

DEPRESSION = next(row for row in TEXT.splitlines(keepends=True) if 'source = "cuijpers"' in row)


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
        ("fresh_days = 120 ", "fresh_days = 999999 ", "fresh_days: Input should be less than or equal"),
        ("ending = [15, 16]", "ending = [15, 99999999]", "phases.ending.last: Input should be less than"),
        ("wait_history_least = 20", "wait_history_least = 4", "wait_history_least: Input should be greater"),
        ("wait_history_days = 180 ", "wait_history_days = 0 ", "wait_history_days: Input should be greater"),
        ("fee = 40", "fee = 40\nwealth = 3", "weights.wealth: Extra inputs are not permitted"),
        ("problem_area = 200", "problem_area = -1", "weights.problem_area: "),
        ("problem_area = 200", "problem_area = 1.5", "weights.problem_area: "),
        ("ages = [12, 18]", "ages = [18, 12]", "forms.2.ages: the last must not be below the first"),
        ("ages = [12, 18]", "ages = [12]", "forms.2.ages: must be [first, last]"),
        ('variant = "ipt-g"', 'variant = "ipt-x"', "forms.5.variant: "),
        ('school = "systemic"', 'school = "either"', "must be ipt or systemic"),
        ("middle = [4, 14]", "middle = [5, 14]", "phases: phases must begin at session 1 and follow"),
        ("strong = 90\n", "strong = 10\n", "weights.preference: slight must not exceed strong"),
        ("up_to_km = 5\n", "up_to_km = 2\n", "distance_bands.1.up_to_km must be more than the 2"),
        ("up_to_km = 5\n", "up_to_km = 1\n", "distance_bands.1.up_to_km must be more than the 2"),
        ("experience_cases = 40", "experience_cases = 256", "caps.experience_cases: Input should be less"),
        ('death = "grief"\n', "", "life_events.death is missing"),
        ('conflict = "role_dispute"\n', "", "life_events.conflict is missing"),
        ("none_found = 0\n", "", "weights: evidence lacks none_found"),
        ("children = [5, 12]\n", "", "age_groups.children is missing"),
        ('death = "grief"', 'death = "sorrow"', "life_events.death: "),
        (DEPRESSION, "", "evidence.ipt.depression is missing"),
        ('source = "cuijpers"', 'source = "hearsay"', "evidence.ipt.depression.source is not among"),
        ('source = "dietz"\n', 'source = "hearsay"\n', "forms.4.source is not among the sources"),
        (
            'rule_sources = { no_acute_flag = "clinic" }',
            'rule_sources = { no_acute_flag = "hearsay" }',
            "forms.3.rule_sources.no_acute_flag is not among the sources",
        ),
        (
            'rule_sources = { no_acute_flag = "clinic" }',
            'rule_sources = { attending_adult = "clinic" }',
            "forms.3.rule_sources.attending_adult has no row",
        ),
        ('school = "client"', 'school = "hearsay"', "offer_sources.school is not among the sources"),
        ('format = "offer"\n', "", "offer_sources.format: Field required"),
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
        (DEPRESSION, "", "[evidence.ipt]"),
        (
            'source = "cuijpers"',
            'source = "hearsay"',
            DEPRESSION.replace("cuijpers", "hearsay").strip(),
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


def without_form(variant: Variant) -> str:
    """The policy without any form of a variant."""
    head, *forms = TEXT.split("[[forms]]")
    last, _, rest = forms.pop().partition("# ----")
    kept = [form for form in [*forms, last] if f'variant = "{variant}"\n' not in form]
    return "[[forms]]".join([head, *kept]) + "# ----" + rest


@pytest.mark.parametrize("variant", Variant)
def test_every_variant_has_its_form(variant: Variant) -> None:
    text = without_form(variant)

    assert f"line {line_with(text, '[[forms]]')}, forms.{variant} is missing" in faults_of(text)


def test_every_event_but_one_that_is_not_named_points_to_its_area() -> None:
    for event in set(LifeEvent) - {LifeEvent.OTHER}:
        [row] = [line for line in TEXT.splitlines() if line.startswith(f"{event} = ")]
        text = TEXT.replace(f"{row}\n", "", 1)

        [fault] = faults_of(text)

        assert fault == f"line {line_with(text, '[life_events]')}, life_events.{event} is missing"


TOP, TABLES = TEXT.split("\n[", 1)


@pytest.mark.parametrize("row", re.findall(r"^(\w+) = ", TOP, re.MULTILINE))
def test_a_row_of_no_table_that_is_missing_is_named_with_the_line_where_such_rows_begin(row: str) -> None:
    without = re.sub(rf"^{row} = .*\n", "", TOP, flags=re.MULTILINE)
    [begins, *_] = [number for number, line in enumerate(without.splitlines(), 1) if line[:1].isalpha()]

    assert f"line {begins}, {row}: Field required" in faults_of(f"{without}\n[{TABLES}")


def test_a_form_that_is_there_twice_is_named_by_its_second_line() -> None:
    again = '[[forms]]\nvariant = "ipsrt"\nschool = "ipt"\nformat = "individual"\nages = [12, 120]\n'
    again += 'only_for = ["bipolar_disorder"]\ncaution = "Beside medication."\n'
    again += 'flag_cautions = { being_hurt = "See them alone.", child_at_risk = "See them alone." }\n'
    again += 'source = "bipolar"\n\n'
    groups = next(line for line in TEXT.splitlines() if line.startswith("# ---") and line.endswith(" groups"))
    text = TEXT.replace(groups, again + groups, 1)
    line = text[: text.index(again)].count("\n") + 2

    assert faults_of(text) == [f"line {line}, forms.10.variant is ipsrt individual twice"]


def test_every_row_of_every_table_has_a_source_that_says_something() -> None:
    document = tomllib.loads(TEXT)
    tables = {"": document, **{name: document[name] for name in ("weights", "caps", "prices", "outcome")}}
    for name, table in tables.items():
        prefix = f"{name}." if name else ""
        for row, source in table["source"].items():
            line = f'{row} = "{source}"\n'
            start = TEXT.index(f"[{prefix}source]\n")
            place = TEXT.index(f"\n{line}", start) + 1

            without = faults_of(TEXT[:place] + TEXT[place + len(line) :])
            unknown = faults_of(TEXT[:place] + f'{row} = "hearsay"\n' + TEXT[place + len(line) :])
            empty = faults_of(TEXT[:place] + f'{row} = ""\n' + TEXT[place + len(line) :])

            number = line_with(TEXT, f"[{prefix}source]")
            assert without == [f"line {number}, {prefix}source.{row} is missing"]
            assert unknown == empty
            [fault] = unknown
            assert fault.endswith(f", {prefix}source.{row} is not among the sources")
            assert fault.startswith(f"line {TEXT[:place].count(chr(10)) + 1}, ")


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ('source = "phases"\n', 'source = ""\n', "phases.source is not among the sources"),
        ('source = "phases"\n', "", "phases.source: Field required"),
        ('source = "clinic_near"\n', 'source = "hearsay"\n', "distance_bands.0.source is not among"),
        ('source = "clinic_near"\n', "source = {}\n", "distance_bands.0.source.points is missing"),
        (
            'source = "clinic_near"\n',
            'source = { up_to_km = "clinic_near" }\n',
            "distance_bands.0.source.points is missing",
        ),
        ('source = "skills" }', 'source = "" }', "groups.ipt-ast.size.source is not among"),
        (
            'caution_source = "ng222"',
            'caution_source = "hearsay"',
            "evidence.ipt.depression.caution_source is not",
        ),
        (
            "[sources]\n",
            '[sources]\nrumour = "Somebody said so"\n',
            "sources.rumour has no row that stands on it",
        ),
        ("[caps.source]\n", "[caps.source]\nwealth = 'clinic'\n", "caps.source.wealth has no row"),
        (
            'clinic_few = "The clinic\'s own choice: no more than a reviewer weighs on one screen"',
            'clinic_few = " "',
            "sources.clinic_few: ",
        ),
    ],
)
def test_a_source_that_says_nothing_is_refused_with_its_line(right: str, wrong: str, fault: str) -> None:
    assert right in TEXT, "the test no longer changes anything"

    faults = faults_of(TEXT.replace(right, wrong, 1))

    assert [each for each in faults if fault in each and each.startswith("line ")], faults


def test_each_row_of_a_distance_band_may_have_a_source_of_its_own() -> None:
    rows = 'source = { up_to_km = "clinic_near", points = "clinic_near" }\n'

    assert read_policy(TEXT.replace('source = "clinic_near"\n', rows, 1)).distance_bands


def test_a_fault_in_a_whole_table_that_is_not_there_names_the_first_of_its_kind() -> None:
    start = TEXT.index("[evidence.ipsrt]")
    text = TEXT[:start] + TEXT[TEXT.index("[evidence.systemic]") :]

    assert f"line {line_with(text, '[evidence.ipt]')}, evidence.ipsrt.anxiety is missing" in faults_of(text)


def test_all_faults_are_named_at_once() -> None:
    text = TEXT.replace("shortlist_size = 5", "shortlist_size = 0").replace(
        "smallest_group = 10", "smallest_group = 4"
    )

    with pytest.raises(PolicyFault) as refused:
        read_policy(text)

    assert len(refused.value.faults) == 2


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ('substances = "hearsay"', "substances is not among the sources"),
        ('substances = "substances", psychosis = "clinic"', "psychosis has no row"),
    ],
)
def test_what_is_said_of_a_sign_stands_on_a_source_of_its_own(wrong: str, fault: str) -> None:
    text = changed("[[forms]]", 'substances = "substances"', wrong)
    line = text[: text.index("flag_sources = ")].count("\n") + 1

    assert faults_of(text) == [f"line {line}, forms.0.flag_sources.{fault}"]
