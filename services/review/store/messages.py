"""What became of the mails about a case; the latest word on each."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.contract.ids import MessageId, RequestId, StaffId
from shared.contract.notify import FailureReason, MessageFailed, MessageSent, MessageUncertain
from shared.contract.vocabulary import MessageKind, Recipient
from shared.kit.transaction import Transaction

NO_TROUBLE = frozenset({FailureReason.NO_LONGER_WANTED, FailureReason.ERASED})
"""Mails that did not go out because they should not."""


class MailState(StrEnum):
    """What is known of a mail."""

    SENT = "sent"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, as far as is known."""

    id: MessageId
    kind: MessageKind
    recipient: Recipient
    state: MailState
    attempts: int
    reason: FailureReason | None
    smtp_code: int | None
    at: datetime
    settled_at: datetime | None
    settled_by: str | None

    @property
    def is_trouble(self) -> bool:
        """Whether somebody has to find another way to tell the person."""
        return self.state is not MailState.SENT and self.settled_at is None and self.reason not in NO_TROUBLE


async def note(
    tx: Transaction, event: MessageSent | MessageFailed | MessageUncertain, heard: int, at: datetime
) -> None:
    """Keeps what became of a mail, unless something later is known."""
    failed = event if isinstance(event, MessageFailed) else None
    await tx.execute(
        """
        INSERT INTO messages
            (message_id, request_id, kind, recipient, state, heard, attempts, reason, smtp_code, at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (message_id) DO UPDATE SET
            state = excluded.state, heard = excluded.heard, attempts = excluded.attempts,
            reason = excluded.reason, smtp_code = excluded.smtp_code, at = excluded.at,
            -- What was settled was the attempt before: this one is in trouble of its own.
            settled_at = NULL, settled_by = NULL
        WHERE messages.heard < excluded.heard
        """,
        event.message_id,
        event.request_id,
        event.kind.value,
        event.recipient.value,
        _STATES[type(event)].value,
        heard,
        event.attempts,
        failed.reason.value if failed else None,
        failed.smtp_code if failed else None,
        at,
    )


async def mails_of(tx: Transaction, request_id: RequestId) -> list[Mail]:
    """The mails about a case, oldest first."""
    rows = await tx.fetch(
        """
        SELECT message_id, kind, recipient, state, attempts, reason, smtp_code, at, settled_at,
               staff.name AS settled_by
        FROM messages LEFT JOIN staff ON staff.id = messages.settled_by
        WHERE request_id = $1 ORDER BY at, message_id
        """,
        request_id,
    )
    return [
        Mail(
            id=MessageId(row["message_id"]),
            kind=MessageKind(row["kind"]),
            recipient=Recipient(row["recipient"]),
            state=MailState(row["state"]),
            attempts=row["attempts"],
            reason=FailureReason(row["reason"]) if row["reason"] is not None else None,
            smtp_code=row["smtp_code"],
            at=row["at"],
            settled_at=row["settled_at"],
            settled_by=row["settled_by"],
        )
        for row in rows
    ]


async def settle(tx: Transaction, request_id: RequestId, message_id: UUID, by: StaffId) -> bool:
    """Notes that somebody has dealt with a mail in trouble; False if none of that id is in trouble."""
    status = await tx.execute(
        """
        UPDATE messages SET settled_at = $3, settled_by = $4
        WHERE message_id = $1 AND request_id = $2 AND state <> 'sent' AND settled_at IS NULL
        """,
        message_id,
        request_id,
        tx.now,
        by,
    )
    return status == "UPDATE 1"


_STATES = {
    MessageSent: MailState.SENT,
    MessageFailed: MailState.FAILED,
    MessageUncertain: MailState.UNCERTAIN,
}
