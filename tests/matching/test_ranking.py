"""The shortlist: its order, its sums, its reasons, and what is said when there is none."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.app import load_places
from services.matching.domain.engine import Engine, entry_of
from services.matching.domain.gates import Fit, Gate
from services.matching.domain.generating import synthetic_therapists
from services.matching.domain.ordering import HELD_BACK
from services.matching.domain.pathways import routes
from services.matching.domain.ranking import explain, look, rank, search_for, still_fits
from services.matching.domain.therapist import Gender, Route, Therapist
from shared.contract.intake import CaseDetails, Preference
from shared.contract.matching import Candidate, NothingFound, Shortlist
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
from tests.matching.builders import (
    RULES,
    THE_DAY,
    a_registration,
    a_search,
    a_therapist,
    an_accreditation,
    born,
)

DIRECTORY = tuple(synthetic_therapists(240, 7, THE_DAY, load_places().postcodes))


def shortlist(*therapists: Any, **case: Any) -> Shortlist:
    found = rank(a_search(**case), therapists, RULES)
    assert isinstance(found, Shortlist), found
    return found


def only(*therapists: Any, **case: Any) -> Candidate:
    [candidate] = shortlist(*therapists, **case).candidates
    return candidate


def points(candidate: Candidate, term: str) -> int:
    return sum(reason.points for reason in candidate.reasons if reason.term == term)


def priced(prices: dict[Therapist, int], **case: Any) -> Shortlist:
    """The shortlist where seats cost so many points."""
    engine = Engine(RULES.policy, RULES.places, THE_DAY)
    engine.put([entry_of(therapist) for therapist in prices])
    engine.set_prices({therapist.id: points for therapist, points in prices.items()})
    search = a_search(**case)
    found = explain(search, look(search, engine, RULES), {each.id: each for each in prices}, RULES)
    assert isinstance(found, Shortlist), found
    return found


def test_staff_read_of_whom_a_price_puts_below_a_lower_score_and_nobody_else_does() -> None:
    dear, fair = a_therapist("ada"), a_therapist("ben", fee_pence=8500)
    least = a_therapist("cem", problem_areas=frozenset())
    plain = {each.therapist_id: each for each in shortlist(dear, fair, least).candidates}

    candidates = priced({dear: 300, fair: 0, least: 10}).candidates

    assert [(each.therapist_id, each.price) for each in candidates] == [
        (fair.id, 0),
        (least.id, 10),
        (dear.id, 300),
    ]
    assert [each.score for each in candidates] == [plain[each.therapist_id].score for each in candidates]
    assert candidates[0].score < candidates[2].score
    assert [HELD_BACK in each.cautions for each in candidates] == [False, False, True]
    for each in candidates:
        before = plain[each.therapist_id]
        assert (each.for_client, each.for_therapist) == (before.for_client, before.for_therapist)


def test_a_price_that_changes_no_order_is_no_caution() -> None:
    ada, ben = a_therapist("ada"), a_therapist("ben", problem_areas=frozenset())

    candidates = priced({ada: 5, ben: 0}).candidates

    assert [(each.therapist_id, each.price) for each in candidates] == [(ada.id, 5), (ben.id, 0)]
    assert not any(HELD_BACK in each.cautions for each in candidates)


def test_who_is_listed_below_an_equal_score_is_not_said_to_score_more() -> None:
    candidates = priced({a_therapist("ada"): 5, a_therapist("ben"): 10}).candidates

    assert candidates[0].score == candidates[1].score
    assert [(each.price, each.cautions) for each in candidates] == [(5, ()), (10, ())]


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


def test_every_score_is_the_sum_of_its_reasons_and_every_reason_names_its_field() -> None:
    known = {f"details.{name}" for name in CaseDetails.model_fields} | {
        "directory.seats_free",
        "directory.free_from",
    }
    for candidate in shortlist(*DIRECTORY).candidates:
        assert candidate.score == sum(reason.points for reason in candidate.reasons)
        for reason in candidate.reasons:
            assert ".".join(reason.field.split(".")[:2]) in known
            assert reason.text.endswith(".")
            assert reason.points > 0


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
        (400, 0, None),
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


def test_an_unmet_wish_is_said() -> None:
    candidate = only(a_therapist(gender=Gender.MAN))

    assert candidate.unmet == ("a woman (a strong wish)",)


@pytest.mark.parametrize(
    ("about", "wish", "said"),
    [
        (PreferenceAbout.LGBTQ_AFFIRMING, "yes", "LGBTQ-affirming"),
        (PreferenceAbout.APPROACH, "exploratory", "exploratory in approach"),
    ],
)
def test_of_a_wish_that_an_entry_may_leave_out_it_is_not_said_that_it_is_not_so(
    about: PreferenceAbout, wish: str, said: str
) -> None:
    wished = Preference(about=about, wish=wish, strength=Strength.STRONG)

    candidate = only(a_therapist(affirming=frozenset()), preferences=(wished,))

    assert candidate.unmet == (f"{said} (a strong wish; the entry does not say)",)


def test_a_slight_wish_that_is_not_met_is_said_as_well() -> None:
    wish = Preference(about=PreferenceAbout.THERAPIST_GENDER, wish="man", strength=Strength.SLIGHT)

    assert only(a_therapist(), preferences=(wish,)).unmet == ("a man (a slight wish)",)


def test_reasons_read_as_sentences() -> None:
    candidate = only(a_therapist(), mode=Mode.IN_PERSON)

    texts = {reason.term: reason.text for reason in candidate.reasons}

    assert texts == {
        "problem_area": "Works often with role transitions.",
        "condition": "Experienced with depression.",
        "evidence": "Strong evidence for IPT with depression.",
        "experience": "Has completed 20 courses of IPT.",
        "availability": "Free when the client is: Tuesday evening.",
        "preference": "Is a woman: a strong wish.",
        "language": "Works in English, the language the client prefers.",
        "distance": "About 1.4 km away.",
        "fee": "Asks £80 a session, within the limit of £90.",
        "wait": "Can begin at once.",
        "caseload": "Has 4 of 4 seats free.",
    }


def test_of_many_times_in_common_three_are_named_and_the_others_counted() -> None:
    candidate = only(a_therapist(slots=frozenset(Slot)), availability=tuple(Slot)[:5])

    assert [reason.text for reason in candidate.reasons if reason.term == "availability"] == [
        "Free when the client is: Monday morning, Monday afternoon, Monday evening and 2 more."
    ]


def test_an_area_that_an_event_points_to_is_told_with_the_event() -> None:
    griever = a_therapist(problem_areas=frozenset({ProblemArea.GRIEF}))

    candidate = only(griever, problem_areas=(), life_event=LifeEvent.DEATH)

    assert [reason.text for reason in candidate.reasons if reason.term == "problem_area"] == [
        "Works often with grief, which a death points to."
    ]


@pytest.mark.parametrize(
    ("named", "text"),
    [
        ((), "Moderate evidence for IPT for clients who name no condition."),
        ((Condition.ANXIETY,), "Limited evidence for IPT with anxiety."),
        (
            (Condition.PSYCHOSIS, Condition.DEPRESSION),
            "Strong evidence for IPT with depression; no evidence found with psychosis.",
        ),
        (
            (Condition.OTHER, Condition.ANXIETY, Condition.DEPRESSION, Condition.BULIMIA_NERVOSA),
            "Strong evidence for IPT with depression; limited evidence with anxiety and bulimia nervosa; "
            "no evidence found with another condition.",
        ),
    ],
)
def test_evidence_is_told_of_each_condition_and_not_of_the_best_supported_alone(
    named: tuple[Condition, ...], text: str
) -> None:
    candidate = only(a_therapist(), conditions=named)

    assert [reason.text for reason in candidate.reasons if reason.term == "evidence"] == [text]


@pytest.mark.parametrize(
    ("therapist", "code"),
    [
        ({"registration": a_registration(expires_on=THE_DAY + timedelta(weeks=10))}, "registration_ends"),
        (
            {"accreditations": (an_accreditation(expires_on=THE_DAY + timedelta(weeks=10)),)},
            "accreditation_ends",
        ),
        ({"accreditations": (an_accreditation(cases=3),)}, "newly_qualified"),
        ({"slots": frozenset({Slot.MON_MORNING})}, "no_shared_time"),
        ({"conditions": frozenset()}, "no_experience_named"),
        ({"free_from": THE_DAY + timedelta(days=1)}, "begins_later"),
    ],
)
def test_what_a_reviewer_should_weigh_is_pointed_out(therapist: dict[str, Any], code: str) -> None:
    assert [caution.code for caution in only(a_therapist(**therapist)).cautions] == [code]
    assert only(a_therapist()).cautions == ()


@pytest.mark.parametrize(
    ("variant", "cases", "new"),
    [(Variant.IPT, 3, True), (Variant.IPT, 4, False), (Variant.SYSTEMIC, 0, False)],
)
def test_few_closed_courses_of_ipt_are_pointed_out(variant: Variant, cases: int, new: bool) -> None:
    therapy = Therapy.SYSTEMIC if variant is Variant.SYSTEMIC else Therapy.IPT
    held = (an_accreditation(variant, cases=cases),)

    candidate = only(a_therapist(accreditations=held), therapy=therapy, format=Format.COUPLE)

    assert candidate.variant is variant
    assert ("newly_qualified" in [caution.code for caution in candidate.cautions]) is new


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


def test_nobody_found_says_which_gates_and_how_many() -> None:
    found = rank(
        a_search(languages=("cy",)),
        [a_therapist("ada"), a_therapist("ben"), a_therapist("cem", registration=None)],
        RULES,
    )

    assert isinstance(found, NothingFound)
    assert [(count.gate, count.therapists) for count in found.gates] == [("registration", 1), ("language", 2)]
    assert found.text == (
        "None of 3 therapists can be proposed for IPT: 1 who has no live core registration "
        "and 2 who do not speak a language the client asked for."
    )


def test_of_a_single_therapist_it_is_said_why_that_one_cannot_be_proposed() -> None:
    found = rank(a_search(), [a_therapist(seats_free=0)], RULES)

    assert isinstance(found, NothingFound)
    assert found.text == (
        "The only therapist in the directory cannot be proposed for IPT: that one has no free seat."
    )


def test_no_form_that_fits_says_each_rule() -> None:
    found = rank(a_search(date_of_birth=born(5)), DIRECTORY, RULES)

    assert isinstance(found, NothingFound)
    assert found.pathways == ()
    assert found.text.startswith("No form of therapy that the clinic offers fits: ")
    assert "the client is 5" in found.text


def test_an_empty_directory_says_so() -> None:
    found = rank(a_search(), [], RULES)

    assert isinstance(found, NothingFound)
    assert "no therapist has been imported" in found.text


def test_an_unknown_district_says_so() -> None:
    found = rank(a_search(mode=Mode.IN_PERSON, outcode=None), DIRECTORY, RULES)

    assert isinstance(found, NothingFound)
    assert "postcode district is not known" in found.text


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

    ways = {way.variant: way for way in routes(case, THE_DAY, RULES.policy).pathways}
    for candidate in found.candidates:
        therapist = BY_ID[candidate.therapist_id]
        held = therapist.accreditation_for(candidate.variant)
        assert candidate.variant in ways
        assert therapist.registration is not None
        assert therapist.registration.expires_on >= THE_DAY
        assert held is not None
        assert held.expires_on >= THE_DAY
        assert held.route is Route.STANDARD
        assert ways[candidate.variant].format in therapist.formats
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
