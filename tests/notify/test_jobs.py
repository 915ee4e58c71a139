"""What an answer means for a message, and when it is tried again."""

from datetime import timedelta

import pytest

from services.notify.domain.jobs import (
    Answer,
    Patience,
    Phase,
    Status,
    Verdict,
    after_a_crash,
    judge,
    message_id,
    replied,
)
from shared.contract.notify import FailureReason
from shared.contract.vocabulary import MessageKind, Recipient
from tests.notify.builders import NOON
from tests.support.builders import id_of

PATIENCE = Patience(timedelta(seconds=2), timedelta(minutes=15), timedelta(hours=24))
BEFORE_THE_DOT = [phase for phase in Phase if phase is not Phase.ANSWER]


def verdict_of(answer: Answer, *, hours: float = 0, unwanted: bool = False) -> Verdict:
    return judge(
        answer,
        attempts=1,
        tried_since=NOON,
        unwanted=unwanted,
        now=NOON + timedelta(hours=hours),
        patience=PATIENCE,
        chance=0.5,
    )


@pytest.mark.parametrize("code", [250, 251, 200])
def test_a_yes_to_the_final_dot_means_sent(code: int) -> None:
    assert replied(Phase.ANSWER, code).status is Status.SENT


@pytest.mark.parametrize("code", [-1, 0, 100, 354, 600])
def test_a_reply_to_the_dot_that_is_neither_yes_nor_no_leaves_it_uncertain(code: int) -> None:
    assert replied(Phase.ANSWER, code).status is Status.UNCERTAIN


@pytest.mark.parametrize("phase", [Phase.SENDER, Phase.RECIPIENT, Phase.DATA, Phase.ANSWER])
def test_a_5xx_about_the_message_is_final_and_keeps_its_code(phase: Phase) -> None:
    verdict = verdict_of(replied(phase, 550))

    assert (verdict.status, verdict.reason, verdict.code) == (Status.FAILED, FailureReason.REFUSED, 550)


@pytest.mark.parametrize("phase", [Phase.CONNECT, Phase.GREETING, Phase.TLS, Phase.SIGN_IN])
def test_a_5xx_about_the_connection_says_nothing_about_the_message(phase: Phase) -> None:
    assert replied(phase, 554).status is Status.PENDING


@pytest.mark.parametrize("code", [530, 534, 535, 538])
def test_being_asked_to_sign_in_is_for_an_operator_to_mend_while_the_message_waits(code: int) -> None:
    assert replied(Phase.SENDER, code).status is Status.PENDING


@pytest.mark.parametrize("phase", list(Phase))
def test_a_4xx_is_tried_again_at_every_phase(phase: Phase) -> None:
    verdict = verdict_of(replied(phase, 451))

    assert (verdict.status, verdict.code) == (Status.PENDING, 451)
    assert verdict.next_attempt_at == NOON + timedelta(seconds=2)


@pytest.mark.parametrize("phase", BEFORE_THE_DOT)
def test_no_reply_before_the_dot_ends_an_attempt_as_uncertain(phase: Phase) -> None:
    assert {replied(phase, code).status for code in (-1, 250, 354, 451, 550)} <= {
        Status.PENDING,
        Status.FAILED,
    }


def test_a_crash_before_the_dot_is_tried_again_and_one_after_it_is_uncertain() -> None:
    assert after_a_crash(handing_over=False).status is Status.PENDING
    assert after_a_crash(handing_over=True).status is Status.UNCERTAIN


def test_a_message_is_given_up_after_a_day_with_its_last_code() -> None:
    assert verdict_of(replied(Phase.RECIPIENT, 451), hours=23.9).status is Status.PENDING

    verdict = verdict_of(replied(Phase.RECIPIENT, 451), hours=24)

    assert (verdict.status, verdict.reason, verdict.code) == (Status.FAILED, FailureReason.GAVE_UP, 451)


def test_a_message_that_is_no_longer_true_is_not_tried_again() -> None:
    verdict = verdict_of(Answer(Status.PENDING, phase=Phase.CONNECT), unwanted=True)

    assert (verdict.status, verdict.reason) == (Status.SUPPRESSED, FailureReason.NO_LONGER_WANTED)


def test_a_message_that_went_out_before_it_became_untrue_counts_as_sent() -> None:
    assert verdict_of(replied(Phase.ANSWER, 250), unwanted=True).status is Status.SENT


def test_pauses_double_up_to_a_bound() -> None:
    pauses = [PATIENCE.pause(attempts, 0.5).total_seconds() for attempts in range(1, 13)]

    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]
    assert PATIENCE.pause(10_000, 0.5) == timedelta(minutes=15)


def test_pauses_are_spread_by_chance_so_that_messages_do_not_come_in_waves() -> None:
    assert PATIENCE.pause(3, 0) == timedelta(seconds=6)
    assert PATIENCE.pause(3, 1) == timedelta(seconds=10)


def test_a_message_is_the_same_for_the_same_cause_kind_and_recipient_only() -> None:
    ids = {
        message_id(id_of(cause), kind, recipient)
        for cause in ("one", "two")
        for kind in MessageKind
        for recipient in Recipient
    }

    assert len(ids) == 2 * len(MessageKind) * len(Recipient)
    assert message_id(id_of("one"), MessageKind.MATCHED, Recipient.CLIENT) in ids
