"""No therapist passes a gate they should not pass, and each gate has a name."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.matching.domain.gates import Fit, Gate, check
from services.matching.domain.pathways import pathways_of
from services.matching.domain.therapist import AgeGroup, Gender, Route
from shared.contract.intake import Preference
from shared.contract.vocabulary import Format, Mode, PreferenceAbout, Strength, Variant
from tests.matching.builders import RULES, THE_DAY, a_registration, a_search, a_therapist, an_accreditation
from tests.support.builders import id_of

YESTERDAY = THE_DAY - timedelta(days=1)


def outcome(therapist: dict[str, Any], case: dict[str, Any], excluded: Any = ()) -> Fit | Gate:
    search = a_search(excluded=excluded, **case)
    pathway = pathways_of(search.case, THE_DAY, RULES.policy).fitting[0]
    return check(search, pathway, a_therapist(**therapist), RULES.policy, RULES.places)


def must(about: PreferenceAbout, wish: str) -> dict[str, Any]:
    return {"preferences": (Preference(about=about, wish=wish, strength=Strength.MUST),)}


IN_PERSON = {"mode": Mode.IN_PERSON}

KEPT_OUT: list[tuple[str, dict[str, Any], dict[str, Any], Gate]] = [
    (
        "registration lapsed yesterday",
        {"registration": a_registration(expires_on=YESTERDAY)},
        {},
        Gate.REGISTRATION,
    ),
    ("no core registration", {"registration": None}, {}, Gate.REGISTRATION),
    ("no accreditation at all", {"accreditations": ()}, {}, Gate.ACCREDITATION),
    (
        "accreditation for another variant",
        {"accreditations": (an_accreditation(Variant.IPT_A),)},
        {},
        Gate.ACCREDITATION,
    ),
    (
        "accreditation lapsed yesterday",
        {"accreditations": (an_accreditation(expires_on=YESTERDAY),)},
        {},
        Gate.ACCREDITATION,
    ),
    (
        "KSA route with a registration",
        {"accreditations": (an_accreditation(route=Route.KSA),)},
        {},
        Gate.PRIVATE_PRACTICE,
    ),
    (
        "KSA route without a registration",
        {"registration": None, "accreditations": (an_accreditation(route=Route.KSA),)},
        {},
        Gate.PRIVATE_PRACTICE,
    ),
    ("works with children only", {"age_groups": frozenset({AgeGroup.CHILDREN})}, {}, Gate.AGE_GROUP),
    ("sees groups only", {"formats": frozenset({Format.GROUP})}, {}, Gate.FORMAT),
    ("speaks another language", {"languages": frozenset({"cy"})}, {}, Gate.LANGUAGE),
    ("works in person only", {"modes": frozenset({Mode.IN_PERSON})}, {}, Gate.MODE),
    ("works online only", {"modes": frozenset({Mode.ONLINE})}, IN_PERSON, Gate.MODE),
    ("is too far away", {"outcode": "TW20"}, IN_PERSON, Gate.DISTANCE),
    ("is beyond the client's limit", {"outcode": "E4"}, IN_PERSON | {"max_distance_km": 3}, Gate.DISTANCE),
    ("client's district unknown", {}, IN_PERSON | {"outcode": "ZZ9"}, Gate.DISTANCE),
    ("client gave no district", {}, IN_PERSON | {"outcode": None}, Gate.DISTANCE),
    ("asks a penny too much", {"fee_pence": 9001}, {}, Gate.FEE),
    (
        "is not a woman",
        {"gender": Gender.MAN},
        must(PreferenceAbout.THERAPIST_GENDER, "woman"),
        Gate.MUST_HAVE,
    ),
    ("is not faith-aware", {}, must(PreferenceAbout.FAITH_AWARE, "yes"), Gate.MUST_HAVE),
    ("is not exploratory", {}, must(PreferenceAbout.APPROACH, "exploratory"), Gate.MUST_HAVE),
    ("entry too old", {"confirmed_on": THE_DAY - timedelta(days=121)}, {}, Gate.FRESH),
    ("free years ahead", {"free_from": date(2031, 3, 1)}, {}, Gate.START),
    ("free a day too late", {"free_from": THE_DAY + timedelta(weeks=18, days=1)}, {}, Gate.START),
    ("no seat free", {"seats_free": 0}, {}, Gate.SEAT),
]


@pytest.mark.parametrize(("why", "therapist", "case", "gate"), KEPT_OUT, ids=[each[0] for each in KEPT_OUT])
def test_a_gate_keeps_out(why: str, therapist: dict[str, Any], case: dict[str, Any], gate: Gate) -> None:
    assert outcome(therapist, case) is gate, why


LET_IN: list[tuple[str, dict[str, Any], dict[str, Any], Mode]] = [
    ("who suits in every way", {}, {}, Mode.ONLINE),
    ("registered until today", {"registration": a_registration(expires_on=THE_DAY)}, {}, Mode.ONLINE),
    (
        "accredited until today",
        {"accreditations": (an_accreditation(expires_on=THE_DAY),)},
        {},
        Mode.ONLINE,
    ),
    ("at exactly the limit", {"fee_pence": 9000}, {}, Mode.ONLINE),
    ("however dear, without a limit", {"fee_pence": 90_000}, {"max_fee_pence": None}, Mode.ONLINE),
    ("confirmed long ago but in time", {"confirmed_on": THE_DAY - timedelta(days=120)}, {}, Mode.ONLINE),
    ("free late but in time", {"free_from": THE_DAY + timedelta(weeks=18)}, {}, Mode.ONLINE),
    ("free for long", {"free_from": date(2020, 1, 1)}, {}, Mode.ONLINE),
    ("in the same district", {"outcode": "E1"}, IN_PERSON | {"max_distance_km": 1}, Mode.IN_PERSON),
    ("near, where either will do", {}, {"mode": Mode.EITHER}, Mode.IN_PERSON),
    ("far, where either will do", {"outcode": "TW20"}, {"mode": Mode.EITHER}, Mode.ONLINE),
    ("unknown place, where either will do", {}, {"mode": Mode.EITHER, "outcode": None}, Mode.ONLINE),
    (
        "who speaks the second language",
        {"languages": frozenset({"cy"})},
        {"languages": ("pl", "cy")},
        Mode.ONLINE,
    ),
    ("without a common time", {"slots": frozenset()}, {}, Mode.ONLINE),
    ("who is a woman, as she must", {}, must(PreferenceAbout.THERAPIST_GENDER, "woman"), Mode.ONLINE),
]


@pytest.mark.parametrize(("who", "therapist", "case", "mode"), LET_IN, ids=[each[0] for each in LET_IN])
def test_the_gates_let_in(who: str, therapist: dict[str, Any], case: dict[str, Any], mode: Mode) -> None:
    fit = outcome(therapist, case)

    assert isinstance(fit, Fit), f"{who}: {fit}"
    assert fit.mode is mode


def test_who_was_turned_down_is_kept_out() -> None:
    assert outcome({}, {}, excluded=[id_of("ada")]) is Gate.EXCLUDED


def test_a_seat_spoken_for_is_not_free() -> None:
    search = a_search()
    pathway = pathways_of(search.case, THE_DAY, RULES.policy).fitting[0]
    last = a_therapist(seats_free=1)
    spoken = type(search)(
        search.case, search.on, search.age, search.areas, search.position, frozenset(), {last.id: 1}
    )

    assert isinstance(check(search, pathway, last, RULES.policy, RULES.places), Fit)
    assert check(spoken, pathway, last, RULES.policy, RULES.places) is Gate.SEAT


def test_distance_is_known_in_person_and_not_asked_online() -> None:
    near = outcome({}, IN_PERSON)
    online = outcome({}, {})

    assert isinstance(near, Fit)
    assert isinstance(online, Fit)
    assert near.metres is not None
    assert 500 < near.metres < 3_000
    assert online.metres is None


def test_a_pathway_is_checked_on_the_day_of_the_search() -> None:
    search = a_search(on=date(2031, 1, 1))
    pathway = pathways_of(search.case, search.on, RULES.policy).fitting[0]

    assert check(search, pathway, a_therapist(), RULES.policy, RULES.places) is Gate.REGISTRATION
