"""The clinic over years: seats come back when courses end, and whoever waits too long gives up."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from statistics import mean

from services.matching.domain.engine import Seats
from services.matching.domain.pricing import Edges, by_demand, seats_ahead
from tests.benchmarks.assignment.online import engine_free, therapist_id
from tests.benchmarks.assignment.world import World

DAYS, SETTLED, OPEN_END = 900, 300, 120
COURSE_DAYS = (84, 140)
PATIENCE_DAYS = 45.0
REPRICED_EVERY = 7


@dataclass(frozen=True, slots=True)
class Ended:
    """One who waits no longer: seated after so many days with so many points, or gone without."""

    came_on: int
    waited: int
    points: int | None


@dataclass(frozen=True, slots=True)
class Came:
    """One who came: on which day, how long they would wait, and how long their course takes."""

    number: int
    day: int
    patience: int
    course: int


def years(world: World, load: float, seed: int, *, priced: bool) -> dict[str, float]:
    """Lets the same people come to the clinic, and tells how they fared who came once it had settled."""
    counted = [
        each for each in _ended(world, load, seed, priced=priced) if SETTLED <= each.came_on < DAYS - OPEN_END
    ]
    seated = [each for each in counted if each.points is not None]
    waits = sorted(each.waited for each in seated)
    return {
        "points_per_arrival": sum(each.points or 0 for each in seated) / len(counted),
        "gave_up": 100 * (1 - len(seated) / len(counted)),
        "mean_wait": mean(waits),
        "p90_wait": waits[len(waits) * 9 // 10],
    }


def arrivals_needed(seats: float, load: float) -> int:
    """More than will come."""
    return int(DAYS * seats * load / mean(COURSE_DAYS) * 1.1) + 100


def _ended(world: World, load: float, seed: int, *, priced: bool) -> Iterator[Ended]:
    rules, engine = world.rules.policy.prices, world.engine
    free = engine_free(world)
    coming = _coming(world, load, seed)
    edges = Edges(request.choices for request in world.past)
    expected = rules.horizon_days * sum(world.seats.values()) * load / mean(COURSE_DAYS)
    prices: dict[int, int] = {}
    ends: list[tuple[int, int]] = []
    waiting: list[Came] = []
    for day in range(DAYS):
        while ends and ends[0][0] <= day:
            _, number = heapq.heappop(ends)
            free[number] += 1
            engine.set_seats(therapist_id(number), free[number])
        if priced and day % REPRICED_EVERY == 0:
            now = [Seats(number, left, world.seats[number]) for number, left in free.items()]
            seats = seats_ahead(now, rules.horizon_days, mean(COURSE_DAYS), rules.free_today)
            prices = by_demand(edges, seats, expected, prices, rules.iterations, most=rules.most_credit)
            engine.set_prices({therapist_id(number): points for number, points in prices.items()})
        # The oldest first, then who is new today.
        still: list[Came] = []
        for each in [*waiting, *coming.get(day, [])]:
            waited = day - each.day
            if waited >= each.patience:
                yield Ended(each.day, waited, None)
                continue
            search = replace(world.arrivals[each.number].search, credit=rules.credit(waited))
            found = engine.best(search, 1)
            if not found:
                still.append(each)
                continue
            [best] = found
            free[best.number] -= 1
            assert free[best.number] >= 0
            engine.set_seats(best.therapist_id, free[best.number])
            heapq.heappush(ends, (day + each.course, best.number))
            yield Ended(each.day, waited, best.score)
        waiting = still


def _coming(world: World, load: float, seed: int) -> dict[int, list[Came]]:
    dice = Random(f"years {seed}")
    pace = sum(world.seats.values()) * load / mean(COURSE_DAYS)
    coming: dict[int, list[Came]] = {}
    moment = dice.expovariate(pace)
    for number in range(len(world.arrivals)):
        patience = int(dice.expovariate(1 / PATIENCE_DAYS)) + 1
        coming.setdefault(int(moment), []).append(
            Came(number, int(moment), patience, dice.randint(*COURSE_DAYS))
        )
        moment += dice.expovariate(pace)
    assert moment > DAYS, "too few arrivals were made up"
    return coming
