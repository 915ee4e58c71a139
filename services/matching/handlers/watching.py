"""Looks whether what may help who waits is offered to them, so that it is noticed where it is not."""

import asyncio
from datetime import timedelta

from prometheus_client import CollectorRegistry, Gauge

from services.matching import store
from services.matching.handlers.skipping import trying_again
from shared.kit import logs
from shared.kit.service import Service, Worker

EVERY_SECONDS = 10.0
OVERDUE = timedelta(minutes=5)
"""Long enough for two passes over a list of thousands, as what comes during one is for the next."""

PART = "waiting list"


class Oldest:
    """How long the oldest of it has not been offered, in the service's registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.age = Gauge(
            "attune_reoffers_oldest_seconds",
            "Age of the oldest change that has not been offered to who waits",
            registry=registry,
        )


def watching_worker() -> Worker:
    """A worker beside the one that offers, for that one may be the one that hangs."""

    async def watch_waiting_list(service: Service) -> None:
        oldest = Oldest(service.metrics)
        while True:
            with trying_again("waiting list not looked after, will try again"):
                await look(service, oldest)
            await asyncio.sleep(EVERY_SECONDS)

    return watch_waiting_list


async def look(service: Service, oldest: Oldest) -> None:
    """Measures, and notes with the service that the list is overdue, or no longer."""
    async with service.database.transaction() as tx:
        since = await store.reoffer_wanted_since(tx)
        age = timedelta(0) if since is None else tx.now - since
    oldest.age.set(age.total_seconds())
    if age < OVERDUE:
        service.troubles.pop(PART, None)
        return
    if PART not in service.troubles:
        logs.logger().error("the waiting list is not offered what has become free", since=str(since))
    service.troubles[PART] = f"has not been offered what became free for {age // timedelta(minutes=1)} min"
