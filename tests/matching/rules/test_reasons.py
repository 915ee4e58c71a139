"""What a shortlist says of each on it: reasons, unmet wishes, and what a reviewer should weigh."""

from datetime import timedelta
from typing import Any

import pytest

from services.matching.domain.ordering import HELD_BACK
from services.matching.domain.therapist import Gender
from shared.contract.intake import CaseDetails, Preference
from shared.contract.vocabulary import (
    Condition,
    Evidence,
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
from tests.matching.builders import RULES, THE_DAY, a_registration, a_therapist, an_accreditation
from tests.matching.shortlists import DIRECTORY, only, priced, shortlist


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
    assert [(each.price, HELD_BACK in each.cautions) for each in candidates] == [(5, False), (10, False)]


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
        "format": "Sessions one to one, as the client asked.",
        "experience": "Has completed 20 courses of IPT.",
        "availability": "Free when the client is: Tuesday evening.",
        "preference": "Is a woman: a strong wish.",
        "language": "Works in English, the language the client prefers.",
        "distance": "About 1.4 km away in a straight line.",
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


def test_no_evidence_is_claimed_for_who_names_no_condition() -> None:
    for variant in Variant:
        unnamed = RULES.policy.evidence[variant]["unnamed"]
        assert (unnamed.tier, unnamed.source) == (Evidence.NONE_FOUND, "none")

    terms = {reason.term for reason in only(a_therapist("ada"), conditions=()).reasons}

    assert "evidence" not in terms
    assert "availability" in terms


@pytest.mark.parametrize(
    ("named", "text"),
    [
        ((Condition.ANXIETY,), "Limited evidence for IPT with anxiety."),
        (
            (Condition.DEPRESSION, Condition.ANXIETY),
            "Limited evidence for IPT with anxiety; strong evidence with depression.",
        ),
        (
            (Condition.ANXIETY, Condition.DEPRESSION, Condition.BULIMIA_NERVOSA),
            "Limited evidence for IPT with anxiety and bulimia nervosa; strong evidence with depression.",
        ),
    ],
)
def test_evidence_is_told_of_each_condition_and_counts_as_for_the_least_supported(
    named: tuple[Condition, ...], text: str
) -> None:
    candidate = only(a_therapist(), conditions=named)

    told = [(each.text, each.points) for each in candidate.reasons if each.term == "evidence"]
    assert told == [(text, RULES.policy.weights.evidence[Evidence.LIMITED])]


def test_no_evidence_counts_where_none_was_found_for_one_of_the_conditions() -> None:
    candidate = only(a_therapist(), conditions=(Condition.DEPRESSION, Condition.ANOREXIA_NERVOSA))

    assert "evidence" not in [each.term for each in candidate.reasons]
    assert "evidence_anorexia_nervosa" in [each.code for each in candidate.cautions]


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
    usual = [caution.code for caution in only(a_therapist()).cautions]

    assert usual == ["evidence_depression"]
    assert [caution.code for caution in only(a_therapist(**therapist)).cautions] == [*usual, code]


@pytest.mark.parametrize(
    ("mode", "outcode", "texts"),
    [
        (
            Mode.EITHER,
            None,
            [
                "Left out is whoever could be met in person alone, for which no postcode district was given: "
                "ask for it."
            ],
        ),
        (
            Mode.EITHER,
            "CB1",
            [
                "Left out is whoever could be met in person alone, and where the client's postcode district "
                "lies is not known here."
            ],
        ),
        (Mode.EITHER, "E1", []),
        (Mode.ONLINE, None, []),
    ],
)
def test_staff_are_told_that_those_who_work_in_person_alone_were_left_out(
    mode: Mode, outcode: str | None, texts: list[str]
) -> None:
    told = only(a_therapist(), mode=mode, outcode=outcode).cautions

    assert [each.text for each in told if each.code == "place_unknown"] == texts


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
