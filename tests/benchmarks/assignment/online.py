"""Ways to give out seats as requests arrive one by one, all on the real engine."""

import math
from collections.abc import Callable, Mapping
from uuid import UUID

from services.matching.domain.engine import Engine, Seats
from services.matching.domain.gates import Search
from services.matching.domain.pricing import Edges, by_demand, seats_ahead
from shared.contract.ids import TherapistId
from tests.benchmarks.assignment.world import World

EVERY = 10
NEVER = math.inf
"""How long a course takes here."""

Given = list[tuple[int, int] | None]
"""For each arrival, whom they were given and for how many points."""

Take = Callable[[Engine, Search], tuple[int, int] | None]


def greedy(world: World) -> Given:
    """Everybody gets the best who is free."""
    return _one_by_one(world, _best)


def first_eligible(world: World) -> Given:
    """Everybody gets the first of the directory who passes every gate."""
    return _one_by_one(world, _first)


def priced(world: World, *, past: int, forecast: float = 1.0) -> Given:
    """Everybody gets the best by score minus price; prices are looked at afresh every few arrivals.

    `forecast` is how many arrivals are expected for each that comes.
    """
    edges = Edges(request.choices for request in world.past[:past])
    expected = len(world.arrivals) * forecast
    rules = world.rules.policy.prices
    prices: dict[int, int] = {}

    def reprice(number: int, free: Mapping[int, int]) -> None:
        nonlocal prices
        if number % EVERY == 0:
            left = max(1.0, expected - number)
            now = [Seats(each, seats, world.seats[each]) for each, seats in free.items()]
            ahead = seats_ahead(now, rules.horizon_days, NEVER, rules.free_today)
            prices = by_demand(edges, ahead, left, prices, rules.iterations, most=rules.most_credit)
            world.engine.set_prices({therapist_id(who): price for who, price in prices.items()})

    return _one_by_one(world, _best, reprice)


def _one_by_one(
    world: World, take: Take, before: Callable[[int, Mapping[int, int]], None] = lambda number, free: None
) -> Given:
    free = engine_free(world)
    given: Given = []
    for place, request in enumerate(world.arrivals):
        before(place, free)
        taken = take(world.engine, request.search)
        if taken is not None:
            free[taken[0]] -= 1
            world.engine.set_seats(therapist_id(taken[0]), free[taken[0]])
        given.append(taken)
    return given


def _best(engine: Engine, search: Search) -> tuple[int, int] | None:
    return next(((each.number, each.score) for each in engine.best(search, 1)), None)


def _first(engine: Engine, search: Search) -> tuple[int, int] | None:
    return min(((each.number, each.score) for each in engine.best(search, len(engine))), default=None)


def engine_free(world: World) -> dict[int, int]:
    """Gives every seat and every price back; returns the free seats."""
    for number, seats in world.seats.items():
        world.engine.set_seats(therapist_id(number), seats)
    world.engine.set_prices({})
    return dict(world.seats)


def therapist_id(number: int) -> TherapistId:
    """The id that a number stands for."""
    return TherapistId(UUID(int=number))
