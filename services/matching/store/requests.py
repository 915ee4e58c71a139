"""Requests that look for a therapist, what was proposed to them, and who waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import asyncpg

from services.matching.domain.grouping import Gathering
from services.matching.store.waits import begin_wait, end_wait
from shared.contract.ids import DecisionId, ProposalId, RequestId, SubjectId, TherapistId
from shared.contract.matching import Shortfall, WaitWeeks
from shared.contract.vocabulary import Mode, RequesterRole
from shared.kit.transaction import Transaction


class State(StrEnum):
    """How far a request has come."""

    PROPOSED = "proposed"
    WAITING = "waiting"
    SEATED = "seated"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is kept; `details` are sealed, and gone where none were ever heard."""

    id: RequestId
    subject_id: SubjectId | None
    details: bytes | None
    state: State
    submitted_at: datetime
    proposal_id: ProposalId | None
    requester: RequesterRole | None


@dataclass(frozen=True, slots=True)
class Told:
    """What was last said to somebody who waits: for what, and how long others waited."""

    shortfall: Shortfall
    weeks: WaitWeeks | None


async def add_request(
    tx: Transaction,
    request_id: RequestId,
    subject_id: SubjectId,
    details: bytes,
    submitted_at: datetime,
    *,
    requester: RequesterRole | None = None,
) -> bool:
    """Keeps a new request; False if it is known already, perhaps as withdrawn."""
    added = await tx.fetchval(
        """
        INSERT INTO requests (id, subject_id, details, state, submitted_at, requester)
        VALUES ($1, $2, $3, 'waiting', $4, $5) ON CONFLICT (id) DO NOTHING RETURNING id
        """,
        request_id,
        subject_id,
        details,
        submitted_at,
        requester,
    )
    return added is not None


async def lock_request(tx: Transaction, request_id: UUID) -> Request | None:
    """A request, held by this transaction until it ends."""
    row = await tx.fetchrow(
        """
        SELECT id, subject_id, details, state, submitted_at, proposal_id, requester
        FROM requests WHERE id = $1 FOR UPDATE
        """,
        request_id,
    )
    return None if row is None else request_of(row)


async def close_request(tx: Transaction, request_id: RequestId, because: str) -> None:
    """Ends a request; one that was never heard of is noted as ended, in case it is still to come."""
    await tx.execute(
        """
        INSERT INTO requests (id, state, submitted_at, closed_at, closed_because)
        VALUES ($1, 'closed', $2, $2, $3)
        ON CONFLICT (id) DO UPDATE
            SET state = 'closed', closed_at = excluded.closed_at, closed_because = excluded.closed_because
        """,
        request_id,
        tx.now,
        because,
    )
    await tx.execute("DELETE FROM waiting_list WHERE request_id = $1", request_id)
    await end_wait(tx, request_id, found=False)


