"""Keeps requests with their consents, and the newest that was heard about each."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

import asyncpg

from services.intake.domain import Accepted, Fact, Heard, Progress, State, progress
from shared.contract.ids import RequestId, SubjectId
from shared.contract.intake import RequestSubmitted, RequestWithdrawn, WithdrawalReason
from shared.contract.matching import WaitWeeks
from shared.contract.sealing import Purpose
from shared.contract.vocabulary import Door
from shared.kit.api_keys import digest
from shared.kit.identifiers import new_id
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a request came in; `status_base` is the address that its status link begins with."""

    request_id: RequestId
    door: Door
    status_base: str
    partner: str | None = None
    idempotency_key: str | None = None


class Outcome(Enum):
    """What became of an arrival."""

    TAKEN = "taken"
    REPEATED = "repeated"
    """It was here before and says the same; nothing has changed."""

    CONTRADICTED = "contradicted"
    """Another request is already here under the same reference, event or form."""

    KEY_REUSED = "key_reused"
    """The idempotency key stands for another body."""


@dataclass(frozen=True, slots=True)
class View:
    """A request as its status is shown."""

    request_id: RequestId
    subject_id: SubjectId
    received_at: datetime
    progress: Progress
    note: bytes | None = None
    """Sealed: a question to the client, or where a declined client can turn."""

    wait_weeks: bytes | None = None
    """Sealed like any note, though it says nothing of the client: how long others waited."""

    @property
    def state(self) -> State:
        """Where it stands."""
        return progress(self.progress)


async def take_in(tx: Transaction, arrival: Arrival, accepted: Accepted) -> tuple[Outcome, RequestId]:
    """Keeps a request and says so, once; every door ends here."""
    if arrival.idempotency_key is not None:
        earlier = await _claim_key(tx, arrival, accepted)
        if earlier is not None:
            return earlier
    subject_id, token = SubjectId(new_id()), secrets.token_urlsafe(32)
    new = await tx.fetchval(
        """
        INSERT INTO requests
            (id, subject_id, door, partner, reference, fingerprint, status_token_hash, received_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (id) DO NOTHING
        RETURNING id
        """,
        arrival.request_id,
        subject_id,
        arrival.door,
        arrival.partner,
        accepted.reference if arrival.partner else None,
        accepted.fingerprint,
        digest(token),
        tx.now,
    )
    if new is None:
        known = await tx.fetchval("SELECT fingerprint FROM requests WHERE id = $1", arrival.request_id)
        same = known == accepted.fingerprint
        return (Outcome.REPEATED if same else Outcome.CONTRADICTED), arrival.request_id
    await tx.execute(
        """
        INSERT INTO consents (request_id, given_by, to_process, to_share, given_at, recorded_at)
        VALUES ($1, $2, true, true, $3, $4)
        """,
        arrival.request_id,
        accepted.requested_by,
        accepted.consented_at,
        tx.now,
    )
    await tx.publish(
        RequestSubmitted(
            request_id=arrival.request_id,
            subject_id=subject_id,
            door=arrival.door,
            partner=arrival.partner,
            consented_at=accepted.consented_at,
            contact=accepted.contact(f"{arrival.status_base}{token}"),
            details=accepted.details,
        )
    )
    return Outcome.TAKEN, arrival.request_id


async def _claim_key(
    tx: Transaction, arrival: Arrival, accepted: Accepted
) -> tuple[Outcome, RequestId] | None:
    # A second sender of the same key waits here until the first has committed or failed.
    claimed = await tx.fetchval(
        """
        INSERT INTO idempotency_keys (partner, key, request_id, fingerprint, used_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (partner, key) DO NOTHING
        RETURNING key
        """,
        arrival.partner,
        arrival.idempotency_key,
        arrival.request_id,
        accepted.fingerprint,
        tx.now,
    )
    if claimed is not None:
        return None
    earlier = await tx.fetchrow(
        "SELECT request_id, fingerprint FROM idempotency_keys WHERE partner = $1 AND key = $2",
        arrival.partner,
        arrival.idempotency_key,
    )
    assert earlier is not None  # noqa: S101 - keys are never deleted
    same = earlier["fingerprint"] == accepted.fingerprint
    return (Outcome.REPEATED if same else Outcome.KEY_REUSED), RequestId(earlier["request_id"])


