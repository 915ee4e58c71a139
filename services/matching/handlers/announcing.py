"""Tells others what has become of the directory, at set times: at once would tell whose seat it was."""

import asyncio
from itertools import islice

from services.matching import store
from services.matching.domain.directory_feed import news, public_entry, telling_began
from services.matching.handlers.skipping import trying_again
from shared.kit import logs
from shared.kit.database import Database
from shared.kit.service import Service, Worker
from shared.kit.transaction import Transaction

TURN = "directory"
EVERY_SECONDS = 10.0
AT_ONCE = 200
"""So many entries are compared before others have their turn with the loop."""


def announcing_worker(hours: int) -> Worker:
    """A worker that looks whether others are due to be told, for as long as the service runs."""

    async def announce(service: Service) -> None:
        while True:
            with trying_again("others not told of the directory, will try again"):
                if told := await tell_others(service.database, hours):
                    logs.logger().info("others told of the directory", told=told)
            await asyncio.sleep(EVERY_SECONDS)

    return announce


async def tell_others(database: Database, hours: int) -> int:
    """Says all that has changed, if it is time, and before that who has gone; returns of how many entries.

    Whoever has gone may have been struck off, and their going tells nothing of a client.
    """
    async with database.turn(TURN) as turn:
        if turn is None:
            return 0
        async with turn.transaction() as tx:
            due, told = await store.telling_due(tx, telling_began(tx.now, hours)), 0
            # In the order of ids, so that not even the order tells what came first.
            waiting = iter(await (store.untold(tx) if due else store.gone_untold(tx)))
            while some := list(islice(waiting, AT_ONCE)):
                told += await _tell(tx, some)
            if due:
                await store.note_telling(tx)
            return told


async def _tell(tx: Transaction, some: list[store.Untold]) -> int:
    ids = [each.id for each in some]
    known = await store.entries_told(tx, ids)
    there = await store.find_therapists(tx, ids)
    now = [(each, public_entry(there[each.id]) if each.id in there else None) for each in some]
    said = [news(each.id, known.get(each.id), entry) for each, entry in now]
    await store.note_told(tx, now)
    return len(await tx.publish_all([event for event in said if event is not None]))
