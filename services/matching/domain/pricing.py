"""What a therapist's seats cost: the points that keeping one for somebody else is expected to bring.

With enough history, prices are the dual of giving all expected requests to the seats there are: a seat costs
what the last request to get it gains from it over its next best way. With too little, a seat costs the more
the fewer of a therapist's are free.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from services.matching.domain.compiled import compiled
from services.matching.domain.engine import Seats

Array = npt.NDArray[Any]

_FIRST_STEP = 60.0
_NEXT_STEP = 15.0
"""Points that a therapist who is wanted twice as often as they have seats goes up by at first."""

_MOST_TILT = 3.0
"""A seat that is free today counts for no more than so many: hardly any may be."""

_COLD = 8
"""Without prices to begin with it takes so many times longer."""


def warm_up() -> None:
    """Compiles the ascent before anybody waits for it."""
    by_demand(Edges([[(1, 1)]]), {1: 1.0}, 1.0, {}, 10, most=1)


class Edges:
    """Past requests and who could take each, laid out for going through again and again."""

    def __init__(self, choices: Iterable[Sequence[tuple[int, int]]]) -> None:
        rows = list(choices)
        self.starts = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        self.numbers = sorted({number for row in rows for number, _ in row})
        place = {number: at for at, number in enumerate(self.numbers)}
        self.therapists = np.array([place[number] for row in rows for number, _ in row], np.int32)
        self.points = np.array([points for row in rows for _, points in row], np.float64)


def seats_ahead(seats: Iterable[Seats], days: int, course_days: float, free_today: int) -> dict[int, float]:
    """How many seats of each therapist count as those that can be given out within so many days.

    Taken ones come back one by one while a course goes on, so that over a whole course it is no matter who
    has one free now. `free_today` percent of all are therefore shared out by that: the next to come can have
    no others.
    """
    back, share = min(1.0, days / course_days), free_today / 100
    known = list(seats)
    ahead = {each.number: each.free + back * max(0, each.offered - each.free) for each in known}
    free = sum(each.free for each in known)
    tilt = share * min(_MOST_TILT, sum(ahead.values()) / free) if free else 0.0
    return {each.number: (1 - share) * ahead[each.number] + tilt * each.free for each in known}


def by_demand(
    edges: Edges,
    seats: Mapping[int, float],
    expected: float,
    last: Mapping[int, int],
    iterations: int,
    *,
    most: int,
) -> dict[int, int]:
    """Whole points by therapist, from the last ones on and up to `most`; who costs nothing is left out.

    `seats` are those that there will be until the horizon, and `expected` how many requests until then.
    """
    requests = edges.starts.size - 1
    if requests == 0:
        return {}
    prices = np.array([last.get(number, 0) for number in edges.numbers], np.float64)
    cold = not prices.any()
    ascend(
        edges.starts,
        edges.therapists,
        edges.points,
        np.array([seats.get(number, 0) for number in edges.numbers], np.float64),
        expected / requests,
        _FIRST_STEP if cold else _NEXT_STEP,
        iterations * (_COLD if cold else 1),
        float(most),
        prices,
    )
    whole = np.rint(prices).astype(np.int64).tolist()
    return {number: price for number, price in zip(edges.numbers, whole, strict=True) if price > 0}


@compiled
def ascend(  # noqa: PLR0917 - compiled code takes its arrays one by one
    starts: Array,
    therapists: Array,
    points: Array,
    seats: Array,
    weight: float,
    step: float,
    iterations: int,
    dearest: float,
    prices: Array,
) -> None:
    """Raises whoever is wanted more often than they have seats, to the `dearest`, and lowers others, to 0.

    Each request counts `weight` times. The steps grow smaller; the mean of the second half is the answer.
    """
    wanted = np.zeros(seats.size)
    total = np.zeros(seats.size)
    for turn in range(iterations):
        wanted[:] = 0.0
        for request in range(starts.size - 1):
            most = 0.0
            chosen = -1
            for edge in range(starts[request], starts[request + 1]):
                left = points[edge] - prices[therapists[edge]]
                if left > most and seats[therapists[edge]] > 0:
                    most, chosen = left, therapists[edge]
            if chosen >= 0:
                wanted[chosen] += weight
        pace = step / (1.0 + 0.05 * turn)
        for place in range(seats.size):
            # Not more than once over at a time: where very many want one seat it would jump far beyond.
            over = min(1.0, (wanted[place] - seats[place]) / max(1.0, seats[place]))
            prices[place] = min(dearest, max(0.0, prices[place] + pace * over))
        if turn >= iterations // 2:
            total += prices
    prices[:] = total / (iterations - iterations // 2)


def settled(found: Mapping[int, int], last: Mapping[int, int], within: int) -> bool:
    """Whether the last prices may stay, for no therapist's would change by more points.

    The ascent goes on circling around the answer, so that the same inputs never give quite the same.
    """
    return all(abs(found.get(each, 0) - last.get(each, 0)) <= within for each in {*found, *last})


def by_inventory(seats: Iterable[Seats], scarcity: int) -> dict[int, int]:
    """Whole points by therapist: nothing while all seats are free, nearly `scarcity` when hardly one is."""
    found = {
        each.number: scarcity * (each.offered - each.free) ** 2 // each.offered**2
        for each in seats
        if 0 <= each.free < each.offered
    }
    return {number: price for number, price in found.items() if price}
