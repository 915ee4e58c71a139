"""Where a request stands, whatever order the news comes in."""

import itertools
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.intake.domain import Fact, Heard, Progress, State, progress
from tests.intake.builders import NOW

FIRST, SECOND = uuid4(), uuid4()
BEFORE = NOW - timedelta(minutes=1)


def heard(fact: Fact, proposal: UUID = FIRST, *, decision: UUID | None = None, later: int = 0) -> Heard:
    return Heard(fact, NOW + timedelta(seconds=later), proposal_id=proposal, decision_id=decision)


@pytest.mark.parametrize(
    ("so_far", "state"),
    [
        (Progress(), State.RECEIVED),
        (Progress(matching=heard(Fact.PROPOSED)), State.BEING_REVIEWED),
        (Progress(matching=heard(Fact.NOT_FOUND)), State.WAITING),
        (Progress(matching=heard(Fact.PROPOSED), review=heard(Fact.CONFIRMED)), State.BEING_REVIEWED),
        (Progress(matching=heard(Fact.SEAT_RESERVED), review=heard(Fact.CONFIRMED)), State.MATCHED),
        (Progress(matching=heard(Fact.SEAT_UNAVAILABLE), review=heard(Fact.CONFIRMED)), State.BEING_REVIEWED),
        (Progress(matching=heard(Fact.NO_WAY_FITS)), State.NO_WAY_FITS),
        (Progress(matching=heard(Fact.NO_WAY_FITS), review=heard(Fact.REMATCH)), State.NO_WAY_FITS),
        (Progress(matching=heard(Fact.PROPOSED), review=heard(Fact.QUESTION)), State.QUESTION),
        (Progress(matching=heard(Fact.PROPOSED), review=heard(Fact.REMATCH)), State.MATCHING),
        (Progress(matching=heard(Fact.PROPOSED, SECOND), review=heard(Fact.REMATCH)), State.BEING_REVIEWED),
        (Progress(matching=heard(Fact.NOT_FOUND), review=heard(Fact.REMATCH)), State.WAITING),
        (Progress(matching=heard(Fact.PROPOSED), review=heard(Fact.DECLINED)), State.DECLINED),
        (Progress(withdrawn=True, matching=heard(Fact.SEAT_RESERVED)), State.WITHDRAWN),
        (Progress(mail=heard(Fact.MAIL_SENT)), State.RECEIVED),
        (
            Progress(
                matching=heard(Fact.PLACE_HELD, decision=FIRST), review=heard(Fact.CONFIRMED, decision=FIRST)
            ),
            State.GATHERING,
        ),
        (Progress(matching=heard(Fact.PLACE_HELD, decision=FIRST)), State.GATHERING),
        (
            Progress(
                matching=heard(Fact.PLACE_HELD, decision=FIRST), review=heard(Fact.CONFIRMED, decision=SECOND)
            ),
            State.BEING_REVIEWED,
        ),
        (Progress(matching=heard(Fact.PLACE_HELD), review=heard(Fact.REMATCH)), State.MATCHING),
        (Progress(matching=heard(Fact.NOT_FOUND, later=1), review=heard(Fact.CONFIRMED)), State.WAITING),
        (
            Progress(matching=heard(Fact.NOT_FOUND, later=-1), review=heard(Fact.CONFIRMED)),
            State.BEING_REVIEWED,
        ),
    ],
)
def test_the_newest_facts_together_mean_a_state(so_far: Progress, state: State) -> None:
    assert progress(so_far) is state


def test_a_decision_heard_before_the_shortlist_it_decides_is_no_setback() -> None:
    assert progress(Progress(review=heard(Fact.CONFIRMED))) is State.BEING_REVIEWED


def test_a_seat_that_a_rematch_gave_back_is_no_match_any_more() -> None:
    seat, rematch = heard(Fact.SEAT_RESERVED), heard(Fact.REMATCH)

    assert progress(Progress(matching=seat, review=rematch)) is State.MATCHING
    assert progress(Progress(matching=heard(Fact.PROPOSED, SECOND), review=rematch)) is State.BEING_REVIEWED


def test_a_seat_heard_before_the_decision_it_was_taken_for_is_a_match() -> None:
    earlier = Heard(Fact.REMATCH, BEFORE, proposal_id=FIRST)

    assert progress(Progress(matching=heard(Fact.SEAT_RESERVED, SECOND), review=earlier)) is State.MATCHED


def test_a_decision_for_another_after_a_seat_was_given_back_is_no_match_yet() -> None:
    seat = Heard(Fact.SEAT_RESERVED, BEFORE, FIRST, decision_id=uuid4())
    decided = Heard(Fact.CONFIRMED, NOW, SECOND, decision_id=uuid4())

    assert progress(Progress(matching=seat, review=decided)) is State.BEING_REVIEWED


@pytest.mark.parametrize(
    ("found", "state"), [(Fact.NOT_FOUND, State.WAITING), (Fact.NO_WAY_FITS, State.NO_WAY_FITS)]
)
def test_a_lost_seat_with_nobody_else_is_said_as_the_mail_says_it(found: Fact, state: State) -> None:
    decided = Heard(Fact.CONFIRMED, BEFORE)

    assert progress(Progress(matching=heard(found), review=decided)) is state


def test_nobody_found_before_a_decision_says_nothing_about_what_came_of_it() -> None:
    before = Heard(Fact.NOT_FOUND, BEFORE)

    assert progress(Progress(matching=before, review=heard(Fact.CONFIRMED))) is State.BEING_REVIEWED


def test_matched_is_said_only_after_a_seat_is_reserved() -> None:
    facts = [None, *(heard(fact) for fact in Fact)]
    for matching, review, mail in itertools.product(facts, facts, facts):
        if progress(Progress(matching=matching, review=review, mail=mail)) is State.MATCHED:
            assert matching is not None
            assert matching.fact is Fact.SEAT_RESERVED


def test_nothing_reopens_what_was_withdrawn() -> None:
    facts = [None, *(heard(fact) for fact in Fact)]
    for matching, review in itertools.product(facts, facts):
        assert progress(Progress(withdrawn=True, matching=matching, review=review)) is State.WITHDRAWN
