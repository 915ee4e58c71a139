"""Replays dead letters: the stored record takes the same way as a fresh one, inbox included."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from prometheus_client import CollectorRegistry

from shared.kit import dead_letters, inbox, logs
from shared.kit.consuming.reading import Faulty, read
from shared.kit.consuming.settling import Outcome, settle
from shared.kit.consuming.verdicts import Kind, Reason, judge
from shared.kit.database import Database
from shared.kit.dead_letters import DeadLetter
from shared.kit.handlers import Bound
from shared.kit.metrics import Metrics

TRIES = 3


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay came to: `outcome`, or the reason why the dead letter stays open."""

    id: UUID
    outcome: Outcome | None
    reason: str | None = None


async def replay(database: Database, handlers: Bound, ids: Sequence[UUID]) -> list[Replayed]:
    """Replays open dead letters in the order given; one that fails again stays, with its cycle counted.

    Later events of the same request were handled meanwhile: handlers look at the state, not at the order.
    """
    results = []
    for dead_letter_id in ids:
        letter = await dead_letters.find(database.pool, dead_letter_id)
        if letter is None or letter.status != "open":
            results.append(Replayed(dead_letter_id, None, "not_open"))
        else:
            results.append(await _replay(database, handlers, letter))
    return results


async def _replay(database: Database, handlers: Bound, letter: DeadLetter) -> Replayed:
    reason, error_class = str(Reason.REJECTED), None
    for attempt in range(1, TRIES + 1):
        try:
            result = await _once(database, handlers, letter)
        except Exception as error:  # judged like a failure while consuming
            verdict = judge(error)
            logs.logger().warning("a replay failed", dead_letter=str(letter.id), **logs.fault(error))
            if verdict.kind is Kind.FATAL:
                raise
            if verdict.kind is Kind.TRANSIENT and attempt < TRIES:
                await asyncio.sleep(attempt)
                continue
            reason = verdict.reason or _reason(verdict.kind)
            error_class = type(error).__qualname__ if verdict.kind is Kind.BUG else None
            break
        if result.reason is None:
            return result
        reason = result.reason
        break
    await _count(database, letter, reason, error_class)
    return Replayed(letter.id, None, reason)


async def _once(database: Database, handlers: Bound, letter: DeadLetter) -> Replayed:
    reading = await read(letter.record, handlers, database.keys)
    if isinstance(reading, Faulty):
        return Replayed(letter.id, None, reading.reason)
    async with database.transaction(step="replay") as tx:
        # Settling first locks the row: of two replays at once, the second finds nothing open.
        if not await dead_letters.settled(tx, [letter.id], "replayed"):
            return Replayed(letter.id, None, "not_open")
        if letter.event_id is not None:
            await inbox.forget_parked(tx, letter.consumer, letter.event_id)
        outcome = await settle(reading, tx, letter.consumer, Metrics(CollectorRegistry()))
        await tx.execute("UPDATE dead_letters SET cycle = cycle + 1 WHERE id = $1", letter.id)
    return Replayed(letter.id, outcome)


async def _count(database: Database, letter: DeadLetter, reason: str, error_class: str | None) -> None:
    async with database.transaction(step="replay") as tx:
        await tx.execute(
            """
            UPDATE dead_letters SET cycle = cycle + 1, reason = $2, error_class = $3
            WHERE id = $1 AND status = 'open'
            """,
            letter.id,
            reason,
            error_class,
        )


def _reason(kind: Kind) -> str:
    reasons = {Kind.NOT_YET: Reason.NOT_YET, Kind.BUG: Reason.HANDLER_FAILED, Kind.TRANSIENT: "not_available"}
    return str(reasons.get(kind, Reason.REJECTED))
