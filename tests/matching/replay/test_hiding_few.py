"""No number of few people is told, nor can one be worked out from those that are."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain.comparing import hidden

FEWEST = 10


def test_large_groups_are_told() -> None:
    assert hidden({"a": 10, "b": 4000}, FEWEST) == {}


def test_small_groups_are_hidden() -> None:
    assert hidden({"a": 5, "b": 5, "c": 100}, FEWEST) == {"a": "<10", "b": "<10"}


def test_a_small_group_alone_hides_behind_another() -> None:
    assert hidden({"a": 3, "b": 40, "c": 100}, FEWEST) == {"a": "<10", "b": "withheld"}


def test_small_groups_that_leave_no_doubt_hide_behind_another() -> None:
    # Of two, 18 together could only be 9 and 9; 2 only 1 and 1.
    assert hidden({"a": 9, "b": 9, "c": 40}, FEWEST) == {"a": "<10", "b": "<10", "c": "withheld"}
    assert hidden({"a": 1, "b": 1, "c": 40}, FEWEST) == {"a": "<10", "b": "<10", "c": "withheld"}


def test_what_is_just_large_enough_hides_nobody_alone() -> None:
    # Of 11, 10 would be known of the one that is withheld and not small: the other would be 1.
    assert hidden({"a": 1, "b": 10, "c": 12, "d": 90}, FEWEST)["d"] == "withheld"


def test_where_nothing_is_left_to_hide_behind_nothing_is_told() -> None:
    assert hidden({"a": 3, "b": 12}, FEWEST) == {"a": "withheld", "b": "withheld"}


@given(st.lists(st.integers(1, 30), min_size=1, max_size=5))
def test_no_small_number_can_be_worked_out(sizes: list[int]) -> None:
    named = {f"group {place}": size for place, size in enumerate(sizes)}
    shown = hidden(named, FEWEST)

    for group, size in named.items():
        assert group in shown or size >= FEWEST
    if "<10" in shown.values():
        # Whoever knows the rules and the sum of all: each small one may have any size below ten.
        together = sum(named[group] for group in shown)
        small = [group for group, text in shown.items() if text == "<10"]
        large = len(shown) - len(small)
        possible = {
            those
            for those in product(range(1, FEWEST), repeat=len(small))
            if (large and together - sum(those) >= FEWEST * large) or (not large and sum(those) == together)
        }
        for place in range(len(small)):
            assert {those[place] for those in possible} == set(range(1, FEWEST))
