"""Whoever looks at a growing comparison, as often as they like, learns no figure about few people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from math import isnan
from typing import Any
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from services.matching.domain.comparing import KINDS, Comparison, Kind, Outcome, report
from services.matching.handlers.shadowing import ShadowMetrics, measure
from shared.contract.ids import RequestId, TherapistId
from tests.support.builders import id_of

FEWEST = 5
AREAS = ("East", "North", "West")
NOBODY = Outcome((), 0, (), 0, None, 0)
COUNTS = (
    *("requests", "rankings", *KINDS.values()),
    *("first_not_allowed_before", "online_instead_or_in_person", "group_instead_or_alone"),
    *("begin_sooner", "begin_later"),
)


def first(name: str, **facts: Any) -> Outcome:
    told: dict[str, Any] = {"score": 500, "unmet": 0, "km": None, "begins_in_days": 0} | facts
    return Outcome(listed=(TherapistId(id_of(name)),), values=(500,), **told)


@dataclass(frozen=True, slots=True)
class Came:
    """One ranking of somebody, and what it came to."""

    person: int
    kind: Kind = Kind.SAME
    in_person: bool = False
    online_before: bool = False
    in_group: bool = False
    ruled_out: bool = False
    days: int = 0

    def compared(self, ranking: int, area: str, km: float = 0) -> Comparison:
        old = first("ada", km=0.0 if self.in_person and not self.online_before else None)
        new = first(
            "ada" if self.kind is Kind.SAME else "ben",
            km=km if self.in_person else None,
            begins_in_days=max(self.days, 0),
            in_group=self.in_group,
        )
        old = replace(old, begins_in_days=max(-self.days, 0))
        new = replace(new, values=(None,)) if self.ruled_out else new
        nobody_before = self.kind in {Kind.ONLY_NEW, Kind.NEITHER}
        nobody_now = self.kind in {Kind.ONLY_OLD, Kind.NEITHER}
        return Comparison(
            ranking=ranking,
            request_id=RequestId(UUID(int=self.person)),
            waited_days=0,
            groups=dict.fromkeys(["age", "mode", "therapy", "requester", "condition"], "one")
            | {"area": area},
            old=NOBODY if nobody_before else old,
            new=NOBODY if nobody_now else new,
        )


Areas = st.lists(st.sampled_from(AREAS), min_size=40, max_size=40)


def rankings(people: int) -> st.SearchStrategy[list[Came]]:
    return st.lists(
        st.builds(
            Came,
            person=st.integers(0, people - 1),
            kind=st.sampled_from([Kind.SAME] * 4 + [*Kind]),
            in_person=st.booleans(),
            online_before=st.sampled_from([False] * 6 + [True]),
            in_group=st.sampled_from([False] * 6 + [True]),
            ruled_out=st.sampled_from([False] * 6 + [True]),
            days=st.sampled_from([0, 0, 0, 3, -3]),
        ),
        min_size=30,
        max_size=55,
    )


def told(came: Sequence[Came], areas: Sequence[str], marked: int | None = None) -> dict[str, Any]:
    """What is told of these rankings, one of which may have a mark that shows in every mean it is part of."""
    every = [
        each.compared(place, areas[each.person], km=1000 if place == marked else 0)
        for place, each in enumerate(came)
    ]
    return report(every, FEWEST, growing=True)


# ------------------------------------------------------------------------------------------- means


def mean_of_each(found: dict[str, Any]) -> Iterator[tuple[str, float]]:
    if found["totals"] and found["totals"]["km_change"] is not None:
        yield "all", found["totals"]["km_change"]
    for row in found["groups"]["area"]:
        if row.get("km_change") is not None:
            yield row["group"], row["km_change"]


def taken_over(came: Sequence[Came], areas: Sequence[str]) -> dict[str, set[int]]:
    """Which rankings each mean of a distance is taken over: those whose mark shows in it."""
    found: dict[str, set[int]] = {name: set() for name, _ in mean_of_each(told(came, areas))}
    for place in range(len(came)):
        for name, mean in mean_of_each(told(came, areas, marked=place)):
            if mean:
                found[name].add(place)
    return found


def enough(came: Sequence[Came], rankings: set[int]) -> bool:
    return not rankings or len({came[place].person for place in rankings}) >= FEWEST


SEVERAL = [Came(each, in_person=True) for each in (0, 1, 2, 3, 4, 0, 5, 6, 7, 8, 9)]
"""Of whom one was ranked again, between a step of the east and one of the west."""


@settings(max_examples=25, deadline=None)
@given(rankings(30), Areas, st.integers(1, 12))
@example(SEVERAL, ["East"] * 5 + ["West"] * 35, 1)
def test_no_mean_nor_a_difference_of_two_looks_or_of_all_and_groups_is_of_few_people(
    came: list[Came], areas: list[str], more: int
) -> None:
    looks = [taken_over(came[: len(came) - later], areas) for later in (more, 0) if later < len(came)]

    for over in looks:
        everybody = over.pop("all", set())
        assert enough(came, everybody)
        for number in range(len(over) + 1):
            for groups in combinations(over.values(), number):
                assert all(enough(came, group) and group <= everybody for group in groups)
                assert enough(came, everybody.difference(*groups))
        over["all"] = everybody
    for before, after in pairwise(looks):
        for name in before.keys() & after.keys():
            assert enough(came, before[name] ^ after[name])


def test_a_mean_that_one_more_person_would_have_a_part_in_stays_as_it_is() -> None:
    areas = ["East"] * 40
    online, nearby = (
        [Came(each) for each in range(20)],
        [Came(20 + each, in_person=True) for each in range(6)],
    )

    looks = [
        told([*online, *nearby[:number]], areas, marked=25)["totals"]["km_change"] for number in (5, 6)
    ] + [told([*nearby, *online], areas, marked=5)["totals"]["km_change"]]

    # The sixth brings nobody further, though a whole step of others came as well.
    assert looks == [0, 0, 0]


# ------------------------------------------------------------------------------------------- counts


def counts(found: dict[str, Any]) -> Iterator[tuple[str, int | str]]:
    if found["totals"]:
        yield from ((name, found["totals"][name]) for name in COUNTS)
    for row in found["groups"]["area"]:
        yield from ((f"{row['group']} {name}", row[name]) for name in ("requests", "rankings") if name in row)


@settings(max_examples=60, deadline=None)
@given(rankings(25), Areas)
def test_no_count_nor_a_difference_of_two_looks_at_it_is_of_few(came: list[Came], areas: list[str]) -> None:
    before: dict[str, int] = {}

    for number in range(len(came) + 1):
        for name, count in counts(told(came[:number], areas)):
            if isinstance(count, int):
                assert abs(count - before.get(name, 0)) not in range(1, FEWEST)
                before[name] = count


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(Kind), min_size=4, max_size=30), st.integers(0, 30))
def test_no_small_count_can_be_worked_out_from_the_others_and_the_agreement(
    kinds: list[Kind], same: int
) -> None:
    came = [Came(person, kind) for person, kind in enumerate([*kinds, *[Kind.SAME] * same])]
    totals = told(came, ["East"] * len(came))["totals"]
    if totals is None:
        return
    people = [each.kind for each in came[: totals["requests"]]]
    agree = people.count(Kind.SAME) + people.count(Kind.NEITHER)
    sums = [(agree, Kind.SAME, Kind.NEITHER), (len(people) - agree, Kind.OTHER, Kind.ONLY_OLD, Kind.ONLY_NEW)]
    known = {kind: totals[name] for kind, name in KINDS.items()}

    for kind in Kind:
        if people.count(kind) in range(1, FEWEST):
            assert isinstance(known[kind], str)
            assert len({size[kind] for size in worlds(known, len(people), sums, totals["agreement"])}) > 1


def worlds(
    known: dict[Kind, int | str], together: int, sums: list[Any], agreement: float | None
) -> Iterator[dict[Kind, int]]:
    """Every way in which people may be spread that would be told of like this."""
    spread: list[dict[Kind, int]] = [{}]
    for kind in Kind:
        count = known[kind]
        may_be = (
            range(count, count + (FEWEST if count else 1))
            if isinstance(count, int)
            else range(1, FEWEST if count.startswith("<") else together + 1)
        )
        spread = [
            each | {kind: size} for each in spread for size in may_be if sum(each.values()) + size <= together
        ]
    for each in spread:
        if sum(each.values()) == together and (
            agreement is None
            or all(of // FEWEST == sum(each[kind] for kind in part) // FEWEST for of, *part in sums)
        ):
            yield each


def test_somebody_alone_among_many_is_not_told_nor_shown_by_the_agreement() -> None:
    came = [Came(person) for person in range(39)] + [Came(39, Kind.ONLY_OLD)]

    totals = told(came, AREAS * 14)["totals"]

    assert (totals["requests"], totals["found_only_before"]) == (40, "<5")
    assert (totals["same_first"], totals["agreement"]) == ("withheld", None)


def test_how_often_few_people_were_ranked_again_is_not_told() -> None:
    came = [Came(person) for person in range(4)] + [Came(0)] * 7 + [Came(4)]

    totals = told(came, ["East"] * 5)["totals"]

    assert (totals["requests"], totals["rankings"], totals["same_first"]) == (5, 5, 5)


def test_what_is_measured_is_what_the_page_tells() -> None:
    registry = CollectorRegistry()
    came = [Came(person) for person in range(29)] + [Came(29, Kind.OTHER)]
    every = [each.compared(place, "East") for place, each in enumerate(came)]

    measure(ShadowMetrics(registry), every, FEWEST)

    def measured(name: str, **labels: str) -> float:
        found = registry.get_sample_value(f"attune_shadow_{name}", labels)
        assert found is not None
        return found

    assert isnan(measured("rankings", first="other"))
    assert measured("rankings", first="neither") == 0
    assert measured("unmet_change") == 0
    assert isnan(measured("km_change"))
