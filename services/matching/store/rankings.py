"""The record: every ranking with all that it depended on, so that it can be made again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from uuid import UUID

import asyncpg

from services.matching.domain.gates import Search
from services.matching.domain.ranking import Rules
from services.matching.store.group_sights import GroupSight, seal_group_sight
from services.matching.store.history import Sight
from services.matching.store.prices import rank_by_prices
from shared.contract.ids import ProposalId, RequestId, SubjectId, TherapistId
from shared.contract.matching import NothingFound, Shortlist
from shared.contract.sealing import Purpose
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Ranking:
    """One ranking as it is kept; what is sealed cannot be opened once its person was erased."""

    id: int
    request_id: RequestId
    subject_id: SubjectId | None
    details: bytes | None
    submitted_at: datetime
    proposal_id: ProposalId | None
    first: TherapistId | None
    """Whom the proposal named first."""

    ranked_at: datetime
    on: date
    policy_version: str
    policy: str
    """The digest of its rules."""

    excluded: frozenset[TherapistId]
    spoken_for: Mapping[TherapistId, int]
    sight: Sight
    groups: bytes | None
    """What had been seen of groups, sealed; None if it did not matter, or was not kept yet."""

    answer: bytes
    """The digest of the answer, sealed."""


def digest_of(answer: Shortlist | NothingFound) -> bytes:
    """Tells whether two answers are the same, byte for byte."""
    return sha256(answer.model_dump_json().encode()).digest()


async def add_ranking(
    tx: Transaction,
    *,
    request_id: RequestId,
    subject_id: SubjectId,
    proposal_id: ProposalId | None,
    search: Search,
    sight: Sight,
    groups: GroupSight | None,
    answer: Shortlist | NothingFound,
    rules: Rules,
) -> None:
    """Keeps a ranking."""
    await _keep_policy(tx, rules)
    ranking_id = await tx.fetchval(
        """
        INSERT INTO rankings (request_id, proposal_id, ranked_at, on_day, policy_version, policy, excluded,
                              spoken_for, era, snapshot, own, own_to, groups, answer)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::pg_snapshot, $11::text::xid8, $12, $13, $14)
        RETURNING id
        """,
        request_id,
        proposal_id,
        tx.now,
        search.on,
        rules.policy.version,
        rules.digest,
        sorted(search.excluded),
        json.dumps({str(each): seats for each, seats in search.spoken_for.items()}),
        sight.era,
        sight.snapshot,
        sight.own,
        sight.own_to,
        None if groups is None else await seal_group_sight(tx, subject_id, groups),
        await tx.seal(subject_id, Purpose.CLINICAL, digest_of(answer)),
    )
    if sight.prices is not None:
        await rank_by_prices(tx, ranking_id, sight.prices)


async def _keep_policy(tx: Transaction, rules: Rules) -> None:
    if await tx.fetchval("SELECT 1 FROM policies WHERE digest = $1", rules.digest) is None:
        await keep_policy(tx, rules)


async def keep_policy(tx: Transaction, rules: Rules) -> None:
    """Keeps a policy and its places word for word, from their first use on."""
    await tx.execute(
        """
        INSERT INTO policies (digest, version, file, places, first_used_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (digest) DO NOTHING
        """,
        rules.digest,
        rules.policy.version,
        rules.file,
        rules.places.file,
        tx.now,
    )


async def ranked_without_success_on(tx: Transaction, request_id: RequestId, day: date) -> bool:
    """Whether a ranking of that day is kept that found nobody for this request."""
    kept = await tx.fetchval(
        "SELECT 1 FROM rankings WHERE request_id = $1 AND on_day = $2 AND proposal_id IS NULL LIMIT 1",
        request_id,
        day,
    )
    return kept is not None


SELECT = """
    SELECT k.id, k.request_id, r.subject_id, r.details, r.submitted_at, k.proposal_id,
           p.first_therapist_id, k.ranked_at, k.on_day, k.policy_version, k.policy, k.excluded, k.spoken_for,
           k.snapshot::text AS snapshot, k.own::text AS own, k.own_to, k.era, k.groups, k.answer,
           b.price_version
    FROM rankings k
    JOIN requests r ON r.id = k.request_id
    LEFT JOIN proposals p ON p.id = k.proposal_id
    LEFT JOIN ranked_by_prices b ON b.ranking_id = k.id
"""


async def rankings_between(
    tx: Transaction, since: datetime, until: datetime, after: int, most: int
) -> list[Ranking]:
    """Rankings from one moment to before another, in the order in which they were made."""
    rows = await tx.fetch(
        f"{SELECT} WHERE k.ranked_at >= $1 AND k.ranked_at < $2 AND k.id > $3 ORDER BY k.id LIMIT $4",
        since,
        until,
        after,
        most,
    )
    return [ranking_of(row) for row in rows]


async def policies_between(
    tx: Transaction, since: datetime, until: datetime
) -> tuple[int, dict[str, tuple[str, str, str]]]:
    """How many rankings there are; and version, policy and places of the rules they went by, by digest."""
    rows = await tx.fetch(
        """
        SELECT p.digest, p.version, p.file, p.places, count(*) AS rankings
        FROM rankings k JOIN policies p ON p.digest = k.policy
        WHERE k.ranked_at >= $1 AND k.ranked_at < $2 GROUP BY p.digest ORDER BY p.version, p.digest
        """,
        since,
        until,
    )
    return sum(row["rankings"] for row in rows), {
        row["digest"]: (row["version"], row["file"], row["places"]) for row in rows
    }


async def forget_rankings(tx: Transaction, before: datetime, most: int) -> int:
    """Forgets what is older; returns how many, at most so many."""
    status = await tx.execute(
        """
        DELETE FROM rankings WHERE id IN (
            SELECT id FROM rankings WHERE ranked_at < $1 ORDER BY ranked_at LIMIT $2
        )
        """,
        before,
        most,
    )
    return int(status.rpartition(" ")[2])


def ranking_of(row: asyncpg.Record) -> Ranking:
    """A ranking from a row of `SELECT`."""
    return Ranking(
        id=row["id"],
        request_id=RequestId(row["request_id"]),
        subject_id=None if row["subject_id"] is None else SubjectId(row["subject_id"]),
        details=row["details"],
        submitted_at=row["submitted_at"],
        proposal_id=None if row["proposal_id"] is None else ProposalId(row["proposal_id"]),
        first=None if row["first_therapist_id"] is None else TherapistId(row["first_therapist_id"]),
        ranked_at=row["ranked_at"],
        on=row["on_day"],
        policy_version=row["policy_version"],
        policy=row["policy"],
        excluded=frozenset(map(TherapistId, row["excluded"])),
        spoken_for={TherapistId(UUID(each)): seats for each, seats in json.loads(row["spoken_for"]).items()},
        sight=Sight(row["snapshot"], row["own"], row["own_to"], row["era"], row["price_version"]),
        groups=row["groups"],
        answer=row["answer"],
    )
