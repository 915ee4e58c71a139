"""A process that does one of matching's background works and nothing else, to be frozen."""

import asyncio
import sys
from datetime import UTC, datetime, time

from services.matching.handlers import pricing_worker, waiting_list_worker
from services.matching.settings import Settings
from shared.kit import logs
from shared.kit.clock import MovableClock
from shared.kit.settings import load
from shared.kit.testing import service_database
from tests.matching.builders import THE_DAY
from tests.matching.processes import Process, a_service

WORKERS = {"waiting list": waiting_list_worker, "prices": pricing_worker}
EVERY_SECONDS = 0.2


async def main(which: str) -> None:
    """Works until it is killed."""
    settings = load(Settings)
    logs.configure("matching")
    clock = MovableClock(datetime.combine(THE_DAY, time(9), UTC))
    async with service_database("matching", settings, clock) as database:
        work = WORKERS[which](Process(database).matcher, EVERY_SECONDS)
        await work(a_service(database, settings))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
