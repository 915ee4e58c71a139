"""Requests that look for a therapist, and what was proposed to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import asyncpg

from services.matching.store.waits import end_wait
from shared.contract.ids import DecisionId, ProposalId, RequestId, SubjectId, TherapistId
from shared.contract.vocabulary import Slot
from shared.kit.transaction import Transaction

MOMENT_SECONDS = 2


class State(StrEnum):
    """How far a request has come."""

    PROPOSED = "proposed"
    WAITING = "waiting"
    SEATED = "seated"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is kept; `details` are sealed, and gone once erased or where none were ever heard."""

    id: RequestId
    subject_id: SubjectId | None
    details: bytes | None
    state: State
    submitted_at: datetime
    proposal_id: ProposalId | None


async def add_request(
    tx: Transaction,
    request_id: RequestId,
    subject_id: SubjectId,
    details: bytes,
    submitted_at: datetime,
) -> bool:
    """Keeps a new request; False if it is known already, perhaps as withdrawn."""
    added = await tx.fetchval(
        """
        INSERT INTO requests (id, subject_id, details, state, submitted_at)
        VALUES ($1, $2, $3, 'waiting', $4) ON CONFLICT (id) DO NOTHING RETURNING id
        """,
        request_id,
        subject_id,
        details,
        submitted_at,
    )
    return added is not None


async def lock_request(tx: Transaction, request_id: UUID) -> Request | None:
    """A request, held by this transaction until it ends."""
    row = await tx.fetchrow(
        """
        SELECT id, subject_id, details, state, submitted_at, proposal_id
        FROM requests WHERE id = $1 FOR UPDATE
        """,
        request_id,
    )
    return None if row is None else request_of(row)


async def wait_briefly(tx: Transaction) -> None:
    """From here on this transaction waits for whoever holds something for a moment, and then fails."""
    await tx.execute(f"SET LOCAL lock_timeout = '{MOMENT_SECONDS}s'")


async def close_request(tx: Transaction, request_id: RequestId, because: str) -> None:
    """Ends a request; one that was never heard of is noted as ended, in case it is still to come."""
    await tx.execute(
        """
        INSERT INTO requests (id, state, submitted_at, closed_at, closed_because)
        VALUES ($1, 'closed', $2, $2, $3)
        ON CONFLICT (id) DO UPDATE
            SET state = 'closed', closed_at = excluded.closed_at, closed_because = excluded.closed_because,
                looks_for_group = false
        """,
        request_id,
        tx.now,
        because,
    )
    await tx.execute("DELETE FROM waiting_list WHERE request_id = $1", request_id)
    await end_wait(tx, request_id, found=False)


async def forget_person(tx: Transaction, request_id: RequestId) -> None:
    """Leaves of an ended request only what late events about it need."""
    await tx.execute("UPDATE requests SET subject_id = NULL, details = NULL WHERE id = $1", request_id)


async def add_proposal(
    tx: Transaction,
    *,
    request_id: RequestId,
    proposal_id: ProposalId,
    policy_version: str,
    shortlist: bytes,
    named: Sequence[TherapistId],
    group_slot: Slot | None = None,
) -> None:
    """Keeps a shortlist, sealed, with when the group it names first meets, as the request's current one."""
    await tx.execute(
        """
        INSERT INTO proposals (id, request_id, policy_version, shortlist, first_therapist_id, proposed_at,
                               group_slot, named)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        proposal_id,
        request_id,
        policy_version,
        shortlist,
        named[0],
        tx.now,
        group_slot,
        named,
    )
    await tx.execute(
        "UPDATE requests SET state = 'proposed', proposal_id = $2 WHERE id = $1", request_id, proposal_id
    )
    await tx.execute("DELETE FROM waiting_list WHERE request_id = $1", request_id)
    await end_wait(tx, request_id, found=True)


async def get_shortlist(tx: Transaction, proposal_id: ProposalId) -> bytes:
    """A proposal's shortlist, sealed."""
    shortlist: bytes = await tx.fetchval("SELECT shortlist FROM proposals WHERE id = $1", proposal_id)
    return shortlist


async def mark_seated(tx: Transaction, request_id: RequestId) -> None:
    """The request has its seat."""
    await tx.execute(
        "UPDATE requests SET state = 'seated', looks_for_group = false WHERE id = $1", request_id
    )


async def exclude(
    tx: Transaction, request_id: RequestId, therapist_ids: Sequence[TherapistId], decision_id: DecisionId
) -> None:
    """Never again proposes these therapists for this request."""
    await tx.executemany(
        """
        INSERT INTO exclusions (request_id, therapist_id, decision_id, excluded_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT (request_id, therapist_id) DO NOTHING
        """,
        [(request_id, therapist_id, decision_id, tx.now) for therapist_id in therapist_ids],
    )


async def excluded_from(tx: Transaction, request_id: RequestId) -> frozenset[TherapistId]:
    """Whom not to propose for this request."""
    rows = await tx.fetch("SELECT therapist_id FROM exclusions WHERE request_id = $1", request_id)
    return frozenset(TherapistId(row["therapist_id"]) for row in rows)


def request_of(row: asyncpg.Record) -> Request:
    """A request from its row."""
    return Request(
        id=RequestId(row["id"]),
        subject_id=None if row["subject_id"] is None else SubjectId(row["subject_id"]),
        details=row["details"],
        state=State(row["state"]),
        submitted_at=row["submitted_at"],
        proposal_id=None if row["proposal_id"] is None else ProposalId(row["proposal_id"]),
    )
