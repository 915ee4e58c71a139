"""What tests of single events speak of: what was said, whom a list names, and who still waits."""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from services.matching import store
from services.matching.handlers import offer_to_waiting
from shared.contract.event import Event
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import STREAM, MatchNotFound, MatchProposed
from shared.contract.review import MatchConfirmed
from shared.contract.sealing import opened
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import a_therapist
from tests.matching.gathering import Hear
from tests.matching.recorded import a_matcher
from tests.support.builders import a_confirmation, a_request

E = TypeVar("E", bound=Event)

PAIR = (a_therapist("ada", seats_offered=1, seats_free=1), a_therapist("ben", seats_offered=1, seats_free=1))
"""Two who have a seat each."""


def one(said: Iterable[Event], kind: type[E]) -> E:
    [event] = [each for each in said if isinstance(each, kind)]
    return event


def kinds(said: Iterable[Event]) -> list[str]:
    return [type(each).__name__ for each in said]


def candidates(proposal: MatchProposed) -> list[Any]:
    return [candidate.therapist_id for candidate in opened(proposal.shortlist).candidates]


def a_choice(proposal: MatchProposed, place: int = 0, **changes: Any) -> MatchConfirmed:
    """A reviewer confirms the candidate at that place of the list."""
    return a_confirmation(proposal, therapist_id=candidates(proposal)[place], overruled=place > 0, **changes)


async def who_wait(hear: Hear, clock: MovableClock, number: int) -> list[RequestSubmitted]:
    """So many requests for which nobody is found, a minute after one another."""
    requests = [a_request() for _ in range(number)]
    for request in requests:
        clock.move(timedelta(minutes=1))
        [said] = await hear(request)
        assert isinstance(said, MatchNotFound)
    return requests


async def waiting(database: Database) -> list[Any]:
    async with database.transaction() as tx:
        return list(await store.waiting_in_order(tx))


async def offered(database: Database) -> list[Any]:
    """One pass over the waiting list; whose request was proposed to in it, in order."""
    async with database.transaction() as tx:
        before = await tx.fetchval("SELECT coalesce(max(id), 0) FROM outbox")
    await offer_to_waiting(database, a_matcher())
    async with database.transaction() as tx:
        rows = await tx.fetch(
            "SELECT key FROM outbox WHERE id > $1 AND stream = $2 ORDER BY id", before, STREAM
        )
    return [UUID(row["key"].decode()) for row in rows]


async def shortfalls_said(database: Database) -> list[bytes]:
    """Why each `MatchNotFound` in the outbox was said, in order."""
    rows = await database.pool.fetch("SELECT payload FROM outbox ORDER BY id")
    found = (re.search(rb'"shortfall":\s*"(\w+)"', row["payload"]) for row in rows)
    return [each[1] for each in found if each]
