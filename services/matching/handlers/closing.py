"""Ends requests, and gives back what they hold."""

from services.matching import store
from services.matching.handlers.skipping import skipping
from shared.contract.ids import RequestId
from shared.kit.database import Database
from shared.kit.errors import KeyDestroyed
from shared.kit.transaction import Transaction

AT_ONCE = 500
ERASED = "erased"


async def close(request: store.Request, tx: Transaction, because: str) -> bool:
    """Ends a locked request and gives its seat or place back; False if it has ended before.

    Of who was erased it keeps no more than that it has ended.
    """
    if request.state is store.State.CLOSED:
        return False
    await store.close_request(tx, request.id, because)
    await store.give_back(tx, request.id, because)
    if because == ERASED:
        await store.forget_person(tx, request.id)
    await store.want_reoffer(tx, "a request was closed")
    return True


async def close_erased(database: Database) -> int:
    """Ends the requests of those who were erased while they had a seat or a place; returns how many."""
    closed = 0
    last: RequestId | None = None
    while True:
        async with database.transaction() as tx:
            seated = await store.seated_after(tx, last, AT_ONCE)
            opened = await tx.open_all([details for _, details in seated])
        for (request_id, _), details in zip(seated, opened, strict=True):
            if isinstance(details, KeyDestroyed):
                closed += await _close_erased(database, request_id)
        if len(seated) < AT_ONCE:
            return closed
        last, _ = seated[-1]


async def _close_erased(database: Database, request_id: RequestId) -> bool:
    with skipping("the request of an erased person was passed over", request_id=request_id):
        async with database.transaction() as tx:
            # In a transaction of its own: the request is locked before its therapist is.
            await store.wait_briefly(tx)
            request = await store.lock_request(tx, request_id)
            return request is not None and await close(request, tx, ERASED)
    return False
