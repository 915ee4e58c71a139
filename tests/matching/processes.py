"""A process that matches, without a broker: it hears what it is told and passes over the list when asked."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, settings
from prometheus_client import CollectorRegistry

from services.matching.handlers import (
    Matcher,
    dissolve_groups,
    doubt_leaders,
    end_courses,
    lapse_undecided,
    offer_to_waiting,
    renew_fallen,
)
from services.matching.settings import Settings
from shared.contract.event import Event, RequestEvent
from shared.kit.database import Database
from shared.kit.handlers import Provided
from shared.kit.keyring import Keyring
from shared.kit.service import Service
from tests.matching.builders import RULES
from tests.matching.recorded import a_matcher, handle, hear


def a_service(database: Database, settings: Settings) -> Service:
    """The service as its workers see it."""
    assert isinstance(database.keys, Keyring)
    return Service(
        name="matching",
        settings=settings,
        database=database,
        clock=database.clock,
        stopping=asyncio.Event(),
        metrics=CollectorRegistry(),
        keyring=database.keys,
        provided=Provided([]),
    )


async def emptied(database: Database) -> None:
    """A clinic to which nobody has come yet, for another example."""
    await database.pool.execute(
        "TRUNCATE therapists, groups, requests, therapist_history, reoffers, prices, outbox CASCADE"
    )


ANY_ORDER = settings(
    max_examples=25,
    deadline=None,
    # What two processes do at once is never done again alike, so there is nothing to gain from fewer steps.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""How often it is tried what two of them do at once."""


@dataclass(slots=True)
class Process:
    """A pool and an engine of its own."""

    database: Database
    said: list[Event] = field(default_factory=list)
    matcher: Matcher = field(default_factory=a_matcher)

    async def hear(self, event: Event) -> list[Event]:
        """What is said about requests because of an event."""
        said = await hear(self.database, self.matcher, event)
        self.said += said
        # What the directory says besides has tests of its own.
        return [each for each in said if isinstance(each, RequestEvent)]

    async def take(self, event: Event) -> None:
        """Hears an event and leaves in the outbox what is said of it, as a running process does."""
        async with self.database.transaction() as tx:
            await handle(event, tx, self.matcher)

    async def dissolve(self) -> int:
        return await dissolve_groups(self.database, self.matcher)

    async def doubt(self) -> int:
        return await doubt_leaders(self.database)

    async def end(self) -> int:
        return await end_courses(self.database)

    async def lapse(self) -> int:
        return await lapse_undecided(self.database, RULES.policy)

    async def renew(self) -> int:
        return await renew_fallen(self.database, self.matcher)

    async def offer(self) -> int:
        return await offer_to_waiting(self.database, self.matcher)
