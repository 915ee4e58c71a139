"""What may be decided, by whom, and what must be said for it."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from services.review.domain.case import Case, State
from services.review.domain.deciding import Refusal, Refused, act, allowed, considered_seconds
from services.review.domain.staff import Role
from services.review.domain.wishes import WISHES, Action, Wish
from shared.contract import review
from shared.contract.vocabulary import OnwardRoute
from tests.review.builders import (
    NOON,
    NOTE,
    REASON,
    a_case_in,
    a_colleague,
    a_review_case,
    reviewing,
    therapists,
)
from tests.support.builders import id_of

C, R, CO, CH, RE, D, A, K = (
    Action.CLAIM, Action.RELEASE, Action.CONFIRM, Action.CHOOSE, Action.REMATCH, Action.DECLINE, Action.ASK,
    Action.KEEP,
)  # fmt: skip
FOURTEEN = date(2012, 6, 1)


def a_wish(action: Action, **fields: Any) -> Wish:
    """A complete wish for an action, changed by `fields`."""
    complete: dict[Action, dict[str, Any]] = {
        CH: {"therapist_id": id_of("ben"), "reason": REASON},
        RE: {"exclude": [id_of("ada")]},
        D: {"onward_route": "gp", "reason": REASON},
        A: {"question": "Which evenings are free?"},
        K: {"reason": REASON},
    }
    return WISHES[action].model_validate({"version": 2} | complete.get(action, {}) | fields)


def refusal(case: Case, wish: Wish, **changes: Any) -> Refused:
    """Why an action is refused."""
    with pytest.raises(Refused) as refused:
        act(case, wish, reviewing(**changes))
    return refused.value


def faulty(case: Case, wish: Wish, **changes: Any) -> dict[str, str]:
    """Which fields of a wish are wrong, and why."""
    refused = refusal(case, wish, **changes)
    assert refused.refusal is Refusal.INCOMPLETE
    return {fault.field: fault.rule for fault in refused.faults}


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


@pytest.mark.parametrize(
    "fields", [{"version": 0}, {"version": "x"}, {"surprise": 1}, {"therapist_id": "ada"}]
)
def test_what_cannot_be_read_as_a_decision_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        a_wish(CO, **fields)


def test_a_night_between_two_looks_counts_as_a_quarter_of_an_hour() -> None:
    monday, tuesday = NOON, NOON + timedelta(hours=20)

    assert considered_seconds([monday], monday + timedelta(seconds=90)) == 90
    assert considered_seconds([monday, tuesday], tuesday + timedelta(seconds=30)) == 15 * 60 + 30
    # The clock of another machine may be a little behind.
    assert considered_seconds([monday], monday - timedelta(milliseconds=5)) == 0
    assert considered_seconds([], monday) is None
