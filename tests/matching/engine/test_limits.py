"""A limit in whole kilometres holds to its last metre, for the gate, the points and the engine alike."""

from dataclasses import replace
from math import degrees
from typing import Any

import pytest

from services.matching.domain.place import EARTH_METRES, Places, Position
from services.matching.domain.ranking import rank
from shared.contract.matching import Candidate, Shortlist
from shared.contract.vocabulary import Mode
from tests.matching.builders import RULES, a_search, a_therapist

HERE = Position(51.5, -0.1)


def so_far_away(metres: int, **case: Any) -> list[Candidate]:
    """Whoever is found of a single therapist who is so far to the north."""
    there = Position(HERE.latitude + degrees(metres / EARTH_METRES), HERE.longitude)
    rules = replace(RULES, places=Places({"E1": HERE, "N1": there}, {"E1": 1, "N1": 1}))
    search = a_search(rules=rules, outcode="E1", mode=Mode.IN_PERSON, **case)
    found = rank(search, [a_therapist(outcode="N1")], rules)
    return list(found.candidates) if isinstance(found, Shortlist) else []


@pytest.mark.parametrize(("metres", "found"), [(5_000, True), (5_001, False)])
def test_the_clients_own_limit(metres: int, found: bool) -> None:
    assert bool(so_far_away(metres, max_distance_km=5)) is found


def test_the_limit_of_who_named_none() -> None:
    limit = RULES.policy.default_distance_km * 1_000

    assert so_far_away(limit)
    assert not so_far_away(limit + 1)


@pytest.mark.parametrize(("metres", "points"), [(2_000, 100), (2_001, 75), (5_000, 75), (5_001, 40)])
def test_the_points_of_a_band(metres: int, points: int) -> None:
    [candidate] = so_far_away(metres)

    assert [each.points for each in candidate.reasons if each.term == "distance"] == [points]
