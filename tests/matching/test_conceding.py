"""What would change the order: only what truly does, the smallest of its kind, said of the client alone."""

from dataclasses import replace
from typing import Any

import pytest

from services.matching.domain.ranking import rank
from services.matching.domain.therapist import Gender, Therapist
from shared.contract.ids import TherapistId
from shared.contract.intake import Preference
from shared.contract.matching import Concession
from shared.contract.vocabulary import Mode, PreferenceAbout, Slot, Strength
from tests.matching.builders import RULES, a_search, a_therapist, an_accreditation
from tests.support.builders import id_of

PLAIN: dict[str, Any] = {
    "mode": Mode.ONLINE,
    "outcode": "E2",
    "max_fee_pence": 8_000,
    "availability": (Slot.TUE_EVENING,),
    "preferences": (),
}
FIRST = a_therapist("ada", approaches=frozenset(), slots=frozenset({Slot.TUE_EVENING}), fee_pence=7_000)


def better(**changes: Any) -> Therapist:
    """Somebody who would lead by what the client named, if only the client gave on something."""
    return replace(a_therapist("ben", slots=frozenset({Slot.TUE_EVENING}), fee_pence=6_000), **changes)


def must(about: PreferenceAbout, wish: str = "yes") -> Preference:
    return Preference(about=about, wish=wish, strength=Strength.MUST)


def conceded(case: dict[str, Any], *others: Therapist) -> list[Concession]:
    return list(rank(a_search(**(PLAIN | case)), [FIRST, *others], RULES).concessions)


def test_nothing_is_named_where_nothing_would_change() -> None:
    assert conceded({}) == []
    assert conceded({}, better()) == []


@pytest.mark.parametrize(
    ("case", "other", "code", "text"),
    [
        ({"max_fee_pence": 7_000}, {"fee_pence": 7_500}, "fee", "up to £80 a session instead of £70"),
        ({"max_fee_pence": 7_000}, {"fee_pence": 8_500}, "fee", "up to £90 a session instead of £70"),
        ({}, {"modes": frozenset({Mode.IN_PERSON})}, "mode", "sessions in person as well"),
        (
            {"mode": Mode.IN_PERSON, "max_distance_km": 2},
            {"outcode": "N1", "modes": frozenset({Mode.IN_PERSON})},
            "distance",
            "up to 7 km away instead of 2 km",
        ),
        (
            {"preferences": (must(PreferenceAbout.THERAPIST_GENDER, "woman"),)},
            {"gender": Gender.MAN, "seats_free": 4},
            "preference",
            "ideally a woman, but not necessarily",
        ),
        (
            {"preferences": (must(PreferenceAbout.APPROACH, "structured"),)},
            {"approaches": frozenset(), "seats_free": 4},
            "preference",
            "ideally structured in approach, but not necessarily",
        ),
        (
            {"preferences": (must(PreferenceAbout.LGBTQ_AFFIRMING),)},
            {"affirming": frozenset(), "seats_free": 4},
            "preference",
            "ideally LGBTQ-affirming, but not necessarily",
        ),
        ({"mode": Mode.IN_PERSON}, {"modes": frozenset({Mode.ONLINE})}, "mode", "online sessions as well"),
    ],
)
def test_the_smallest_concession_of_a_kind_is_named(
    case: dict[str, Any], other: dict[str, Any], code: str, text: str
) -> None:
    weak = replace(FIRST, problem_areas=frozenset(), conditions=frozenset(), seats_free=1)
    strong = better(**other)
    search = a_search(**(PLAIN | {"max_fee_pence": 9_000} | case))

    found = rank(search, [weak, strong], RULES)

    named = [(each.code, each.text, each.therapist_id) for each in found.concessions]
    assert (code, text, strong.id) in named
    assert [each[0] for each in named].count(code) == 1


def test_times_that_bring_somebody_to_the_top_are_named_two_at_most() -> None:
    slots = frozenset({Slot.MON_MORNING, Slot.FRI_EVENING, Slot.SAT_MORNING})
    strong = replace(FIRST, id=TherapistId(id_of("ben")), slots=slots)
    newer = replace(FIRST, accreditations=(an_accreditation(cases=10),))

    named = list(rank(a_search(**PLAIN), [newer, strong], RULES).concessions)

    assert [each.code for each in named] == ["times", "times"]
    assert {each.text for each in named} <= {
        "Monday mornings as well",
        "Friday evenings as well",
        "Saturday mornings as well",
    }
    assert {each.therapist_id for each in named} == {strong.id}


def test_whoever_finds_nobody_hears_what_would_help() -> None:
    search = a_search(**(PLAIN | {"max_fee_pence": 6_500}))

    found = rank(search, [FIRST], RULES)

    assert found.concessions[0].code == "fee"
    assert found.concessions[0].name == FIRST.name
    assert FIRST.name not in found.concessions[0].text
