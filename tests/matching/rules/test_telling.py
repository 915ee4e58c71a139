"""What client and therapist would be told, word for word: enough to decide by."""

from datetime import timedelta

import pytest

from services.matching.domain.telling import age_band
from shared.contract.intake import Preference
from shared.contract.vocabulary import (
    Condition,
    Format,
    Mode,
    PreferenceAbout,
    ProblemArea,
    Slot,
    Strength,
    Therapy,
)
from tests.matching.builders import THE_DAY, a_therapist, born
from tests.matching.shortlists import only


def test_an_adult_after_a_move_is_told_in_plain_words() -> None:
    candidate = only(a_therapist())

    assert candidate.for_client == (
        "Interpersonal therapy, one to one, online.",
        "The sessions can be in English.",
        "Times that suit you both: Tuesday evening.",
        "A session costs £80.",
        "The therapist often works with changes in life, as in what you told us.",
        "The therapist has experience with depression, which you named.",
        "A woman: as you wished.",
    )
    assert candidate.for_therapist == (
        "For an adult from 25 to 39.",
        "Interpersonal therapy, one to one, online.",
        "You are accredited for the form that it takes.",
        "It is about changes in life.",
        "Times in common: Tuesday evening.",
        "The sessions would be in English.",
    )


def test_somebody_who_comes_in_person_is_told_where_when_and_how_dear_it_is() -> None:
    therapist = a_therapist(
        problem_areas=frozenset({ProblemArea.GRIEF, ProblemArea.INTERPERSONAL_DEFICITS}),
        conditions=frozenset({Condition.ANXIETY, Condition.PSYCHOSIS, Condition.BULIMIA_NERVOSA}),
        free_from=THE_DAY + timedelta(days=7),
        slots=frozenset({Slot.MON_MORNING}),
        fee_pence=0,
    )
    candidate = only(
        therapist,
        mode=Mode.IN_PERSON,
        format=Format.COUPLE,
        problem_areas=(ProblemArea.ROLE_TRANSITION, ProblemArea.GRIEF),
        conditions=(Condition.DEPRESSION, Condition.PSYCHOSIS, Condition.ANXIETY),
        languages=("pl", "en"),
        preferences=(),
    )

    assert candidate.for_client == (
        "Interpersonal therapy, together with your partner, in person.",
        "About 1.4 km from you in a straight line.",
        "The sessions can be in English.",
        "The time has still to be agreed: none that you gave is free.",
        "The sessions cost nothing.",
        "The therapist often works with the death of somebody close, as in what you told us.",
        "The therapist has experience with anxiety, which you named.",
        "The first session can be from 1 December 2026.",
    )


def test_whatever_has_no_bearing_is_left_out() -> None:
    therapist = a_therapist(
        problem_areas=frozenset(), conditions=frozenset(), free_from=THE_DAY, outcode="E1"
    )
    candidate = only(
        therapist, mode=Mode.IN_PERSON, therapy=Therapy.SYSTEMIC, format=Format.FAMILY, preferences=()
    )

    assert candidate.for_client == (
        "Systemic therapy, together with your family, in person.",
        "In your postcode district.",
        "The sessions can be in English.",
        "Times that suit you both: Tuesday evening.",
        "A session costs £80.",
    )


def test_a_therapist_reads_how_a_child_would_come_and_how_they_would_have_to_work() -> None:
    wishes = (
        Preference(about=PreferenceAbout.APPROACH, wish="structured", strength=Strength.SLIGHT),
        Preference(about=PreferenceAbout.FAITH_AWARE, wish="yes", strength=Strength.STRONG),
    )
    candidate = only(
        a_therapist(),
        date_of_birth=born(9),
        format=Format.FAMILY,
        attending_adult=True,
        problem_areas=(),
        life_event=None,
        preferences=wishes,
        availability=(Slot.FRI_MORNING,),
        languages=("cy", "en"),
    )

    assert candidate.for_therapist == (
        "For a child of 12 or younger.",
        "Interpersonal therapy, as a family, online.",
        "You are accredited for the form that it takes.",
        "What it is about is still open.",
        "No time in common was found.",
        "The sessions would be in English.",
        "An adult would come to every session.",
        "Wishes for somebody who is structured in approach (slight wish).",
    )


@pytest.mark.parametrize(
    ("age", "comes", "told"), [(17, True, True), (17, False, False), (18, True, False), (18, False, False)]
)
def test_that_somebody_comes_along_is_told_of_a_child_alone(age: int, comes: bool, told: bool) -> None:
    candidate = only(a_therapist(), date_of_birth=born(age), attending_adult=comes)

    assert ("An adult would come to every session." in candidate.for_therapist) is told


def test_a_wish_that_is_not_met_is_told_to_the_client() -> None:
    candidate = only(a_therapist(gender="man"), mode=Mode.IN_PERSON)

    assert "A woman: which you wished for and this therapist is not." in candidate.for_client


def test_of_what_an_entry_does_not_say_the_client_is_not_told_that_it_is_not_so() -> None:
    wish = Preference(about=PreferenceAbout.LGBTQ_AFFIRMING, wish="yes", strength=Strength.STRONG)
    candidate = only(a_therapist(affirming=frozenset()), preferences=(wish,))

    said = [each for each in candidate.for_client if "wished for" in each]
    assert said == ["LGBTQ-affirming: which you wished for; this therapist's entry does not say so."]


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (7, "a child of 12 or younger"),
        (12, "a child of 12 or younger"),
        (13, "a young person from 13 to 15"),
        (15, "a young person from 13 to 15"),
        (16, "a young person of 16 or 17"),
        (18, "an adult under 25"),
        (39, "an adult from 25 to 39"),
        (64, "an adult from 40 to 64"),
        (65, "an adult of 65 or older"),
        (103, "an adult of 65 or older"),
    ],
)
def test_an_age_is_told_as_a_band(age: int, band: str) -> None:
    assert age_band(age) == band
