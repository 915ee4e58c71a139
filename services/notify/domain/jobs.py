"""A message on its way: which one it is, what an answer means for it, and when it is tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from shared.contract.notify import FailureReason
from shared.contract.vocabulary import MessageKind, Recipient

FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=30)
PERMANENT = 500


class Status(StrEnum):
    """How a message is doing."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What handing over a message came to: taken, refused with a code, not handed over, or nobody knows."""

    status: Status
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows: a final status, or another try at `next_attempt_at`."""

    status: Status
    next_attempt_at: datetime | None = None
    reason: FailureReason | None = None
    code: int | None = None


def message_id(cause_id: UUID, kind: MessageKind, recipient: Recipient) -> UUID:
    """The same fact never makes a second message of the same kind for the same person."""
    return uuid5(cause_id, f"{kind}/{recipient}")


def judge(
    answer: Answer, *, attempts: int, created_at: datetime, now: datetime, patience: timedelta
) -> Verdict:
    """What an answer means for a message that was tried so often."""
    if answer.status in {Status.SENT, Status.UNCERTAIN}:
        return Verdict(answer.status, code=answer.code)
    if answer.code is not None and answer.code >= PERMANENT:
        return Verdict(Status.FAILED, reason=FailureReason.REFUSED, code=answer.code)
    next_attempt_at = now + wait(attempts)
    if next_attempt_at - created_at > patience:
        return Verdict(Status.FAILED, reason=FailureReason.GAVE_UP, code=answer.code)
    return Verdict(Status.PENDING, next_attempt_at, code=answer.code)


def wait(attempts: int) -> timedelta:
    """How long to wait after so many attempts; doubles, up to a bound."""
    doublings: int = min(attempts - 1, 20)
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << doublings))


def after_a_crash(handing_over: bool) -> Status:
    """What a message is whose sender died: before the final dot it was surely not taken."""
    return Status.UNCERTAIN if handing_over else Status.PENDING
