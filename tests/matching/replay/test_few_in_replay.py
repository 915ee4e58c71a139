"""What replay tells of a comparison: no count or share of few people, unless single cases are listed."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain.comparing import (
    DIVISIONS,
    KINDS,
    Comparison,
    Kind,
    Outcome,
    groups_first,
    report,
)
from shared.contract.ids import RequestId, TherapistId
from tests.support.builders import id_of

FEWEST = 10
NOBODY = Outcome((), 0, (), 0, None, 0)


def first(name: str, begins_in_days: int = 0) -> Outcome:
    return Outcome((TherapistId(id_of(name)),), 500, (500,), 0, None, begins_in_days)


ENDED = {
    Kind.SAME: (first("ada"), first("ada")),
    Kind.OTHER: (first("ada"), first("ben")),
    Kind.ONLY_OLD: (first("ada"), NOBODY),
    Kind.ONLY_NEW: (NOBODY, first("ben")),
    Kind.NEITHER: (NOBODY, NOBODY),
}


def people(*ended: tuple[str, Kind]) -> list[Comparison]:
    """One ranking each of people in an area."""
    return [
        Comparison(
            number,
            RequestId(UUID(int=number)),
            0,
            dict.fromkeys(DIVISIONS, "all") | {"area": area},
            *ENDED[kind],
        )
        for number, (area, kind) in enumerate(ended)
    ]


def so_many(area: str = "East", **kinds: int) -> list[tuple[str, Kind]]:
    return [(area, Kind[name]) for name, number in kinds.items() for _ in range(number)]


def test_a_count_of_few_people_is_kept_back_with_another_that_would_tell_it() -> None:
    totals = report(people(*so_many(SAME=60, OTHER=30, ONLY_OLD=8)), FEWEST)["totals"]

    assert {name: totals[name] for name in KINDS.values()} == {
        "same_first": 60,
        "other_first": "withheld",
        "found_only_before": "<10",
        "found_only_now": 0,
        "nobody_under_either": 0,
    }
    assert totals["agreement"] == pytest.approx(60 / 98, abs=0.0001)


def test_an_agreement_of_few_people_is_kept_back_in_all_and_in_their_group() -> None:
    told = report(people(*so_many(SAME=3, OTHER=10)), FEWEST)

    assert (told["totals"]["requests"], told["totals"]["agreement"]) == (13, None)
    assert (told["totals"]["same_first"], told["totals"]["other_first"]) == ("withheld", "withheld")
    [row] = told["groups"]["area"]
    assert (row["requests"], row["agreement"]) == (13, None)


def test_an_agreement_that_would_tell_of_two_counts_which_is_which_is_kept_back() -> None:
    told = report(people(*so_many(SAME=40, OTHER=16, NEITHER=4)), FEWEST)

    assert told["totals"]["same_first"] == 40
    assert (told["totals"]["nobody_under_either"], told["totals"]["other_first"]) == ("<10", "withheld")
    assert told["totals"]["agreement"] is None
    assert [row["agreement"] for row in told["groups"]["area"]] == [None]


def test_the_agreement_of_a_group_where_few_differ_cannot_be_worked_out_from_those_of_others() -> None:
    told = report(
        people(
            *so_many("East", SAME=37, OTHER=3),
            *so_many("North", SAME=40, OTHER=20),
            *so_many("West", SAME=33, OTHER=17),
        ),
        FEWEST,
    )

    assert told["totals"]["agreement"] == pytest.approx(110 / 150, abs=0.0001)
    assert {row["group"]: row["agreement"] for row in told["groups"]["area"]} == {
        "East": None,
        "North": pytest.approx(40 / 60, abs=0.0001),
        "West": None,
    }


@pytest.mark.parametrize(
    ("groups", "others", "told"),
    [(12, 30, 12), (0, 12, 0), (12, 0, 12), (3, 40, "<10"), (40, 3, "withheld"), (0, 3, "withheld")],
)
def test_how_many_had_a_group_first_is_told_of_many_only(groups: int, others: int, told: int | str) -> None:
    every = people(*so_many(SAME=groups + others))
    every = [replace(one, old=replace(one.old, in_group=place < groups)) for place, one in enumerate(every)]

    assert groups_first(every, FEWEST) == told
    assert groups_first(every, 1) == groups


def test_who_begins_sooner_or_later_is_told_of_many_only() -> None:
    waits = [0] * 50 + [-5] * 4 + [3] * 12
    every = [
        Comparison(
            number,
            RequestId(UUID(int=number)),
            0,
            dict.fromkeys(DIVISIONS, "all"),
            first("ada", 9),
            first("ada", 9 + days),
        )
        for number, days in enumerate(waits)
    ]

    totals = report(every, FEWEST)["totals"]

    assert (totals["begin_sooner"], totals["begin_later"]) == ("<10", "withheld")


def test_beside_every_single_case_nothing_is_kept_back() -> None:
    totals = report(people(*so_many(SAME=3, OTHER=10)), 1)["totals"]

    assert (totals["same_first"], totals["other_first"], totals["agreement"]) == (3, 10, 0.2308)


@given(
    st.lists(
        st.tuples(st.sampled_from(["East", "North", "West"]), st.sampled_from(Kind), st.integers(1, 25)),
        max_size=8,
    )
)
def test_no_figure_of_few_people_is_told_nor_left_by_those_that_are(
    drawn: list[tuple[str, Kind, int]],
) -> None:
    ended = [(area, kind) for area, kind, number in drawn for _ in range(number)]
    told = report(people(*ended), FEWEST)
    totals: dict[str, Any] | None = told["totals"]
    if totals is None:
        assert len(ended) < FEWEST
        return

    def all_of(kinds: set[Kind]) -> int:
        return sum(kind in kinds for _, kind in ended)

    seen = {kind for kind, name in KINDS.items() if isinstance(totals[name], int)}
    known = [{kind} for kind in seen] + [set(Kind) - seen]
    if totals["agreement"] is not None:
        agree = {Kind.SAME, Kind.NEITHER}
        known += [agree, agree - seen, set(Kind) - agree, set(Kind) - agree - seen]
    assert not [kinds for kinds in known if 0 < all_of(kinds) < FEWEST]

    rows = [row for row in told["groups"]["area"] if row.get("agreement") is not None]
    shown = {row["group"] for row in rows}
    for agreed in (True, False):
        of = [area for area, kind in ended if (kind in {Kind.SAME, Kind.NEITHER}) is agreed]
        assert not [area for area in shown if 0 < of.count(area) < FEWEST]
        # All together are known wherever those of one group are.
        assert not shown or not 0 < sum(area not in shown for area in of) < FEWEST
