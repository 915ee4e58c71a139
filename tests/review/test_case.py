"""What news makes of a case."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from services.review.domain.case import State, nobody_found, placed, proposed, seat_gone, seated, withdrawn
from shared.contract.ids import DecisionId, GroupId, ProposalId, SeatId
from shared.contract.matching import SeatRefusal, Shortfall
from tests.review.builders import NOON, a_case_in, a_choice, a_review_case, therapists

LATER = NOON + timedelta(hours=1)
NEW = ProposalId(uuid4())
FREE, FITS = Shortfall.NOBODY_FREE, Shortfall.NO_WAY_FITS


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (State.AWAITING_PROPOSAL, State.READY),
        (State.WAITING, State.READY),
        (State.NO_WAY_FITS, State.READY),
        (State.READY, State.READY),
        (State.INFORMATION_ASKED, State.INFORMATION_ASKED),
        (State.CONFIRMED, State.CONFIRMED),
        (State.PLACE_HELD, State.PLACE_HELD),
    ],
)
def test_a_new_shortlist_is_put_before_staff(before: State, after: State) -> None:
    case = proposed(a_case_in(before), NEW, therapists("dev"), heard=9, now=LATER)

    assert case is not None
    assert (case.state, case.proposal_id, case.first) == (after, NEW, *therapists("dev"))
    assert case.version == a_case_in(before).version + 1


@pytest.mark.parametrize("closed", [State.MATCHED, State.DECLINED, State.WITHDRAWN])
def test_news_from_matching_leaves_a_closed_case_alone(closed: State) -> None:
    case = a_case_in(closed)

    assert proposed(case, NEW, therapists("dev"), heard=9, now=LATER) is None
    assert nobody_found(case, FREE, heard=9, now=LATER) is None


def test_a_rematch_that_finds_nobody_again_is_news() -> None:
    asked = a_case_in(State.AWAITING_PROPOSAL, shortfall=FREE)

    case = nobody_found(asked, FREE, heard=9, now=LATER)

    assert case is not None
    assert (case.state, case.version, case.answered_at) == (State.WAITING, asked.version + 1, LATER)


@pytest.mark.parametrize("heard", [1, 2, 3])
def test_a_shortlist_that_is_not_newer_changes_nothing(heard: int) -> None:
    assert proposed(a_review_case(heard=3), NEW, therapists("dev"), heard=heard, now=LATER) is None


def test_a_request_that_nobody_fits_waits_and_loses_its_shortlist() -> None:
    case = nobody_found(a_review_case(), FREE, heard=2, now=LATER)

    assert case is not None
    assert (case.state, case.shortlist, case.proposal_id) == (State.WAITING, (), None)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (State.AWAITING_PROPOSAL, State.NO_WAY_FITS),
        (State.READY, State.NO_WAY_FITS),
        (State.WAITING, State.NO_WAY_FITS),
        (State.INFORMATION_ASKED, State.INFORMATION_ASKED),
        (State.CONFIRMED, State.CONFIRMED),
    ],
)
def test_a_request_that_no_way_fits_does_not_wait(before: State, after: State) -> None:
    case = nobody_found(a_case_in(before), FITS, heard=9, now=LATER)

    assert case is not None
    assert (case.state, case.shortfall, case.shortlist) == (after, FITS, ())


@pytest.mark.parametrize("state", [State.WAITING, State.INFORMATION_ASKED])
def test_word_that_others_wait_longer_now_is_nothing_to_look_at_anew(state: State) -> None:
    waiting = a_case_in(state, shortfall=FREE)

    case = nobody_found(waiting, FREE, heard=9, now=LATER)

    assert case == replace(waiting, heard=9)


def test_a_birthday_that_opens_a_pathway_puts_the_case_on_the_waiting_list() -> None:
    case = nobody_found(a_case_in(State.NO_WAY_FITS), FREE, heard=9, now=LATER)

    assert case is not None
    assert case.state is State.WAITING


def test_a_lost_seat_after_which_no_way_fits_is_a_persons_to_decide() -> None:
    confirmed = nobody_found(a_case_in(State.CONFIRMED), FITS, heard=5, now=LATER)
    assert confirmed is not None

    case = seat_gone(confirmed, a_choice().decision_id, SeatRefusal.NO_LONGER_ELIGIBLE, LATER)

    assert case is not None
    assert case.state is State.NO_WAY_FITS


def test_a_seat_makes_the_match_only_for_the_decision_that_waits_for_it() -> None:
    case = a_case_in(State.CONFIRMED)
    seat = SeatId(uuid4())

    other = seated(case, DecisionId(uuid4()), seat)
    this = seated(case, a_choice().decision_id, seat)

    assert other is None
    assert this is not None
    assert (this.state, this.seat_id) == (State.MATCHED, seat)


@pytest.mark.parametrize("state", [State.READY, State.WITHDRAWN, State.DECLINED, State.MATCHED])
def test_a_seat_comes_too_late_for_a_case_that_does_not_wait_for_one(state: State) -> None:
    case = a_case_in(state, choice=a_choice())

    assert seated(case, a_choice().decision_id, SeatId(uuid4())) is None
    assert seat_gone(case, a_choice().decision_id, SeatRefusal.NO_SEAT_LEFT, LATER) is None


def test_a_seat_that_has_gone_reopens_the_case_without_that_therapist() -> None:
    case = seat_gone(a_case_in(State.CONFIRMED), a_choice().decision_id, SeatRefusal.NO_SEAT_LEFT, LATER)

    assert case is not None
    assert (case.state, case.reopened_at, case.choice) == (State.READY, LATER, None)
    assert case.available == therapists("ben", "cem")
    assert case.seen_anew_since == LATER


@pytest.mark.parametrize("refusal", [SeatRefusal.PROPOSAL_SUPERSEDED, SeatRefusal.JOINED_UNSEEN])
def test_what_became_of_the_list_or_the_group_says_nothing_about_the_therapist(refusal: SeatRefusal) -> None:
    case = seat_gone(a_case_in(State.CONFIRMED), a_choice().decision_id, refusal, LATER)

    assert case is not None
    assert case.available == therapists("ada", "ben", "cem")


def test_a_place_is_held_only_for_the_decision_that_waits_for_it() -> None:
    case, seat, group = a_case_in(State.CONFIRMED), SeatId(uuid4()), GroupId(uuid4())

    this = placed(case, a_choice().decision_id, seat, group)

    assert placed(case, DecisionId(uuid4()), seat, group) is None
    assert this is not None
    assert (this.state, this.seat_id, this.group_id) == (State.PLACE_HELD, seat, group)
    assert placed(this, a_choice().decision_id, seat, group) is None


def test_a_held_place_becomes_the_seat_once_the_group_is_formed() -> None:
    seat, group = SeatId(uuid4()), GroupId(uuid4())

    case = seated(a_case_in(State.PLACE_HELD), a_choice().decision_id, seat, group)

    assert case is not None
    assert (case.state, case.seat_id, case.group_id) == (State.MATCHED, seat, group)


def test_a_dissolved_group_reopens_the_case_and_says_nothing_against_the_therapist() -> None:
    refusal = SeatRefusal.GROUP_DISSOLVED

    case = seat_gone(a_case_in(State.PLACE_HELD), a_choice().decision_id, refusal, LATER)

    assert case is not None
    assert (case.state, case.reopened_at, case.choice, case.group_id) == (State.READY, LATER, None, None)
    assert case.available == therapists("ada", "ben", "cem")


def test_a_reopened_case_without_a_shortlist_is_on_the_waiting_list() -> None:
    confirmed = nobody_found(a_case_in(State.CONFIRMED), FREE, heard=5, now=LATER)
    assert confirmed is not None

    case = seat_gone(confirmed, a_choice().decision_id, SeatRefusal.NO_LONGER_ELIGIBLE, LATER)

    assert case is not None
    assert (case.state, case.reopened_at) == (State.WAITING, LATER)


@pytest.mark.parametrize("state", [each for each in State if each not in {State.DECLINED, State.WITHDRAWN}])
def test_a_withdrawal_closes_any_case_that_is_not_closed_by_a_no(state: State) -> None:
    case = withdrawn(a_case_in(state))

    assert case is not None
    assert (case.state, case.claimed_by) == (State.WITHDRAWN, None)


@pytest.mark.parametrize("state", [State.DECLINED, State.WITHDRAWN])
def test_a_withdrawal_after_the_end_changes_nothing(state: State) -> None:
    assert withdrawn(a_case_in(state)) is None


@pytest.mark.parametrize(
    ("state", "overdue"),
    [
        (State.READY, True),
        (State.CONFIRMED, True),
        (State.NO_WAY_FITS, True),
        (State.WAITING, False),
        (State.PLACE_HELD, False),
        (State.MATCHED, False),
    ],
)
def test_a_case_is_overdue_when_the_client_waits_for_us_longer_than_promised(
    state: State, overdue: bool
) -> None:
    promise = timedelta(hours=72)
    case = a_case_in(state)

    assert not case.is_overdue(promise, NOON + promise)
    assert case.is_overdue(promise, NOON + promise + timedelta(seconds=1)) is overdue
