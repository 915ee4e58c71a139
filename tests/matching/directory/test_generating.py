"""The synthetic directory: the same every time, fit for use, and nobody's real data."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.matching.app import load_places
from services.matching.domain.directory_file import read_rows, rows_of, written
from services.matching.domain.generating import MOST, synthetic_therapists
from services.matching.domain.ranking import rank
from services.matching.domain.therapist import Route
from shared.contract.matching import Shortlist
from shared.contract.vocabulary import Format, Mode, ProblemArea, Therapy, Variant
from tests.matching.builders import RULES, THE_DAY, a_search, born

COMMITTED = Path(__file__).parents[3] / "deploy" / "local" / "therapists.csv"
PLACES = load_places()


def test_the_committed_directory_is_what_the_generator_makes() -> None:
    people = synthetic_therapists(240, 7, date(2026, 11, 24), PLACES.postcodes)

    assert COMMITTED.read_text(encoding="utf-8") == "".join(written(people, with_confirmation=False))


def test_the_committed_directory_stays_usable_for_years() -> None:
    day = THE_DAY + timedelta(days=3 * 365)
    therapists = read_rows(rows_of(COMMITTED.read_bytes()), PLACES, day).therapists

    asked: list[dict[str, Any]] = [
        {},
        {"date_of_birth": born(14, day)},
        {"date_of_birth": born(9, day), "attending_adult": True, "max_fee_pence": None},
        {
            "therapy": Therapy.EITHER,
            "format": Format.COUPLE,
            "mode": Mode.IN_PERSON,
            "problem_areas": (ProblemArea.ROLE_DISPUTE,),
            "max_fee_pence": None,
        },
    ]

    for case in asked:
        found = rank(a_search(on=day, **case), therapists, RULES)
        assert isinstance(found, Shortlist), case
        assert len(found.candidates) >= 3, case


def test_every_kind_of_therapist_is_in_it() -> None:
    people = list(synthetic_therapists(240, 7, THE_DAY, PLACES.postcodes))
    held = [each for person in people for each in person.accreditations]

    assert {each.variant for each in held} == set(Variant)
    assert any(each.route is Route.KSA for each in held)
    assert any(each.expires_on < THE_DAY for each in held)
    assert any(person.registration and person.registration.expires_on < THE_DAY for person in people)
    assert {person.seats_offered for person in people} == set(range(7))
    assert all(person.email.endswith("@therapists.example") for person in people)
    assert len({person.name for person in people}) == len({person.id for person in people}) == 240


def test_another_seed_makes_other_people() -> None:
    one = {person.id for person in synthetic_therapists(20, 7, THE_DAY, PLACES.postcodes)}
    two = {person.id for person in synthetic_therapists(20, 8, THE_DAY, PLACES.postcodes)}

    assert not one & two


def test_there_are_names_for_as_many_as_promised() -> None:
    people = list(synthetic_therapists(MOST, 1, THE_DAY, PLACES.postcodes))

    assert len({person.name for person in people}) == MOST


def test_more_than_there_are_names_for_is_refused_before_anybody_is_made() -> None:
    with pytest.raises(ValueError, match=f"names for {MOST} people"):
        next(synthetic_therapists(MOST + 1, 1, THE_DAY, PLACES.postcodes))
