"""Works prices out afresh now and then, from the requests that came lately and the seats there are."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from services.matching import store
from services.matching.domain.engine import Engine, Seats
from services.matching.domain.gates import Search
from services.matching.domain.policy import Policy
from services.matching.domain.pricing import Edges, by_demand, by_inventory, seats_ahead, settled
from services.matching.domain.ranking import Rules, search_for
from services.matching.handlers.ranking import Matcher
from services.matching.handlers.reading import readable
from shared.ages import day_in_london
from shared.contract.ids import TherapistId
from shared.contract.intake import CaseDetails
from shared.kit import logs
from shared.kit.database import Database, Turn
from shared.kit.service import Service, Worker
from shared.kit.transaction import Transaction

TURN = "prices"

AT_ONCE = 50
"""So many requests are looked up before rankings that wait have their turn with the directory."""

OPENED_AT_ONCE = 200
"""So many are opened with one look for their keys, before others have their turn."""

T = TypeVar("T")
Choices = Sequence[Sequence[tuple[int, int]]]


def pricing_worker(matcher: Matcher, every_seconds: float) -> Worker:
    """A worker that keeps prices fresh for as long as the service runs."""

    async def refresh(service: Service) -> None:
        log = logs.logger()
        while matcher.rules.policy.prices.on:
            try:
                version = await refresh_prices(service.database, matcher)
                if version is not None:
                    log.info("prices changed", version=version)
            except Exception as error:
                # Whatever it is: without fresh prices clients are still ranked, by the last ones.
                log.warning("prices not refreshed, will try again", **logs.fault(error))
            await asyncio.sleep(every_seconds)
        # A worker that ends by itself would end the service.
        await service.stopping.wait()

    return refresh


async def refresh_prices(database: Database, matcher: Matcher) -> int | None:
    """Works prices out; the new version, or None if they may stay or another is at it."""
    async with database.turn(TURN) as turn:
        return None if turn is None else await _refresh(turn, matcher)


async def _refresh(turn: Turn, matcher: Matcher) -> int | None:
    searches, expected = await _recent(turn, matcher)
    choices, seats = await _look(turn, matcher, searches)
    async with turn.transaction() as tx:
        last = await store.newest_prices(tx)
    known = {who.int: points for who, points in last.points.items()} if last else {}
    work = partial(_work_out, matcher.rules.policy, choices, seats, expected, known)
    found = await turn.during(_aside(work))
    if settled(found, known, matcher.rules.policy.prices.settled_within):
        return None
    async with turn.transaction() as tx:
        priced = {TherapistId(UUID(int=number)): points for number, points in sorted(found.items())}
        return await store.add_prices(tx, matcher.rules.policy.version, priced)


def _work_out(
    policy: Policy, choices: Choices, seats: Sequence[Seats], expected: float, last: dict[int, int]
) -> dict[int, int]:
    rules = policy.prices
    if len(choices) < rules.least_requests:
        return by_inventory(seats, rules.scarcity)
    ahead = seats_ahead(seats, rules.horizon_days, 7 * policy.phases.sessions, rules.free_today)
    # No more than waiting makes up for: else a seat would be kept from somebody for ever.
    most = rules.most_credit
    return by_demand(Edges(choices), ahead, expected, last, rules.iterations, most=most)


async def _recent(turn: Turn, matcher: Matcher) -> tuple[list[Search], float]:
    """Searches for those who came lately, and how many are expected until the horizon."""
    rules = matcher.rules.policy.prices
    async with turn.transaction() as tx:
        since = tx.now - timedelta(days=rules.history_days)
        requests = await store.requests_since(tx, since, rules.most_requests)
        came, first = await store.requests_counted_since(tx, since)
        searches = await turn.during(_searches(tx, requests, matcher.rules))
        days = max(1.0, (tx.now - first) / timedelta(days=1)) if first else 1.0
    return searches, came / days * rules.horizon_days


async def _searches(tx: Transaction, requests: Sequence[store.Request], rules: Rules) -> list[Search]:
    """What each of them looks for today, without who was erased and what cannot be read."""
    today = day_in_london(tx.now)
    sealed = [(request.id, request.details) for request in requests if request.details is not None]
    searches: list[Search] = []
    for start in range(0, len(sealed), OPENED_AT_ONCE):
        some = sealed[start : start + OPENED_AT_ONCE]
        cases = await readable(tx, some, CaseDetails, "a request was left out of the prices")
        searches += [search_for(case, today, rules) for case in cases.values()]
    return searches


async def _look(
    turn: Turn, matcher: Matcher, searches: Sequence[Search]
) -> tuple[list[list[tuple[int, int]]], list[Seats]]:
    """Who could take each, and for how many points; and everybody's seats."""
    most = matcher.rules.policy.prices.most_therapists
    choices: list[list[tuple[int, int]]] = []
    for start in range(0, len(searches), AT_ONCE):
        some = searches[start : start + AT_ONCE]
        async with turn.transaction() as tx, matcher.directory.current(tx) as engine:
            choices += await turn.during(_aside(partial(_choices, engine, some, most)))
    async with turn.transaction() as tx, matcher.directory.current(tx) as engine:
        return choices, await turn.during(_aside(engine.seats))


def _choices(engine: Engine, searches: Sequence[Search], most: int) -> list[list[tuple[int, int]]]:
    return [[(each.number, each.score) for each in engine.qualified(search, most)] for search in searches]


async def _aside(work: Callable[[], T]) -> T:
    """Does some work beside the event loop, and leaves it to nobody else before it is done."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        # The engine must not be asked anything else while a thread still reads it.
        await asyncio.wait({task})
        raise
