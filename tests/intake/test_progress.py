"""Where a request stands, whatever order the news comes in."""

import itertools
from uuid import UUID, uuid4

import pytest

from services.intake.domain import Fact, Heard, Progress, State, progress
from tests.intake.builders import NOW

FIRST, SECOND = uuid4(), uuid4()


def heard(fact: Fact, proposal: UUID = FIRST) -> Heard:
    return Heard(fact, NOW, proposal_id=proposal)


@pytest.mark.parametrize(
    ("so_far", "state"),
    [
        (Progress(), State.RECEIVED),
        (Progress(matching=heard(Fact.PROPOSED)), State.BEING_REVIEWED),
        (Progress(matching=heard(Fact.NOT_FOUND)), State.WAITING),
        (Progress(matching=heard(Fact.PROPOSED), review=heard(Fact.CONFIRMED)), State.BEING_REVIEWED),
        (Progress(matching=heard(Fact.SEAT_RESERVED), review=heard(Fact.CONFIRMED)), State.MATCHED),
        (Progress(matching=heard(Fact.SEAT_UNAVAILABLE), review=heard(Fact.CONFIRMED)), State.BEING_REVIEWED),
        (Progress(matching=heard(Fact.PROPOSED), review=heard(Fact.QUESTION)), State.QUESTION),
        (Progress(matching=heard(Fact.PROPOSED), review=heard(Fact.REMATCH)), State.MATCHING),
        (Progress(matching=heard(Fact.PROPOSED, SECOND), review=heard(Fact.REMATCH)), State.BEING_REVIEWED),
        (Progress(matching=heard(Fact.NOT_FOUND), review=heard(Fact.REMATCH)), State.WAITING),
        (Progress(matching=heard(Fact.PROPOSED), review=heard(Fact.DECLINED)), State.DECLINED),
        (Progress(withdrawn=True, matching=heard(Fact.SEAT_RESERVED)), State.WITHDRAWN),
        (Progress(mail=heard(Fact.MAIL_SENT)), State.RECEIVED),
    ],
)
def test_the_newest_facts_together_mean_a_state(so_far: Progress, state: State) -> None:
    assert progress(so_far) is state


def test_a_decision_heard_before_the_shortlist_it_decides_is_no_setback() -> None:
    assert progress(Progress(review=heard(Fact.CONFIRMED))) is State.BEING_REVIEWED


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
