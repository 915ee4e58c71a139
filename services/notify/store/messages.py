"""The messages, each with its fate."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from services.notify.domain.jobs import Answer, Status, Verdict
from shared.contract.envelope import Envelope
from shared.contract.ids import MessageId, RequestId, SubjectId
from shared.contract.notify import FailureReason
from shared.contract.vocabulary import MessageKind, Recipient
from shared.kit.transaction import Transaction

FINAL = frozenset({Status.SENT, Status.FAILED, Status.SUPPRESSED})


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `mail` is what was written, sealed, and gone once its fate is known."""

    id: MessageId
    request_id: RequestId
    subject_id: SubjectId
    cause: Envelope
    kind: MessageKind
    recipient: Recipient
    message_id: str
    mail: bytes | None
    status: Status
    attempts: int
    created_at: datetime
    tried_since: datetime
    next_attempt_at: datetime
    lease_until: datetime | None
    handing_over_at: datetime | None
    unwanted_at: datetime | None
    settled_at: datetime | None
    reason: FailureReason | None
    smtp_code: int | None
    phase: str | None


_COLUMNS = """
    messages.id, messages.request_id, messages.subject_id, messages.cause, messages.kind, messages.recipient,
    messages.message_id, messages.mail, messages.status, messages.attempts, messages.created_at,
    messages.tried_since, messages.next_attempt_at, messages.lease_until, messages.handing_over_at,
    messages.unwanted_at, messages.settled_at, messages.reason, messages.smtp_code, messages.phase
"""


async def add_message(tx: Transaction, message: Message) -> bool:
    """Adds a message; False if it is there already."""
    status = await tx.execute(
        """
        INSERT INTO messages (
            id, request_id, subject_id, cause_id, cause, kind, recipient, message_id, mail, status,
            created_at, tried_since, next_attempt_at, settled_at, reason
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        ON CONFLICT (id) DO NOTHING
        """,
        message.id,
        message.request_id,
        message.subject_id,
        message.cause.id,
        message.cause.model_dump_json(),
        message.kind.value,
        message.recipient.value,
        message.message_id,
        message.mail,
        message.status.value,
        message.created_at,
        message.tried_since,
        message.next_attempt_at,
        message.settled_at,
        message.reason.value if message.reason is not None else None,
    )
    return status == "INSERT 0 1"


async def messages_about(tx: Transaction, request_id: RequestId) -> list[Message]:
    """All messages about a request, in their order; locked until the transaction ends."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM messages WHERE request_id = $1 ORDER BY sequence FOR UPDATE",  # noqa: S608
        request_id,
    )
    return [_message(row) for row in rows]


async def mark_unwanted(tx: Transaction, message: Message) -> None:
    """Notes that a message under way is no longer true: it is not tried again."""
    await tx.execute(
        "UPDATE messages SET unwanted_at = coalesce(unwanted_at, $2) WHERE id = $1", message.id, tx.now
    )


async def claim_next(tx: Transaction, lease: timedelta) -> Message | None:
    """Takes the next message that is due; nobody else sends it while the lease lasts.

    A message waits for every earlier one to the same person about the same request.
    """
    row = await tx.fetchrow(
        f"""
        WITH next AS (
            SELECT due.id FROM messages AS due
            WHERE due.status = 'pending' AND due.next_attempt_at <= $1 AND NOT EXISTS (
                SELECT 1 FROM messages AS earlier
                WHERE earlier.request_id = due.request_id AND earlier.recipient = due.recipient
                    AND earlier.sequence < due.sequence AND earlier.status IN ('pending', 'sending')
            )
            ORDER BY due.next_attempt_at, due.sequence LIMIT 1 FOR UPDATE OF due SKIP LOCKED
        )
        UPDATE messages
        SET status = 'sending', attempts = attempts + 1, lease_until = $1::timestamptz + $2::interval,
            handing_over_at = NULL
        FROM next WHERE messages.id = next.id
        RETURNING {_COLUMNS}
        """,  # noqa: S608
        tx.now,
        lease,
    )
    return _message(row) if row is not None else None


async def mark_handing_over(tx: Transaction, message: Message, lease: timedelta) -> bool:
    """Notes that the final dot comes next; False if the message is another sender's by now."""
    status = await tx.execute(
        """
        UPDATE messages SET handing_over_at = $3, lease_until = $3::timestamptz + $4::interval
        WHERE id = $1 AND attempts = $2 AND status = 'sending' AND handing_over_at IS NULL
        """,
        message.id,
        message.attempts,
        tx.now,
        lease,
    )
    return status == "UPDATE 1"


