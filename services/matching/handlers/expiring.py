"""Counts who drops out of the directory, so that somebody asks them before they are missed."""

import asyncio
from collections import Counter
from itertools import product

from prometheus_client import CollectorRegistry, Gauge

from services.matching import store
from services.matching.handlers.skipping import trying_again
from services.matching.store import What
from shared.ages import day_in_london
from shared.kit.database import Database
from shared.kit.service import Service, Worker

EVERY_SECONDS = 600.0


class Expiring:
    """How many of what has run out or soon will, in the service's registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.number = Gauge(
            "attune_directory_expiring",
            "What keeps entries from being proposed because it has run out, "
            f"or will within {store.SOON.days} days",
            ["what", "when"],
            registry=registry,
        )


def expiring_worker(fresh_days: int) -> Worker:
    """A worker that counts for as long as the service runs."""

    async def count_expiring(service: Service) -> None:
        expiring = Expiring(service.metrics)
        while True:
            with trying_again("who drops out of the directory was not counted, will try again"):
                await count(service.database, expiring, fresh_days)
            await asyncio.sleep(EVERY_SECONDS)

    return count_expiring


async def count(database: Database, expiring: Expiring, fresh_days: int) -> None:
    """Counts anew."""
    async with database.transaction() as tx:
        today = day_in_london(tx.now)
        found = await store.expiring(tx, today + store.SOON, fresh_days)
    numbers = Counter((each.what, "over" if each.is_over(today) else "soon") for each in found)
    for what, when in product(What, ("over", "soon")):
        expiring.number.labels(what, when).set(numbers[what, when])
