"""Who waits, what they were told, and what has changed that may help them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.matching.store.requests import Request
from services.matching.store.waits import begin_wait, end_wait
from shared.contract.ids import RequestId
from shared.contract.matching import Shortfall, WaitWeeks
from shared.contract.vocabulary import Mode
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Told:
    """What was last said to somebody who waits: for what, and how long others waited."""

    shortfall: Shortfall
    weeks: WaitWeeks | None


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
        """
        INSERT INTO waiting_list (request_id, submitted_at, since, shortfall) VALUES ($1, $2, $3, NULL)
        ON CONFLICT (request_id) DO UPDATE SET shortfall = NULL
        """,
        request.id,
        request.submitted_at,
        tx.now,
    )
    await want_reoffer(tx, "somebody is to be looked for while others wait")


async def others_wait(tx: Transaction, request_id: RequestId) -> bool:
    """Whether anybody else waits whom a pathway fits."""
    wait: bool = await tx.fetchval(
        "SELECT EXISTS (SELECT FROM waiting_list WHERE request_id <> $1 AND shortfall IS DISTINCT FROM $2)",
        request_id,
        Shortfall.NO_WAY_FITS.value,
    )
    return wait


async def list_comes_first(tx: Transaction, request_id: RequestId) -> bool:
    """Whether something has become free that has not been offered yet to others who wait for it."""
    wanted: bool = await tx.fetchval("SELECT EXISTS (SELECT FROM reoffers)")
    return wanted and await others_wait(tx, request_id)


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


async def owe_a_look(tx: Transaction, request_ids: Sequence[RequestId]) -> None:
    """Notes who could not be looked at: like who is back on the list, they are to hear what is found."""
    await tx.execute(
        "UPDATE waiting_list SET shortfall = NULL, since = $2 WHERE request_id = ANY($1)", request_ids, tx.now
    )


async def owed_a_look(tx: Transaction, since: datetime) -> list[RequestId]:
    """Who has been owed a look since then, the oldest request first."""
    rows = await tx.fetch(
        """
        SELECT request_id FROM waiting_list WHERE shortfall IS NULL AND since <= $1
        ORDER BY submitted_at, request_id
        """,
        since,
    )
    return [RequestId(row["request_id"]) for row in rows]


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
