"""Who may decide: whoever has looked, read the flags, recorded who consents, and is in nobody's way."""

from datetime import date, timedelta

import pytest

from services.review.domain.deciding import Refusal, Refused, act, considered_seconds
from services.review.domain.staff import Role
from services.review.domain.wishes import Action
from tests.review.builders import FOURTEEN, NOON, NOTE, a_colleague, a_review_case, reviewing
from tests.review.wishing import CH, CO, RE, A, C, D, R, a_wish, faulty, refusal
from tests.support.builders import id_of


@pytest.mark.parametrize("action", [CO, CH, RE, D, A])
def test_nobody_decides_on_a_flagged_case_without_saying_that_they_read_the_flags(action: Action) -> None:
    case = a_review_case(flags=2)

    assert set(faulty(case, a_wish(action))) == {"flags_seen"}
    outcome = act(case, a_wish(action, flags_seen=True), reviewing())

    assert outcome.codes["flags_seen"] == 2


@pytest.mark.parametrize("action", [CO, CH])
def test_nobody_under_16_is_matched_before_a_person_records_who_consents(action: Action) -> None:
    wrong = faulty(a_review_case(), a_wish(action), date_of_birth=FOURTEEN)

    assert set(wrong) == {"under_16_basis", "under_16_note"}


@pytest.mark.parametrize("basis", ["gillick_assessed", "parental_consent"])
def test_a_recorded_assessment_or_consent_lets_a_person_under_16_be_matched(basis: str) -> None:
    wish = a_wish(CO, under_16_basis=basis, under_16_note=NOTE)

    outcome = act(a_review_case(), wish, reviewing(date_of_birth=FOURTEEN))

    assert outcome.codes["under_16_basis"] == basis
    assert outcome.words["under_16_note"] == NOTE


def test_a_basis_without_a_note_is_a_tick_box_and_not_enough() -> None:
    wish = a_wish(CO, under_16_basis="gillick_assessed", under_16_note="ok")

    assert set(faulty(a_review_case(), wish, date_of_birth=FOURTEEN)) == {"under_16_note"}


@pytest.mark.parametrize(
    ("today", "needed"),
    [(date(2026, 11, 23), True), (date(2026, 11, 24), False), (date(2026, 11, 25), False)],
)
def test_the_age_counts_on_the_day_of_the_decision(today: date, needed: bool) -> None:
    looked = reviewing(date_of_birth=date(2010, 11, 24), today=today)

    if needed:
        with pytest.raises(Refused):
            act(a_review_case(), a_wish(CO), looked)
    else:
        act(a_review_case(), a_wish(CO), looked)


@pytest.mark.parametrize("action", [RE, D, A])
def test_what_is_no_match_needs_no_consent_for_a_person_under_16(action: Action) -> None:
    act(a_review_case(), a_wish(action), reviewing(date_of_birth=FOURTEEN))


@pytest.mark.parametrize("action", [CO, CH, RE, D, A])
def test_nobody_decides_on_a_case_that_they_have_not_opened(action: Action) -> None:
    assert refusal(a_review_case(), a_wish(action), considered_seconds=None).refusal is Refusal.UNSEEN


@pytest.mark.parametrize("action", [CO, CH, RE, D, A])
@pytest.mark.parametrize("role", list(Role))
def test_only_the_one_who_claimed_a_case_decides_on_it(role: Role, action: Action) -> None:
    case = a_review_case(claimed_by=id_of("bea"))

    assert refusal(case, a_wish(action), by=a_colleague("cai", role)).refusal is Refusal.CLAIMED
    act(case, a_wish(action), reviewing(a_colleague("bea")))


@pytest.mark.parametrize("action", [C, R])
def test_only_somebody_who_oversees_takes_a_claim_from_a_colleague(action: Action) -> None:
    case = a_review_case(claimed_by=id_of("bea"))

    assert refusal(case, a_wish(action), by=a_colleague("cai")).refusal is Refusal.CLAIMED
    for role in (Role.SUPERVISOR, Role.ADMIN):
        outcome = act(case, a_wish(action), reviewing(a_colleague("cai", role)))
        assert outcome.case.claimed_by == (id_of("cai") if action is C else None)


def test_a_claim_ends_with_the_decision_but_not_with_a_question() -> None:
    case = a_review_case(claimed_by=id_of("bea"))

    assert act(case, a_wish(CO), reviewing()).case.claimed_by is None
    assert act(case, a_wish(A), reviewing()).case.claimed_by == id_of("bea")


def test_a_night_between_two_looks_counts_as_a_quarter_of_an_hour() -> None:
    monday, tuesday = NOON, NOON + timedelta(hours=20)

    assert considered_seconds([monday], monday + timedelta(seconds=90)) == 90
    assert considered_seconds([monday, tuesday], tuesday + timedelta(seconds=30)) == 15 * 60 + 30
    # The clock of another machine may be a little behind.
    assert considered_seconds([monday], monday - timedelta(milliseconds=5)) == 0
    assert considered_seconds([], monday) is None