async def renew_lease(tx: Transaction, message: Message, lease: timedelta) -> bool:
    """A sign of life of the sender; False if the message is no longer in its hands."""
    status = await tx.execute(
        """
        UPDATE messages SET lease_until = $3::timestamptz + $4::interval
        WHERE id = $1 AND attempts = $2 AND status = 'sending'
        """,
        message.id,
        message.attempts,
        tx.now,
        lease,
    )
    return status == "UPDATE 1"


async def claimed(tx: Transaction, message: Message) -> Message | None:
    """The message as it stands, if this attempt may still say what came of it; locked.

    An attempt that was taken for uncertain because its sender was silent may still learn its answer.
    """
    row = await tx.fetchrow(
        f"""
        SELECT {_COLUMNS} FROM messages
        WHERE id = $1 AND attempts = $2 AND status IN ('sending', 'uncertain') FOR UPDATE
        """,  # noqa: S608
        message.id,
        message.attempts,
    )
    return _message(row) if row is not None else None


async def settle(
    tx: Transaction, message: Message, verdict: Verdict, answer: Answer | None = None, *, anew: bool = False
) -> None:
    """Writes down what became of a message that this transaction has locked.

    `anew` begins its time again, when a person has it sent once more.
    """
    open_again = verdict.status is Status.PENDING
    await tx.execute(
        """
        UPDATE messages
        SET status = $2, lease_until = NULL, next_attempt_at = coalesce($3, next_attempt_at), smtp_code = $4,
            reason = $5, phase = $6,
            tried_since = CASE WHEN $7 THEN $8::timestamptz ELSE tried_since END,
            settled_at = CASE WHEN $9 THEN NULL ELSE $8::timestamptz END,
            handing_over_at = CASE WHEN $9 THEN NULL ELSE handing_over_at END,
            mail = CASE WHEN $10 THEN NULL ELSE mail END
        WHERE id = $1
        """,
        message.id,
        verdict.status.value,
        verdict.next_attempt_at,
        verdict.code,
        verdict.reason.value if verdict.reason is not None else None,
        answer.phase.value if answer is not None and verdict.status is not Status.SENT else None,
        anew,
        tx.now,
        open_again,
        verdict.status in FINAL,
    )


async def expired(tx: Transaction, limit: int = 50) -> list[Message]:
    """Messages whose sender has been silent for longer than its lease; locked."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM messages WHERE status = 'sending' AND lease_until < $1
        ORDER BY lease_until LIMIT $2 FOR UPDATE SKIP LOCKED
        """,  # noqa: S608
        tx.now,
        limit,
    )
    return [_message(row) for row in rows]


async def list_messages(tx: Transaction, status: Status | None, limit: int) -> list[Message]:
    """Messages, the newest first."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM messages WHERE $1::text IS NULL OR status = $1
        ORDER BY created_at DESC, sequence DESC LIMIT $2
        """,  # noqa: S608
        status.value if status is not None else None,
        limit,
    )
    return [_message(row) for row in rows]


async def find_message(tx: Transaction, message_id: UUID) -> Message | None:
    """One message, locked until the transaction ends."""
    row = await tx.fetchrow(f"SELECT {_COLUMNS} FROM messages WHERE id = $1 FOR UPDATE", message_id)  # noqa: S608
    return _message(row) if row is not None else None


async def count_waiting(tx: Transaction) -> dict[Status, int]:
    """How many messages are not settled, by status."""
    rows = await tx.fetch(
        """
        SELECT status, count(id) AS messages FROM messages
        WHERE status IN ('pending', 'sending', 'uncertain') GROUP BY status
        """
    )
    return {Status(row["status"]): row["messages"] for row in rows}


def _message(row: asyncpg.Record) -> Message:
    return Message(
        **{
            **row,
            "cause": Envelope.model_validate(json.loads(row["cause"])),
            "kind": MessageKind(row["kind"]),
            "recipient": Recipient(row["recipient"]),
            "status": Status(row["status"]),
            "reason": FailureReason(row["reason"]) if row["reason"] is not None else None,
        }
    )
