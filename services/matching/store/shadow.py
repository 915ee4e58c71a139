"""Rankings made again under a policy that is tried beside the live one."""

from dataclasses import dataclass

from services.matching.store.rankings import SELECT, Ranking, ranking_of
from shared.kit.transaction import Transaction

# Since the shadow policy is tried; both policies count, so that a new live one begins anew. Nothing is open
# any more of what transactions before `$3` ranked, so that the whole record is gone through but once.
_OPEN = """
    k.own >= $3::text::xid8 AND k.policy = $1
    AND k.ranked_at >= (SELECT first_used_at FROM policies WHERE digest = $2)
    AND NOT EXISTS (SELECT FROM shadow_rankings s WHERE s.policy = $2 AND s.ranking_id = k.id)
"""


@dataclass(frozen=True, slots=True)
class Shadowed:
    """What became of one ranking; sealed, or why it could not be compared."""

    id: int
    comparison: bytes | None
    fault: str | None


async def lead_shadow(tx: Transaction) -> bool:
    """Whether this transaction may compare: one process at a time does."""
    led: bool = await tx.fetchval("SELECT pg_try_advisory_xact_lock(4276005)")
    return led


@dataclass(frozen=True, slots=True)
class Behind:
    """How many rankings are still to be compared, and the oldest transaction that may bring another."""

    rankings: int
    oldest: str


async def rankings_to_shadow(tx: Transaction, live: str, shadow: str, since: str, most: int) -> list[Ranking]:
    """Rankings under the live policy that were not made again under the other yet."""
    rows = await tx.fetch(f"{SELECT} WHERE {_OPEN} ORDER BY k.id LIMIT $4", live, shadow, since, most)
    return [ranking_of(row) for row in rows]


async def behind_of(tx: Transaction, live: str, shadow: str, since: str) -> Behind:
    """How many those are."""
    # In one statement: whatever it does not count is the work of that transaction or a younger one.
    row = await tx.fetchrow(
        f"SELECT count(*), pg_snapshot_xmin(pg_current_snapshot())::text FROM rankings k WHERE {_OPEN}",  # noqa: S608
        live,
        shadow,
        since,
    )
    assert row is not None  # noqa: S101 - a count is one row
    return Behind(*row)


async def add_shadow(
    tx: Transaction, shadow: str, ranking: Ranking, comparison: bytes | None, fault: str | None
) -> None:
    """Keeps what became of a ranking under the other policy."""
    await tx.execute(
        """
        INSERT INTO shadow_rankings (policy, ranking_id, compared_at, comparison, fault)
        VALUES ($1, $2, $3, $4, $5)
        """,
        shadow,
        ranking.id,
        tx.now,
        comparison,
        fault,
    )


async def shadowed(tx: Transaction, live: str, shadow: str, after: int, most: int) -> list[Shadowed]:
    """What was compared since, in order."""
    rows = await tx.fetch(
        """
        SELECT s.id, s.comparison, s.fault FROM shadow_rankings s JOIN rankings k ON k.id = s.ranking_id
        WHERE k.policy = $1 AND s.policy = $2 AND s.id > $3 ORDER BY s.id LIMIT $4
        """,
        live,
        shadow,
        after,
        most,
    )
    return [Shadowed(row["id"], row["comparison"], row["fault"]) for row in rows]
