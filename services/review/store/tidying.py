"""Tidies up: forgets what ended long ago, and closes the cases of those who were erased."""

import asyncio

from services.review.domain.case import withdrawn
from services.review.store import audit, cases, sessions
from services.review.store.queue import OPEN_STATES
from shared.contract.ids import RequestId
from shared.kit.database import Database
from shared.kit.errors import KeyDestroyed
from shared.kit.service import Service
from shared.kit.transaction import Transaction

EVERY_SECONDS = 3600
AT_ONCE = 500


async def tidy_up(service: Service) -> None:
    """Runs beside the doors."""
    while True:
        async with service.database.transaction() as tx:
            await sessions.tidy(tx)
        await close_erased(service.database)
        await asyncio.sleep(EVERY_SECONDS)


async def close_erased(database: Database) -> int:
    """Takes from the queue whoever nothing can be decided about any more; returns how many."""
    closed, last = 0, None
    while True:
        async with database.transaction() as tx:
            found = await _in_queue(tx, last)
            opened = await tx.open_all([details for _, details in found])
        for (request_id, _), details in zip(found, opened, strict=True):
            if isinstance(details, KeyDestroyed):
                async with database.transaction() as tx:
                    closed += await _close(tx, request_id)
        if len(found) < AT_ONCE:
            return closed
        last, _ = found[-1]


async def _in_queue(tx: Transaction, last: RequestId | None) -> list[tuple[RequestId, bytes]]:
    rows = await tx.fetch(
        """
        SELECT request_id, details FROM cases
        WHERE (state = ANY ($1::text[]) OR therapist_gone_at IS NOT NULL OR doubted_at IS NOT NULL)
            AND ($2::uuid IS NULL OR request_id > $2)
        ORDER BY request_id LIMIT $3
        """,
        sorted(each.value for each in OPEN_STATES),
        last,
        AT_ONCE,
    )
    return [(RequestId(row["request_id"]), row["details"]) for row in rows]


async def _close(tx: Transaction, request_id: RequestId) -> bool:
    before = await cases.find_case(tx, request_id, lock=True)
    after = withdrawn(before) if before is not None else None
    if before is None or after is None:
        return False
    await cases.save(tx, before, after)
    await audit.note(tx, "operator", "erased", after)
    return True
