"""What another policy would change, in figures that compare, and without telling of few people."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain.comparing import Comparison, Outcome, groups_of, report, tally
from shared.contract.ids import RequestId, TherapistId
from shared.contract.vocabulary import Mode, RequesterRole, Therapy
from tests.support.builders import a_case, id_of

FEWEST = 10
NOBODY = Outcome((), 0, (), 0, None, 0)


def came_first(*names: str, values: tuple[int | None, ...] | None = None, **facts: Any) -> Outcome:
    """An outcome with these on the list."""
    told: dict[str, Any] = {"score": 500, "unmet": 0, "km": None, "begins_in_days": 0} | facts
    listed = tuple(TherapistId(id_of(name)) for name in names)
    return Outcome(listed=listed, values=values or (told["score"],) * len(names), **told)


def compared(old: Outcome, new: Outcome, ranking: int = 1, **facts: Any) -> Comparison:
    """One comparison."""
    told: dict[str, Any] = {
        "request_id": RequestId(UUID(int=ranking)),
        "waited_days": 0,
        "groups": dict.fromkeys(["age", "mode", "therapy", "requester", "condition", "area"], "one"),
    } | facts
    return Comparison(ranking=ranking, old=old, new=new, **told)


# ------------------------------------------------------------------------------------------- in figures


def test_changes_are_new_less_old() -> None:
    counted = tally(
        [
            compared(
                came_first("ada", "ben", score=700, km=4.0, unmet=2),
                came_first("ben", "cleo", score=900, values=(650, None), km=1.5, unmet=1),
            )
        ]
    )

    assert (counted.same_first, counted.other_first) == (0, 1)
    assert (counted.old_score.mean, counted.new_score.mean) == (700, 900)
    assert (counted.value.mean, counted.list_value.mean) == (-50, -50)
    assert (counted.km.mean, counted.unmet.mean, counted.overlap.mean) == (-2.5, -1, 0.5)


def test_a_first_whom_the_old_policy_rules_out_is_counted_and_never_valued() -> None:
    counted = tally([compared(came_first("ada"), came_first("ben", values=(None,)))])

    assert (counted.outside, counted.value.of, counted.value.mean) == (1, 0, None)


def test_a_group_instead_of_none_is_counted_be_it_with_the_same_therapist() -> None:
    alone, together = came_first("ada"), came_first("ada", in_group=True)

    counted = tally(
        compared(*pair)
        for pair in ((alone, together), (together, alone), (together, together), (NOBODY, together))
    )

    assert (counted.group_changed, counted.same_first) == (2, 3)


def test_agreement_on_nobody_is_agreement() -> None:
    counted = tally(
        [
            compared(NOBODY, NOBODY, 1),
            compared(came_first("ada"), came_first("ada"), 2),
            compared(came_first("ada"), NOBODY, 3),
            compared(NOBODY, came_first("ada"), 4),
        ]
    )

    assert (counted.neither, counted.same_first, counted.only_old, counted.only_new) == (1, 1, 1, 1)
    assert counted.agreement == 0.5
    assert counted.overlap.mean == 0.5


def test_a_wait_ends_when_the_first_of_the_first_proposal_can_begin() -> None:
    same = RequestId(id_of("one request"))
    counted = tally(
        [
            compared(NOBODY, came_first("ada", begins_in_days=2), 1, request_id=same, waited_days=0),
            compared(NOBODY, NOBODY, 2, request_id=same, waited_days=5),
            compared(came_first("ben"), NOBODY, 3, request_id=same, waited_days=9),
            compared(came_first("ben"), NOBODY, 4, waited_days=1),
        ]
    )

    assert (counted.wait_days.of, counted.wait_days.mean) == (1, -7)
    assert (counted.sooner, counted.later, counted.requests) == (1, 0, 2)


def test_nothing_compared_is_no_fault() -> None:
    told = report([], FEWEST)

    assert told["totals"] is None
    assert set(map(tuple, told["groups"].values())) == {()}


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (4, "under 13"),
        (12, "under 13"),
        (13, "13 to 17"),
        (17, "13 to 17"),
        (18, "18 to 25"),
        (25, "18 to 25"),
        (26, "26 to 64"),
        (64, "26 to 64"),
        (65, "65 and over"),
    ],
)
def test_ages_are_told_in_bands(age: int, band: str) -> None:
    assert groups_of(a_case(), age, None)["age"] == band


@pytest.mark.parametrize(
    ("outcode", "area"),
    [
        ("E1", "East"),
        ("e17", "East"),
        ("EC1A", "Central"),
        ("WC2H", "Central"),
        ("W1T", "West"),
        ("NW10", "North West"),
        (" se22 ", "South East"),
        ("BR1", "Outer London and beyond"),
        (None, "not known"),
        ("", "not known"),
    ],
)
def test_places_are_told_by_part_of_london(outcode: str | None, area: str) -> None:
    assert groups_of(a_case(outcode=outcode), 30, None)["area"] == area


def test_everybody_is_in_one_group_of_each_division() -> None:
    case = a_case(mode=Mode.IN_PERSON, therapy=Therapy.EITHER, conditions=())

    assert groups_of(case, 30, RequesterRole.PARENT) == {
        "age": "26 to 64",
        "mode": "in person",
        "therapy": "either",
        "requester": "parent",
        "condition": "no",
        "area": "East",
    }


def in_groups(**sizes: int) -> list[Comparison]:
    """Comparisons of so many requests for each area."""
    every = [group for group, size in sizes.items() for _ in range(size)]
    return [
        compared(
            came_first("ada", score=500 + ranking),
            came_first("ben", score=100),
            ranking,
            groups={"age": "one", "mode": "one", "therapy": "one", "requester": "one", "condition": "one"}
            | {"area": group},
        )
        for ranking, group in enumerate(every)
    ]


def test_of_a_small_group_nothing_but_its_name_is_told() -> None:
    told = report(in_groups(West=3, East=40, North=60), FEWEST)

    assert told["groups"]["area"][0] == {"group": "East", "requests": "withheld"}
    assert told["groups"]["area"][2] == {"group": "West", "requests": "<10"}
    assert told["groups"]["area"][1]["requests"] == 60
    assert told["totals"]["requests"] == 103


def test_people_are_counted_and_not_their_rankings() -> None:
    often = [replace(one, request_id=RequestId(id_of("one person"))) for one in in_groups(West=30)]

    told = report([*often, *in_groups(East=40)], FEWEST)

    assert [row["requests"] for row in told["groups"]["area"]] == ["withheld", "<10"]


def test_of_few_people_in_all_neither_totals_nor_the_groups_are_told() -> None:
    told = report(in_groups(West=9), FEWEST)

    assert (told["totals"], told["groups"]["area"]) == (None, [])
    assert report(in_groups(West=10), FEWEST)["totals"]["requests"] == 10


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["West", "East", "North"])), max_size=150))
def test_what_two_looks_at_a_growing_comparison_differ_by_is_never_of_fewer_people(
    people: list[tuple[int, str]],
) -> None:
    areas: dict[int, str] = {}
    every = [
        replace(one, request_id=RequestId(UUID(int=person)), groups={**one.groups, "area": area})
        for one, (person, chosen) in zip(in_groups(West=len(people)), people, strict=True)
        if (area := areas.setdefault(person, chosen))
    ]
    before: dict[str, Any] = {}

    for told_of in range(len(every) + 1):
        told = report(every[:told_of], FEWEST, growing=True)
        rows: dict[str, Any] = {row["group"]: row for row in told["groups"]["area"]}
        rows["all"] = told["totals"]
        for group, row in rows.items():
            if row and isinstance(row["requests"], int):
                assert row["requests"] % FEWEST == 0
                was = before.setdefault(group, row)
                assert row == was or row["requests"] >= was["requests"] + FEWEST
                before[group] = row


def test_a_mean_over_few_is_not_told() -> None:
    some_without = [
        replace(one, new=NOBODY) if place < 25 else one for place, one in enumerate(in_groups(West=30))
    ]

    [row] = report(some_without, FEWEST)["groups"]["area"]

    assert row["requests"] == 30
    assert row["value_change"] is None
    assert row["agreement"] == 0


def somewhere(one: Comparison) -> Comparison:
    """The same, with a new first two kilometres further away."""
    return replace(one, old=replace(one.old, km=1.0), new=replace(one.new, km=3.0))


def test_a_mean_over_few_cannot_be_worked_out_from_those_of_others() -> None:
    every = in_groups(West=30, East=40, North=60)
    few_in_the_west = [one if 4 <= place < 30 else somewhere(one) for place, one in enumerate(every)]

    rows = {row["group"]: row for row in report(few_in_the_west, FEWEST)["groups"]["area"]}

    # All 104 together have a mean that is told: of three groups, two are kept back.
    assert [rows[area]["km_change"] for area in ("West", "East", "North")] == [None, None, 2]
    assert None not in [row["value_change"] for row in rows.values()]


def test_where_nobody_has_a_distance_nothing_is_kept_back() -> None:
    online, nearby = in_groups(West=30, East=40)[:30], in_groups(West=30, East=40)[30:]

    rows = report([*online, *map(somewhere, nearby)], FEWEST)["groups"]["area"]

    assert [(row["group"], row["km_change"]) for row in rows] == [("East", 2), ("West", None)]


def test_a_mean_is_over_people_and_not_over_their_rankings() -> None:
    every = in_groups(West=30)
    often = [
        replace(somewhere(one), request_id=every[0].request_id, ranking=100 + one.ranking) for one in every
    ]

    [row] = report([*every, *often], FEWEST)["groups"]["area"]

    assert (row["requests"], row["rankings"], row["km_change"]) == (30, 60, None)
