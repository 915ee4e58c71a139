"""Notify's tables: whom to write to, and the messages with their fate."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from services.notify.domain.jobs import Status, Verdict
from shared.contract.ids import MessageId, RequestId, SubjectId
from shared.contract.vocabulary import MessageKind, Recipient
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Correspondent:
    """Whom to write to about a request; contacts are sealed."""

    request_id: RequestId
    subject_id: SubjectId
    contact: bytes
    therapist: bytes | None
    waiting_told: bool
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `letter` is the sealed mail with its envelope, gone once its fate is known."""

    id: MessageId
    request_id: RequestId
    subject_id: SubjectId
    cause_id: UUID
    kind: MessageKind
    recipient: Recipient
    status: Status
    attempts: int
    created_at: datetime
    settled_at: datetime | None
    handing_over_at: datetime | None
    smtp_code: int | None
    letter: bytes | None


_COLUMNS = """
    id, request_id, subject_id, cause_id, kind, recipient, status, attempts, created_at, settled_at,
    handing_over_at, smtp_code, letter
"""


async def add_correspondent(
    tx: Transaction, request_id: RequestId, subject_id: SubjectId, contact: bytes
) -> None:
    """Keeps whom to write to."""
    await tx.execute(
        """
        INSERT INTO correspondents (request_id, subject_id, contact) VALUES ($1, $2, $3)
        ON CONFLICT (request_id) DO NOTHING
        """,
        request_id,
        subject_id,
        contact,
    )


async def find_correspondent(tx: Transaction, request_id: RequestId) -> Correspondent | None:
    """Whom to write to about a request; locked until the transaction ends."""
    row = await tx.fetchrow(
        """
        SELECT request_id, subject_id, contact, therapist, waiting_told, withdrawn
        FROM correspondents WHERE request_id = $1 FOR UPDATE
        """,
        request_id,
    )
    return Correspondent(**row) if row is not None else None


async def set_therapist(tx: Transaction, request_id: RequestId, therapist: bytes) -> None:
    """Keeps the therapist who was written to; a match ends the waiting."""
    await tx.execute(
        "UPDATE correspondents SET therapist = $2, waiting_told = false WHERE request_id = $1",
        request_id,
        therapist,
    )


async def set_waiting_told(tx: Transaction, request_id: RequestId, told: bool) -> None:
    """Remembers whether the client knows that they are waiting."""
    await tx.execute("UPDATE correspondents SET waiting_told = $2 WHERE request_id = $1", request_id, told)


async def set_withdrawn(tx: Transaction, request_id: RequestId) -> None:
    """From now on only the withdrawal itself is written about."""
    await tx.execute("UPDATE correspondents SET withdrawn = true WHERE request_id = $1", request_id)


async def add_message(
    tx: Transaction, who: Correspondent, message_id: MessageId, kind: MessageKind, *, recipient: Recipient,
    cause_id: UUID, letter: bytes,
) -> None:  # fmt: skip
    """Adds a message to be sent; the same one twice is one."""
    await tx.execute(
        """
        INSERT INTO messages (
            id, request_id, subject_id, cause_id, kind, recipient, letter, created_at, next_attempt_at
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        ON CONFLICT (id) DO NOTHING
        """,
        message_id,
        who.request_id,
        who.subject_id,
        cause_id,
        kind.value,
        recipient.value,
        letter,
        tx.now,
    )


async def messages_about(tx: Transaction, request_id: RequestId) -> list[Message]:
    """All messages about a request, the oldest first; locked until the transaction ends."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM messages WHERE request_id = $1 ORDER BY created_at, id FOR UPDATE",  # noqa: S608
        request_id,
    )
    return [_message(row) for row in rows]


async def claim_next(tx: Transaction, lease: timedelta) -> Message | None:
    """Takes the next message that is due; nobody else sends it while the lease lasts."""
    row = await tx.fetchrow(
        f"""
        UPDATE messages
        SET status = 'sending', attempts = attempts + 1, lease_until = $1::timestamptz + $2::interval,
            handing_over_at = NULL
        WHERE id = (
            SELECT id FROM messages WHERE status = 'pending' AND next_attempt_at <= $1
            ORDER BY next_attempt_at, created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
        )
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


async def settle(tx: Transaction, message: Message, verdict: Verdict) -> bool:
    """Writes down what an attempt came to; False if that was settled otherwise meanwhile.

    An attempt that was taken for uncertain, because its sender was silent, may still learn its answer.
    """
    final = verdict.status not in {Status.PENDING, Status.UNCERTAIN}
    status = await tx.execute(
        """
        UPDATE messages
        SET status = $3, lease_until = NULL, next_attempt_at = coalesce($4, next_attempt_at), smtp_code = $5,
            settled_at = CASE WHEN $3 = 'pending' THEN NULL ELSE $6::timestamptz END,
            handing_over_at = CASE WHEN $3 = 'pending' THEN NULL ELSE handing_over_at END,
            letter = CASE WHEN $7 THEN NULL ELSE letter END
        WHERE id = $1 AND attempts = $2 AND status IN ('sending', 'uncertain', 'pending')
        """,
        message.id,
        message.attempts,
        verdict.status.value,
        verdict.next_attempt_at,
        verdict.code,
        tx.now,
        final,
    )
    return status == "UPDATE 1"


async def expired(tx: Transaction, limit: int = 50) -> list[Message]:
    """Messages whose sender has been silent for longer than its lease."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM messages WHERE status = 'sending' AND lease_until < $1
        ORDER BY lease_until LIMIT $2 FOR UPDATE SKIP LOCKED
        """,  # noqa: S608
        tx.now,
        limit,
    )
    return [_message(row) for row in rows]


async def list_messages(tx: Transaction, status: Status | None, limit: int) -> Sequence[Message]:
    """Messages, the newest first, without what they say."""
    rows = await tx.fetch(
        f"""
        SELECT {_COLUMNS} FROM messages WHERE $1::text IS NULL OR status = $1
        ORDER BY created_at DESC, id LIMIT $2
        """,  # noqa: S608
        status.value if status is not None else None,
        limit,
    )
    return [_message(row) for row in rows]


async def find_message(tx: Transaction, message_id: UUID) -> Message | None:
    """One message, locked until the transaction ends."""
    row = await tx.fetchrow(f"SELECT {_COLUMNS} FROM messages WHERE id = $1 FOR UPDATE", message_id)  # noqa: S608
    return _message(row) if row is not None else None


def _message(row: asyncpg.Record) -> Message:
    return Message(
        **{
            **row,
            "kind": MessageKind(row["kind"]),
            "recipient": Recipient(row["recipient"]),
            "status": Status(row["status"]),
        }
    )
