"""Prices: numbered versions, and the recent requests that they are worked out from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from services.matching.store.requests import Request, request_of
from shared.contract.ids import TherapistId
from shared.kit.transaction import Transaction

KEPT_FOR = timedelta(hours=1)
"""After a newer one has come; longer than anybody who ranked by the old one takes to say so."""


@dataclass(frozen=True, slots=True)
class Prices:
    """A version of all prices, in points."""

    version: int
    points: Mapping[TherapistId, int]


async def newest_price_version(tx: Transaction) -> int | None:
    """The number of the prices to rank by; None before there are any."""
    version: int | None = await tx.fetchval("SELECT max(version) FROM prices")
    return version


async def newest_prices(tx: Transaction) -> Prices | None:
    """The prices to rank by; None before there are any."""
    row = await tx.fetchrow("SELECT version, therapist_ids, points FROM prices ORDER BY version DESC LIMIT 1")
    if row is None:
        return None
    return Prices(row["version"], _points(row))


async def add_prices(tx: Transaction, policy_version: str, points: Mapping[TherapistId, int]) -> int:
    """Makes these the prices to rank by, under the next number; clears away what no ranking kept went by."""
    version: int = await tx.fetchval(
        """
        INSERT INTO prices (policy_version, computed_at, therapist_ids, points)
        VALUES ($1, $2, $3, $4) RETURNING version
        """,
        policy_version,
        tx.now,
        list(points),
        list(points.values()),
    )
    await _forget_prices(tx)
    return version


async def _forget_prices(tx: Transaction) -> None:
    await tx.execute(
        """
        DELETE FROM ranked_by_prices WHERE NOT EXISTS (SELECT FROM rankings WHERE id = ranking_id)
        """
    )
    await tx.execute(
        """
        DELETE FROM prices WHERE
            EXISTS (SELECT FROM prices newer WHERE newer.version > prices.version AND newer.computed_at < $1)
            AND NOT EXISTS (SELECT FROM ranked_by_prices WHERE price_version = prices.version)
        """,
        tx.now - KEPT_FOR,
    )


async def prices_of(tx: Transaction, version: int | None) -> dict[TherapistId, int]:
    """What everybody cost under a version; nobody anything before there was one."""
    row = await tx.fetchrow("SELECT therapist_ids, points FROM prices WHERE version = $1", version)
    return {} if row is None else _points(row)


async def rank_by_prices(tx: Transaction, ranking_id: int, version: int) -> None:
    """Notes which prices a ranking went by; they are kept for as long as it is."""
    await tx.execute(
        "INSERT INTO ranked_by_prices (ranking_id, price_version) VALUES ($1, $2)", ranking_id, version
    )


async def requests_since(tx: Transaction, since: datetime, most: int) -> list[Request]:
    """The newest requests that came since then and were not erased, whatever became of them."""
    rows = await tx.fetch(
        """
        SELECT id, subject_id, details, state, submitted_at, proposal_id
        FROM requests WHERE details IS NOT NULL AND submitted_at >= $1
        ORDER BY submitted_at DESC, id LIMIT $2
        """,
        since,
        most,
    )
    return [request_of(row) for row in rows]


async def requests_counted_since(tx: Transaction, since: datetime) -> tuple[int, datetime | None]:
    """How many requests came since then, and when the first of them did."""
    row = await tx.fetchrow(
        """
        SELECT count(*) AS came, min(submitted_at) AS first
        FROM requests WHERE details IS NOT NULL AND submitted_at >= $1
        """,
        since,
    )
    return (0, None) if row is None else (row["came"], row["first"])


def _points(row: asyncpg.Record) -> dict[TherapistId, int]:
    return dict(zip(map(TherapistId, row["therapist_ids"]), row["points"], strict=True))
