"""How fast programs may ask, so that none of them holds up the others, or what the service is there for."""

from datetime import datetime
from math import ceil

from starlette.requests import Request

from shared.kit import api_keys
from shared.kit.problems import Problem

PER_SECOND = 20
AT_ONCE = 60


class Pace:
    """A bucket each: what is asked for takes out what it costs, and that comes back with time."""

    def __init__(self, per_second: float = PER_SECOND, at_once: float = AT_ONCE) -> None:
        self._per_second = per_second
        self._at_once = at_once
        self._full_after = at_once / per_second
        # Whoever was last seen two turns ago has a full bucket, like somebody who never asked.
        self._now: dict[str, tuple[float, float]] = {}
        self._before: dict[str, tuple[float, float]] = {}
        self._turned = 0.0

    def __len__(self) -> int:
        """How many buckets are remembered."""
        return len(self._now.keys() | self._before.keys())

    def seconds_to_wait(self, name: str, now: float, cost: float = 1) -> int:
        """0 if somebody may be served now; else after how many seconds to ask again."""
        if now - self._turned >= self._full_after:
            self._before, self._now, self._turned = self._now, {}, now
        left, since = self._now.get(name) or self._before.get(name) or (self._at_once, now)
        left = min(self._at_once, left + max(0.0, now - since) * self._per_second)
        short = min(cost, self._at_once) - left
        self._now[name] = (left if short > 0 else left - cost, now)
        return ceil(short / self._per_second) if short > 0 else 0


def keep_pace(request: Request, name: str, now: datetime, cost: float = 1) -> None:
    """Asks a system that shows a good key to wait, if it comes too often or asks for too much."""
    _keep(request, f"key {name}", now, cost)


def turned_away(request: Request, now: datetime) -> Problem:
    """The answer to who shows no good key; that too is given only so often to one address."""
    _keep(request, f"address {request.client.host if request.client else 'unknown'}", now, 1)
    return api_keys.no_such_key()


def _keep(request: Request, who: str, now: datetime, cost: float) -> None:
    pace: Pace = request.app.state.provided[Pace]
    wait = pace.seconds_to_wait(who, now.timestamp(), cost)
    if wait:
        raise Problem(429, "too_fast", headers={"retry-after": str(wait)})