async def add_proposal(
    tx: Transaction,
    *,
    request_id: RequestId,
    proposal_id: ProposalId,
    policy_version: str,
    shortlist: bytes,
    named: Sequence[TherapistId],
    group: Gathering | None = None,
) -> None:
    """Keeps a shortlist, sealed, and the group it names first, and makes it the request's current one."""
    await tx.execute(
        """
        INSERT INTO proposals (id, request_id, policy_version, shortlist, first_therapist_id, proposed_at,
                               group_id, group_variant, group_slot, group_mode, group_language, named)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        proposal_id,
        request_id,
        policy_version,
        shortlist,
        named[0],
        tx.now,
        group and group.id,
        group and group.variant,
        group and group.slot,
        group and group.mode,
        group and group.language,
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
    await tx.execute("UPDATE requests SET state = 'seated' WHERE id = $1", request_id)


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


async def wait(tx: Transaction, request: Request, mode: Mode, told: Told) -> None:
    """Puts a request on the waiting list, at the place its submission gave it; or what it is told now."""
    await tx.execute("UPDATE requests SET state = 'waiting', proposal_id = NULL WHERE id = $1", request.id)
    since = await tx.fetchval(
        """
        INSERT INTO waiting_list (request_id, submitted_at, since, shortfall, told_least, told_most)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (request_id) DO UPDATE SET
            shortfall = excluded.shortfall, told_least = excluded.told_least, told_most = excluded.told_most,
            since = CASE WHEN waiting_list.shortfall = excluded.shortfall
                         THEN waiting_list.since ELSE excluded.since END
        RETURNING since
        """,
        request.id,
        request.submitted_at,
        tx.now,
        told.shortfall.value,
        told.weeks and told.weeks.least,
        told.weeks and told.weeks.most,
    )
    if told.shortfall is Shortfall.NO_WAY_FITS:
        await end_wait(tx, request.id, found=False)
    elif since == tx.now:
        # Never later: of who came on the list before waits were kept, only long waits would be known.
        await begin_wait(tx, request.id, mode)


async def queue(tx: Transaction, request: Request) -> None:
    """Puts a request on the waiting list without a word: the next pass over it finds somebody, or says so."""
    await tx.execute("UPDATE requests SET state = 'waiting', proposal_id = NULL WHERE id = $1", request.id)
    await tx.execute(
        "INSERT INTO waiting_list (request_id, submitted_at, since, shortfall) VALUES ($1, $2, $3, NULL)",
        request.id,
        request.submitted_at,
        tx.now,
    )
    await want_reoffer(tx, "somebody asks while others wait")


async def list_comes_first(tx: Transaction) -> bool:
    """Whether something has become free that has not been offered yet to those who wait for it."""
    comes: bool = await tx.fetchval(
        """
        SELECT EXISTS (SELECT FROM reoffers)
            AND EXISTS (SELECT FROM waiting_list WHERE shortfall IS DISTINCT FROM $1)
        """,
        Shortfall.NO_WAY_FITS.value,
    )
    return comes


async def told_of(tx: Transaction, request_id: RequestId) -> Told | None:
    """What was last said to who waits; None if nothing was since the request came on the list."""
    row = await tx.fetchrow(
        "SELECT shortfall, told_least, told_most FROM waiting_list WHERE request_id = $1", request_id
    )
    if row is None or row["shortfall"] is None:
        return None
    least, most = row["told_least"], row["told_most"]
    weeks = None if least is None else WaitWeeks(least=least, most=most)
    return Told(Shortfall(row["shortfall"]), weeks)


async def waiting_in_order(tx: Transaction) -> list[RequestId]:
    """Who waits, the oldest request first."""
    rows = await tx.fetch("SELECT request_id FROM waiting_list ORDER BY submitted_at, request_id")
    return [RequestId(row["request_id"]) for row in rows]


async def spoken_for(
    tx: Transaction, *, beside: RequestId | None = None, of_who_waited: bool = False
) -> dict[TherapistId, int]:
    """How many seats of each therapist open proposals name first; all who would open one group need one.

    `beside` one request leaves out its own, `of_who_waited` counts only what was offered to the waiting list.
    """
    rows = await tx.fetch(
        """
        SELECT p.first_therapist_id,
               count(*) FILTER (WHERE p.group_slot IS NULL)
               + count(DISTINCT p.group_slot) FILTER (WHERE p.group_slot IS NOT NULL AND NOT EXISTS (
                   SELECT FROM groups g WHERE g.therapist_id = p.first_therapist_id AND g.slot = p.group_slot
                       AND g.state <> 'dissolved')) AS proposals
        FROM proposals p
        WHERE p.open AND p.request_id IS DISTINCT FROM $1
            AND (NOT $2 OR EXISTS (SELECT FROM waits WHERE waits.request_id = p.request_id))
        GROUP BY p.first_therapist_id
        """,
        beside,
        of_who_waited,
    )
    return {TherapistId(row["first_therapist_id"]): row["proposals"] for row in rows}


async def want_reoffer(tx: Transaction, because: str) -> None:
    """Says that something changed which may help somebody who waits."""
    await tx.execute("INSERT INTO reoffers (because, wanted_at) VALUES ($1, $2)", because, tx.now)


async def reoffers_wanted(tx: Transaction) -> list[int]:
    """What changed since the last pass over the waiting list."""
    return [row["id"] for row in await tx.fetch("SELECT id FROM reoffers")]


async def reoffer_wanted_since(tx: Transaction) -> datetime | None:
    """Since when the oldest change waits for a pass; None if none does."""
    since: datetime | None = await tx.fetchval("SELECT min(wanted_at) FROM reoffers")
    return since


async def reoffers_done(tx: Transaction, seen: Sequence[int]) -> None:
    """A pass has taken these into account; others that came meanwhile stay for the next."""
    await tx.execute("DELETE FROM reoffers WHERE id = ANY($1)", seen)


def request_of(row: asyncpg.Record) -> Request:
    """A request from its row."""
    return Request(
        id=RequestId(row["id"]),
        subject_id=None if row["subject_id"] is None else SubjectId(row["subject_id"]),
        details=row["details"],
        state=State(row["state"]),
        submitted_at=row["submitted_at"],
        proposal_id=None if row["proposal_id"] is None else ProposalId(row["proposal_id"]),
        requester=None if row["requester"] is None else RequesterRole(row["requester"]),
    )
