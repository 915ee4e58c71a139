"""How fast one system may ask, so that none of them holds up the matching of clients."""

from math import ceil

PER_SECOND = 20
AT_ONCE = 60


class Pace:
    """A bucket per system: each request takes one out, and they come back with time."""

    def __init__(self, per_second: float = PER_SECOND, at_once: float = AT_ONCE) -> None:
        self._per_second = per_second
        self._at_once = at_once
        self._left: dict[str, tuple[float, float]] = {}

    def seconds_to_wait(self, name: str, now: float) -> int:
        """0 if a request may be served now; else after how many seconds to ask again."""
        left, since = self._left.get(name, (self._at_once, now))
        left = min(self._at_once, left + max(0.0, now - since) * self._per_second)
        if left < 1:
            self._left[name] = (left, now)
            return ceil((1 - left) / self._per_second)
        self._left[name] = (left - 1, now)
        return 0
