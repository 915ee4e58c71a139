"""The shortlist: who is on it, in what order, and by how many points."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.engine import Engine, entry_of
from services.matching.domain.gates import Fit, Gate
from services.matching.domain.pathways import pathways_of
from services.matching.domain.ranking import look, rank, search_for, still_fits
from services.matching.domain.therapist import Gender, Route
from shared.contract.intake import CaseDetails, Preference
from shared.contract.matching import NothingFound, Shortlist
from shared.contract.vocabulary import (
    Condition,
    Format,
    LifeEvent,
    Mode,
    PreferenceAbout,
    ProblemArea,
    Slot,
    Strength,
    Therapy,
    Variant,
)
from tests.matching.builders import RULES, THE_DAY, a_search, a_therapist, an_accreditation, born
from tests.matching.shortlists import DIRECTORY, only, points, shortlist


def test_the_better_fit_comes_first() -> None:
    better = a_therapist("zoe", problem_areas=frozenset({ProblemArea.ROLE_TRANSITION}))
    worse = a_therapist("abe", problem_areas=frozenset({ProblemArea.GRIEF}))

    found = shortlist(worse, better)

    assert [candidate.therapist_id for candidate in found.candidates] == [better.id, worse.id]


def test_equals_are_ordered_by_id() -> None:
    twins = [a_therapist(name) for name in ("ada", "ben", "cem", "dot")]

    found = shortlist(*twins)

    assert [candidate.therapist_id for candidate in found.candidates] == sorted(twin.id for twin in twins)


def test_the_list_holds_no_more_than_the_policy_allows() -> None:
    found = shortlist(*(a_therapist(f"t{number}") for number in range(9)))

    assert len(found.candidates) == RULES.policy.shortlist_size == 5


def test_the_same_inputs_give_the_same_bytes_in_any_order_of_the_directory() -> None:
    shuffled = list(DIRECTORY)
    shuffled = shuffled[100:] + shuffled[99::-1]

    one = rank(a_search(), DIRECTORY, RULES)
    two = rank(a_search(), shuffled, RULES)

    assert one.model_dump_json() == two.model_dump_json()


def test_another_policy_gives_another_ranking() -> None:
    fee_matters = RULES.policy.model_copy(
        update={"weights": RULES.policy.weights.model_copy(update={"fee": 5_000})}
    )
    rules = type(RULES)(fee_matters, RULES.places)
    cheap = a_therapist("zoe", fee_pence=1000, problem_areas=frozenset())
    apt = a_therapist("abe", fee_pence=9000)

    def first(rules: Any) -> Any:
        found = rank(a_search(), [cheap, apt], rules)
        assert isinstance(found, Shortlist)
        return found.candidates[0].therapist_id

    assert first(RULES) == apt.id
    assert first(rules) == cheap.id


@pytest.mark.parametrize(
    ("better", "worse", "case", "term"),
    [
        ({"problem_areas": frozenset(ProblemArea)}, {"problem_areas": frozenset()}, {}, "problem_area"),
        ({}, {"conditions": frozenset()}, {}, "condition"),
        ({}, {"accreditations": (an_accreditation(cases=5),)}, {}, "experience"),
        ({"slots": frozenset(Slot)}, {}, {}, "availability"),
        ({}, {"gender": Gender.MAN}, {}, "preference"),
        ({"languages": frozenset({"cy"})}, {}, {"languages": ("cy", "en")}, "language"),
        ({"outcode": "E1"}, {"outcode": "E10"}, {"mode": Mode.IN_PERSON}, "distance"),
        ({"fee_pence": 4500}, {}, {}, "fee"),
        ({}, {"seats_free": 1}, {}, "caseload"),
        ({}, {"free_from": THE_DAY + timedelta(days=7)}, {}, "wait"),
        (
            {"free_from": THE_DAY + timedelta(days=7)},
            {"free_from": THE_DAY + timedelta(days=14)},
            {},
            "wait",
        ),
    ],
)
def test_each_term_rewards_the_better_fit(
    better: dict[str, Any], worse: dict[str, Any], case: dict[str, Any], term: str
) -> None:
    good, bad = only(a_therapist(**better), **case), only(a_therapist(**worse), **case)

    assert points(good, term) > points(bad, term)
    assert good.score > bad.score


@pytest.mark.parametrize(
    ("days", "points_left", "text"),
    [
        (-30, 60, "Can begin at once."),
        (0, 60, "Can begin at once."),
        (6, 60, "Can begin in less than a week, from 30 November 2026."),
        (7, 55, "Can begin in a week, from 1 December 2026."),
        (20, 50, "Can begin in 2 weeks, from 14 December 2026."),
        (83, 5, "Can begin in 11 weeks, from 15 February 2027."),
        (84, 0, None),
        (126, 0, None),
    ],
)
def test_the_later_somebody_can_begin_the_fewer_points(days: int, points_left: int, text: str | None) -> None:
    candidate = only(a_therapist(free_from=THE_DAY + timedelta(days=days)))

    assert points(candidate, "wait") == points_left
    assert {reason.text for reason in candidate.reasons if reason.term == "wait"} == ({text} - {None})


def test_a_strong_wish_weighs_more_than_a_slight_one() -> None:
    def with_strength(strength: Strength) -> int:
        wish = Preference(about=PreferenceAbout.APPROACH, wish="structured", strength=strength)
        return points(only(a_therapist(), preferences=(wish,)), "preference")

    assert 0 < with_strength(Strength.SLIGHT) < with_strength(Strength.STRONG) <= with_strength(Strength.MUST)


def test_what_nobody_asked_for_brings_no_points() -> None:
    woman, man = a_therapist("w"), a_therapist("m", gender=Gender.MAN)

    assert only(woman, preferences=()).score == only(man, preferences=()).score


def test_a_therapist_stands_on_the_list_once_with_the_better_variant() -> None:
    both = a_therapist(accreditations=(an_accreditation(cases=0), an_accreditation(Variant.IPT_A, cases=40)))

    candidate = only(both, date_of_birth=born(18))

    assert candidate.variant is Variant.IPT_A


def test_each_therapist_is_counted_at_one_gate_or_listed() -> None:
    good = [a_therapist(f"good{number}") for number in range(3)]
    bad = [a_therapist("full", seats_free=0), a_therapist("dear", fee_pence=20_000)]

    found = shortlist(*good, *bad)

    assert {count.gate: count.therapists for count in found.gates} == {"fee": 1, "seat": 1}
    assert len(found.candidates) == 3


def test_a_confirmed_therapist_is_looked_at_afresh() -> None:
    search = a_search(on=THE_DAY)

    assert isinstance(still_fits(search, a_therapist(), Variant.IPT, RULES), Fit)
    assert still_fits(search, a_therapist(seats_free=0), Variant.IPT, RULES) is Gate.SEAT
    assert still_fits(search, a_therapist(registration=None), Variant.IPT, RULES) is Gate.REGISTRATION
    assert still_fits(search, a_therapist(), Variant.IPT_A, RULES) is None


cases = st.builds(
    CaseDetails,
    date_of_birth=st.dates(date(1930, 1, 1), date(2024, 1, 1)),
    outcode=st.sampled_from(["E1", "SW9", "HA3", "KT1", "ZZ9", None]),
    therapy=st.sampled_from(Therapy),
    mode=st.sampled_from(Mode),
    format=st.sampled_from(Format),
    max_distance_km=st.sampled_from([None, 1, 5, 30]),
    max_fee_pence=st.sampled_from([None, 0, 6000, 9000]),
    availability=st.sets(st.sampled_from(Slot), min_size=1).map(lambda slots: tuple(sorted(slots))),
    languages=st.sampled_from([("en",), ("pl", "en"), ("cy",), ("bn",)]),
    problem_areas=st.sets(st.sampled_from(ProblemArea)).map(lambda areas: tuple(sorted(areas))),
    life_event=st.none() | st.sampled_from(LifeEvent),
    conditions=st.sets(st.sampled_from(Condition), max_size=3).map(lambda named: tuple(sorted(named))),
    diagnosed=st.sampled_from([None, True, False]),
    preferences=st.sampled_from(
        [
            (),
            (Preference(about=PreferenceAbout.THERAPIST_GENDER, wish="woman", strength=Strength.MUST),),
            (Preference(about=PreferenceAbout.FAITH_AWARE, wish="yes", strength=Strength.SLIGHT),),
        ]
    ),
    attending_adult=st.booleans(),
)
BY_ID = {therapist.id: therapist for therapist in DIRECTORY}


@settings(max_examples=150, deadline=None)
@given(cases)
def test_no_gate_is_violated_by_anybody_on_a_shortlist(case: CaseDetails) -> None:
    search = search_for(case, THE_DAY, RULES)
    found = rank(search, DIRECTORY, RULES)
    if isinstance(found, NothingFound):
        return

    pathways = {each.variant: each for each in pathways_of(case, THE_DAY, RULES.policy).fitting}
    for candidate in found.candidates:
        therapist = BY_ID[candidate.therapist_id]
        held = therapist.accreditation_for(candidate.variant)
        assert candidate.variant in pathways
        assert therapist.registration is not None
        assert therapist.registration.expires_on >= THE_DAY
        assert held is not None
        assert held.expires_on >= THE_DAY
        assert held.route is Route.STANDARD
        assert pathways[candidate.variant].format in therapist.formats
        assert set(case.languages) & therapist.languages
        assert candidate.mode in therapist.modes
        assert case.mode in (candidate.mode, Mode.EITHER)
        assert case.max_fee_pence is None or candidate.fee_pence <= case.max_fee_pence
        assert therapist.seats_free > 0
        assert any(search.age in RULES.policy.age_groups[group] for group in therapist.age_groups)
        if candidate.mode is Mode.IN_PERSON:
            assert candidate.distance_km is not None
            assert candidate.distance_km <= (case.max_distance_km or RULES.policy.default_distance_km)
        if Condition.BIPOLAR_DISORDER in case.conditions and candidate.variant is not Variant.SYSTEMIC:
            assert candidate.variant is Variant.IPSRT
        if candidate.variant is Variant.FB_IPT:
            assert case.attending_adult
        if candidate.variant is Variant.IPT_AST:
            assert not case.diagnosed


def test_who_was_turned_down_is_not_listed_again() -> None:
    first = shortlist(*DIRECTORY).candidates[0].therapist_id

    again = rank(a_search(excluded=[first]), DIRECTORY, RULES)

    assert isinstance(again, Shortlist)
    assert first not in [candidate.therapist_id for candidate in again.candidates]


@pytest.mark.parametrize(("asked_for", "more"), [(2, True), (3, False)])
def test_more_may_pass_only_where_a_pathway_gave_as_many_as_were_asked_for(
    asked_for: int, more: bool
) -> None:
    both = (an_accreditation(), an_accreditation(variant=Variant.SYSTEMIC))
    engine = Engine(RULES.policy, RULES.places, THE_DAY)
    engine.put([entry_of(a_therapist(name, accreditations=both)) for name in ("ada", "ben")])

    found = look(a_search(therapy=Therapy.EITHER), engine, RULES, asked_for)

    assert len(found.for_groups) == 4
    assert bool(found.cut_short) is more