async def withdraw(tx: Transaction, view: View, reason: WithdrawalReason) -> bool:
    """Ends a request and says so; False if it was withdrawn before."""
    withdrawn = await tx.fetchval(
        "UPDATE requests SET withdrawn_at = $2 WHERE id = $1 AND withdrawn_at IS NULL RETURNING id",
        view.request_id,
        tx.now,
    )
    if withdrawn is None:
        return False
    await tx.publish(RequestWithdrawn(request_id=view.request_id, reason=reason))
    return True


async def hear(
    tx: Transaction,
    request_id: RequestId,
    speaker: str,
    heard: Heard,
    note: tuple[SubjectId, Purpose, str] | None = None,
) -> bool:
    """Remembers the newest that a service has said; False if there is no such request."""
    known = await tx.fetchval("SELECT id FROM requests WHERE id = $1", request_id)
    if known is None:
        return False
    sealed = None if note is None else await tx.seal(note[0], note[1], note[2].encode())
    version = (tx.cause.aggregate_version if tx.cause is not None else None) or 0
    await tx.execute(
        """
        INSERT INTO news (request_id, speaker, version, fact, said_at, proposal_id, decision_id, note)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (request_id, speaker) DO UPDATE SET
            version = excluded.version, fact = excluded.fact, said_at = excluded.said_at,
            proposal_id = excluded.proposal_id, decision_id = excluded.decision_id, note = excluded.note
        WHERE news.version <= excluded.version
        """,
        request_id,
        speaker,
        version,
        heard.fact,
        heard.at,
        heard.proposal_id,
        heard.decision_id,
        sealed,
    )
    return True


async def find_by_token(tx: Transaction, token: str) -> View | None:
    """The request that a secret status link belongs to."""
    return await _view(
        tx,
        await tx.fetchrow(
            "SELECT id, subject_id, received_at, withdrawn_at FROM requests WHERE status_token_hash = $1",
            digest(token),
        ),
    )


async def find_for_partner(tx: Transaction, request_id: UUID, partner: str) -> View | None:
    """A request, for the partner that sent it and no other."""
    return await _view(
        tx,
        await tx.fetchrow(
            "SELECT id, subject_id, received_at, withdrawn_at FROM requests WHERE id = $1 AND partner = $2",
            request_id,
            partner,
        ),
    )


async def wait_told(tx: Transaction, view: View) -> WaitWeeks | None:
    """How long others waited, as who waits may be told; None where that is not known."""
    plain = None if view.wait_weeks is None else await tx.open(view.wait_weeks)
    return None if plain is None else WaitWeeks.model_validate_json(plain)


async def exists_from_web(tx: Transaction, request_id: UUID) -> bool:
    """Whether a request with this id came through the form."""
    return bool(
        await tx.fetchval("SELECT true FROM requests WHERE id = $1 AND door = $2", request_id, Door.WEB)
    )


async def _view(tx: Transaction, row: asyncpg.Record | None) -> View | None:
    if row is None:
        return None
    news = {
        each["speaker"]: each
        for each in await tx.fetch(
            """
            SELECT speaker, fact, said_at, proposal_id, decision_id, note FROM news WHERE request_id = $1
            """,
            row["id"],
        )
    }
    return View(
        request_id=RequestId(row["id"]),
        subject_id=SubjectId(row["subject_id"]),
        received_at=row["received_at"],
        progress=Progress(
            withdrawn=row["withdrawn_at"] is not None,
            matching=_heard(news.get("matching")),
            review=_heard(news.get("review")),
            mail=_heard(news.get("mail")),
        ),
        note=news["review"]["note"] if "review" in news else None,
        wait_weeks=news["matching"]["note"] if "matching" in news else None,
    )


def _heard(row: asyncpg.Record | None) -> Heard | None:
    if row is None:
        return None
    return Heard(Fact(row["fact"]), row["said_at"], row["proposal_id"], row["decision_id"])
