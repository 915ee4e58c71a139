"""A policy says what it means: nothing in it is taken for something of another kind."""

import re

import pytest

from tests.matching.policies import TEXT, faults_of

NUMBER = re.compile(r"(?<=[\[ ])\d+(?=[],\s]|$)")
ROWS = [
    (line, found.span())
    for line, row in enumerate(TEXT.splitlines(), start=1)
    if not row.startswith("#")
    for found in NUMBER.finditer(
        re.sub(r'"[^"]*"', lambda words: "_" * len(words.group()), row.partition("#")[0])
    )
]


def with_number_as(line: int, span: tuple[int, int], wrong: str) -> str:
    rows = TEXT.splitlines()
    row = rows[line - 1]
    rows[line - 1] = row[: span[0]] + wrong.format(row[slice(*span)]) + row[span[1] :]
    return "\n".join(rows)


def test_numbers_stand_all_over_the_policy() -> None:
    found = {TEXT.splitlines()[line - 1].partition("=")[0].strip() for line, _ in ROWS}

    assert len(ROWS) > 90
    assert found > {"fresh_days", "adults", "slight", "up_to_km", "ages", "size", "course", "ending", "mean"}


@pytest.mark.parametrize("wrong", ["true", "false", '"{}"', "{}.0", "{}.5", "2026-11-01", "inf", "[{}]"])
def test_nothing_but_a_whole_number_is_one(wrong: str) -> None:
    taken = [
        (line, span)
        for line, span in ROWS
        if not any(
            re.match(rf"line {line}, .*: Input should be a valid integer", fault)
            for fault in faults_of(with_number_as(line, span, wrong))
        )
    ]

    assert taken == []


def test_no_number_is_beyond_reckoning() -> None:
    far = "100000000000000000000"
    taken = [
        (line, span)
        for line, span in ROWS
        if not any(fault.startswith(f"line {line}, ") for fault in faults_of(with_number_as(line, span, far)))
    ]

    assert taken == []


@pytest.mark.parametrize("wrong", ["1", '"true"', "[]", "2026-11-01"])
@pytest.mark.parametrize("row", ["[prices]\non = true", "on = false"])
def test_nothing_but_true_or_false_is_a_switch(row: str, wrong: str) -> None:
    at, _, _ = row.rpartition("= ")
    line = TEXT[: TEXT.index(row) + len(row)].count("\n") + 1

    [fault] = faults_of(TEXT.replace(row, f"{at}= {wrong}", 1))

    assert fault.startswith(f"line {line}, ")
    assert fault.endswith(".on: Input should be a valid boolean")


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ('version = "2026-11"', "version = 2026", "version: Input should be a valid string"),
        ('version = "2026-11"', "version = 2026-11-01", "version: Input should be a valid string"),
        (
            'psychosis_flags = ["psychosis"]',
            'psychosis_flags = "psychosis"',
            "psychosis_flags: Input should be",
        ),
        ('death = "grief"', "death = 1", "life_events.death: Input should be"),
        ('tier = "strong"', "tier = true", "evidence.ipt.depression.tier: Input should be"),
        ("ages = [18, 120]", 'ages = "18-120"', "forms.0.ages: Input should be"),
    ],
)
def test_words_and_lists_are_nothing_else(right: str, wrong: str, fault: str) -> None:
    assert right in TEXT, "the test no longer changes anything"
    line = TEXT[: TEXT.index(right)].count("\n") + 1

    assert [
        each for each in faults_of(TEXT.replace(right, wrong, 1)) if each.startswith(f"line {line}, {fault}")
    ]
