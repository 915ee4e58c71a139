"""What notify says: a mail was accepted, refused, or nobody can know."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from shared.contract.event import RequestEvent
from shared.contract.ids import MessageId
from shared.contract.vocabulary import MessageKind, Recipient

STREAM = "notify.messages"


class MessageSent(RequestEvent):
    """The mail server took the message."""

    type: ClassVar[str] = "attune.notify.message-sent.v1"
    stream: ClassVar[str] = STREAM

    message_id: MessageId
    kind: MessageKind
    recipient: Recipient
    cause_id: UUID
    """The event that the message tells about."""

    attempts: int


class FailureReason(StrEnum):
    """Why a message did not go out."""

    REFUSED = "refused"
    GAVE_UP = "gave_up"
    NO_LONGER_WANTED = "no_longer_wanted"
    ERASED = "erased"


class MessageFailed(RequestEvent):
    """The message was not delivered and will not be tried again by itself; staff find another way."""

    type: ClassVar[str] = "attune.notify.message-failed.v1"
    stream: ClassVar[str] = STREAM

    message_id: MessageId
    kind: MessageKind
    recipient: Recipient
    cause_id: UUID
    attempts: int
    reason: FailureReason
    smtp_code: int | None = None


class MessageUncertain(RequestEvent):
    """The line was cut after the whole message was handed over; a person finds out whether it arrived."""

    type: ClassVar[str] = "attune.notify.message-uncertain.v1"
    stream: ClassVar[str] = STREAM

    message_id: MessageId
    kind: MessageKind
    recipient: Recipient
    cause_id: UUID
    attempts: int
