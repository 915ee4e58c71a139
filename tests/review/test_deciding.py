"""What may be decided, where it leads, and what must be said for it."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from services.review.domain.case import Case, State
from services.review.domain.deciding import Refusal, act, allowed
from services.review.domain.wishes import Action
from shared.contract import review
from shared.contract.vocabulary import OnwardRoute
from tests.review.builders import FOURTEEN, NOON, REASON, a_case_in, a_review_case, reviewing, therapists
from tests.review.wishing import CH, CO, RE, A, C, D, K, R, a_wish, faulty, refusal
from tests.support.builders import id_of


@pytest.mark.parametrize(
    ("case", "actions"),
    [
        (a_case_in(State.AWAITING_PROPOSAL), {C, D, A}),
        (a_case_in(State.READY), {C, CO, CH, RE, D, A}),
        (a_case_in(State.READY, claimed_by=id_of("bea")), {C, R, CO, CH, RE, D, A}),
        (a_case_in(State.READY, unavailable=therapists("ada", "ben")), {C, CO, RE, D, A}),
        (a_case_in(State.READY, unavailable=therapists("ada", "ben", "cem")), {C, RE, D, A}),
        (a_case_in(State.WAITING), {C, RE, D, A}),
        (a_case_in(State.NO_WAY_FITS), {C, RE, D, A}),
        (a_case_in(State.INFORMATION_ASKED), {C, CO, CH, RE, D, A}),
        (a_case_in(State.CONFIRMED), set()),
        (a_case_in(State.PLACE_HELD), {C, RE, D}),
        (a_case_in(State.PLACE_HELD, claimed_by=id_of("bea")), {C, R, RE, D}),
        (a_case_in(State.MATCHED), {RE}),
        (a_case_in(State.MATCHED, therapist_gone_at=NOON), {RE, K}),
        (a_case_in(State.DECLINED), set()),
        (a_case_in(State.WITHDRAWN), set()),
    ],
)
def test_each_state_allows_its_own_actions_and_no_others(case: Case, actions: set[Action]) -> None:
    assert allowed(case) == actions
    for action in set(Action) - actions:
        assert refusal(case, a_wish(action)).refusal is Refusal.NOT_NOW


@pytest.mark.parametrize(
    ("action", "state"),
    [
        (C, State.READY),
        (CO, State.CONFIRMED),
        (CH, State.CONFIRMED),
        (RE, State.AWAITING_PROPOSAL),
        (D, State.DECLINED),
        (A, State.INFORMATION_ASKED),
    ],
)
def test_each_action_leads_where_it_should_and_counts_as_a_change(action: Action, state: State) -> None:
    outcome = act(a_review_case(), a_wish(action), reviewing())

    assert outcome.case.state is state
    assert outcome.case.version == 3


@pytest.mark.parametrize("action", [RE, D])
def test_a_place_that_is_held_is_given_back_by_whichever_decision_comes_next(action: Action) -> None:
    outcome = act(a_case_in(State.PLACE_HELD), a_wish(action), reviewing())

    assert outcome.case.group_id is None
    assert isinstance(outcome.event, review.RematchRequested | review.RequestDeclined)


def test_confirming_takes_the_first_of_the_shortlist() -> None:
    outcome = act(a_review_case(), a_wish(CO), reviewing())

    assert isinstance(outcome.event, review.MatchConfirmed)
    assert outcome.event.therapist_id == id_of("ada")
    assert not outcome.event.overruled
    assert outcome.event.considered_seconds == 90


def test_confirming_takes_the_next_when_the_first_has_no_seat_any_more() -> None:
    outcome = act(a_review_case(unavailable=therapists("ada")), a_wish(CO), reviewing())

    assert isinstance(outcome.event, review.MatchConfirmed)
    assert outcome.event.therapist_id == id_of("ben")
    assert not outcome.event.overruled


def test_confirming_another_than_the_first_by_name_is_refused() -> None:
    assert set(faulty(a_review_case(), a_wish(CO, therapist_id=id_of("ben")))) == {"therapist_id"}


def test_choosing_another_overrules_and_says_why() -> None:
    outcome = act(a_review_case(), a_wish(CH), reviewing())

    assert isinstance(outcome.event, review.MatchConfirmed)
    assert outcome.event.overruled
    assert outcome.event.reason == REASON
    assert outcome.words["reason"] == REASON


@pytest.mark.parametrize(
    "reason", ["", "   ", "better fit", "aaaaaaaaaaaaaaaaaaaaaaaaa", "no no no no no no no no"]
)
@pytest.mark.parametrize("action", [CH, D])
def test_overruling_and_declining_need_a_reason_of_real_length(action: Action, reason: str) -> None:
    assert "at least 20 characters" in faulty(a_review_case(), a_wish(action, reason=reason))["reason"]


@pytest.mark.parametrize(
    ("therapist", "rule"),
    [
        (None, "choose a therapist"),
        (uuid4(), "not on the current shortlist"),
        (id_of("cem"), "no seat for this client any more"),
        (id_of("ada"), "confirm them instead"),
    ],
)
def test_only_another_available_therapist_of_the_shortlist_can_be_chosen(
    therapist: UUID | None, rule: str
) -> None:
    case = a_review_case(unavailable=therapists("cem"))

    assert rule in faulty(case, a_wish(CH, therapist_id=therapist))["therapist_id"]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wish = a_wish(CH, therapist_id=None, reason="")

    wrong = faulty(a_review_case(flags=1), wish, date_of_birth=FOURTEEN)

    assert set(wrong) == {"flags_seen", "therapist_id", "reason", "under_16_basis", "under_16_note"}


def test_declining_needs_an_onward_route() -> None:
    assert set(faulty(a_review_case(), a_wish(D, onward_route=None))) == {"onward_route"}


def test_the_onward_route_is_kept_where_it_is_sealed() -> None:
    outcome = act(a_review_case(), a_wish(D, onward_route="eating_disorder_service"), reviewing())

    assert isinstance(outcome.event, review.RequestDeclined)
    assert outcome.event.onward_route is OnwardRoute.EATING_DISORDER_SERVICE
    assert outcome.words["onward_route"] == "eating_disorder_service"
    assert "eating_disorder_service" not in str(outcome.codes)


def test_a_rematch_needs_exclusions_or_a_reason() -> None:
    assert set(faulty(a_review_case(), a_wish(RE, exclude=[]))) == {"reason"}
    act(a_review_case(), a_wish(RE, exclude=[], reason=REASON), reviewing())
    act(a_review_case(), a_wish(RE, exclude=[id_of("ada")]), reviewing())


def test_a_rematch_excludes_only_who_is_on_the_shortlist() -> None:
    assert set(faulty(a_review_case(), a_wish(RE, exclude=[uuid4()]))) == {"exclude"}


def test_whoever_was_ruled_out_stays_ruled_out_in_the_next_rematch() -> None:
    case = a_review_case(excluded=therapists("zoe"))

    outcome = act(case, a_wish(RE, exclude=[id_of("ben")]), reviewing())

    assert isinstance(outcome.event, review.RematchRequested)
    assert outcome.event.exclude == therapists("zoe", "ben")
    assert outcome.case.excluded == therapists("zoe", "ben")


def test_a_match_that_comes_to_nothing_rules_its_therapist_out_and_takes_the_choice_back() -> None:
    case = a_case_in(State.MATCHED, seat_id=id_of("seat"))
    assert case.choice is not None

    outcome = act(case, a_wish(RE, exclude=[], reason=REASON), reviewing())

    assert set(faulty(case, a_wish(RE, exclude=[id_of("ben")]))) == {"reason"}
    assert isinstance(outcome.event, review.RematchRequested)
    assert outcome.event.proposal_id == case.proposal_id
    assert outcome.event.exclude == (case.choice.therapist_id,)
    assert (outcome.case.state, outcome.case.choice, outcome.case.seat_id) == (
        State.AWAITING_PROPOSAL,
        None,
        None,
    )


def test_a_question_must_say_something() -> None:
    assert set(faulty(a_review_case(), a_wish(A, question="why?"))) == {"question"}


@pytest.mark.parametrize(
    "fields", [{"version": 0}, {"version": "x"}, {"surprise": 1}, {"therapist_id": "ada"}]
)
def test_what_cannot_be_read_as_a_decision_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        a_wish(CO, **fields)
