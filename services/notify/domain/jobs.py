"""A message on its way: which one it is, what an answer means for it, and when it is tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from shared.contract.ids import MessageId
from shared.contract.notify import FailureReason
from shared.contract.vocabulary import MessageKind, Recipient


class Status(StrEnum):
    """How a message is doing."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    """It may have arrived; only a person can find out."""

    SUPPRESSED = "suppressed"
    """It was no longer true before it could be sent."""


class Phase(StrEnum):
    """How far an attempt had come; before ANSWER the server cannot have taken anything."""

    CONNECT = "connect"
    GREETING = "greeting"
    TLS = "tls"
    SIGN_IN = "sign_in"
    SENDER = "sender"
    RECIPIENT = "recipient"
    DATA = "data"
    BODY = "body"
    MARK = "mark"
    """All but the final dot was handed over; that the dot comes next is being noted down."""

    ANSWER = "answer"
    """The final dot was handed over."""

    @property
    def is_about_the_message(self) -> bool:
        """Whether a reply in this phase speaks of the message, and not of the server or of us."""
        return self in {Phase.SENDER, Phase.RECIPIENT, Phase.DATA, Phase.ANSWER}


@dataclass(frozen=True, slots=True)
class Answer:
    """What handing over came to: sent, failed for ever, pending (surely not taken), or uncertain."""

    status: Status
    code: int | None = None
    phase: Phase = Phase.ANSWER


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows: a final status, or another try at `next_attempt_at`."""

    status: Status
    next_attempt_at: datetime | None = None
    reason: FailureReason | None = None
    code: int | None = None


NO_LONGER_WANTED = Verdict(Status.SUPPRESSED, reason=FailureReason.NO_LONGER_WANTED)
ERASED = Verdict(Status.FAILED, reason=FailureReason.ERASED)
NOT_WRITABLE = Verdict(Status.FAILED, reason=FailureReason.REFUSED)
"""The address cannot stand in a mail at all; staff are told like of any other refusal."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often a message is tried."""

    first_pause: timedelta = timedelta(seconds=2)
    longest_pause: timedelta = timedelta(minutes=15)
    give_up_after: timedelta = timedelta(hours=24)

    def pause(self, attempts: int, chance: float) -> timedelta:
        """The pause after so many attempts: doubled each time, a quarter more or less by chance."""
        doublings: int = min(attempts - 1, 20)
        return min(self.first_pause * (1 << doublings), self.longest_pause) * (0.75 + 0.5 * chance)


# These speak of how we signed in, not of the message: an operator mends that, and the message waits.
_OURS_TO_MEND = frozenset({530, 534, 535, 538})

# What a fact makes untrue: a message of these kinds that still waits is held back.
UNTRUE_ONCE_PROPOSED = frozenset({MessageKind.WAITING})
UNTRUE_ONCE_HELD = frozenset(
    {
        MessageKind.ACKNOWLEDGEMENT,
        MessageKind.WAITING,
        MessageKind.INFORMATION,
        MessageKind.WAITING_AGAIN,
        MessageKind.LOOKING_AGAIN,
    }
)
UNTRUE_ONCE_DISSOLVED = frozenset({MessageKind.PLACE_HELD})
UNTRUE_ONCE_MATCHED = UNTRUE_ONCE_HELD | UNTRUE_ONCE_DISSOLVED
UNTRUE_ONCE_TURNED_DOWN = UNTRUE_ONCE_DISSOLVED | {MessageKind.MATCHED, MessageKind.REFERRAL}
UNTRUE_ONCE_CLOSED = UNTRUE_ONCE_MATCHED | UNTRUE_ONCE_TURNED_DOWN

MAY_HAVE_ARRIVED = frozenset({Status.SENDING, Status.SENT, Status.UNCERTAIN})

PROMISES = frozenset({MessageKind.PLACE_HELD, MessageKind.MATCHED})
"""Each says that a place is kept."""

PROMISES_TAKEN_BACK = frozenset({MessageKind.WAITING_AGAIN, MessageKind.LOOKING_AGAIN})


def message_id(cause_id: UUID, kind: MessageKind, recipient: Recipient) -> MessageId:
    """The same fact never makes a second message of the same kind for the same person."""
    return MessageId(uuid5(cause_id, f"{kind}/{recipient}"))


def replied(phase: Phase, code: int) -> Answer:
    """What a reply means that ended an attempt in this phase."""
    if phase is Phase.ANSWER and 200 <= code <= 299:
        return Answer(Status.SENT, code, phase)
    if phase is Phase.ANSWER and not 400 <= code <= 599:
        return Answer(Status.UNCERTAIN, None, phase)
    if 500 <= code <= 599 and phase.is_about_the_message and code not in _OURS_TO_MEND:
        return Answer(Status.FAILED, code, phase)
    return Answer(Status.PENDING, code if 200 <= code <= 599 else None, phase)


def after_a_crash(handing_over: bool) -> Answer:
    """What is known of an attempt whose sender is gone: before the final dot, that nothing was taken."""
    return Answer(Status.UNCERTAIN) if handing_over else Answer(Status.PENDING, phase=Phase.CONNECT)


def judge(
    answer: Answer,
    *,
    attempts: int,
    tried_since: datetime,
    unwanted: bool,
    now: datetime,
    patience: Patience,
    chance: float,
) -> Verdict:
    """What an answer means for a message; every message is tried at least once."""
    match answer.status:
        case Status.SENT | Status.UNCERTAIN:
            return Verdict(answer.status, code=answer.code)
        case Status.FAILED:
            return Verdict(Status.FAILED, reason=FailureReason.REFUSED, code=answer.code)
    if unwanted:
        return NO_LONGER_WANTED
    if now - tried_since >= patience.give_up_after:
        return Verdict(Status.FAILED, reason=FailureReason.GAVE_UP, code=answer.code)
    return Verdict(Status.PENDING, now + patience.pause(attempts, chance), code=answer.code)
