"""Where therapists are: each district a number, and the points for its distance from a client's."""

from functools import lru_cache

import numpy as np

from services.matching.domain.engine.columns import Array
from services.matching.domain.engine.scanning import points_by_district
from services.matching.domain.engine.terms import Terms
from services.matching.domain.place import Places, metres_between
from services.matching.domain.policy import Policy
from shared.contract.intake import CaseDetails
from shared.contract.vocabulary import Mode

_MOST_REMEMBERED = 1024


class Districts:
    """The table of places as numbers; 0 is for a district that is not in it."""

    def __init__(self, places: Places, policy: Policy, terms: Terms) -> None:
        self._positions = list(places.positions.values())
        self._default_km = policy.default_distance_km
        self._terms = terms
        self.numbers = {outcode: place + 1 for place, outcode in enumerate(places.positions)}
        """By outcode."""
        self._nowhere = np.full(len(self._positions) + 1, -1, np.int16)
        self._near = lru_cache(maxsize=_MOST_REMEMBERED)(self._near_to)
        self._metres = lru_cache(maxsize=_MOST_REMEMBERED)(self._metres_from)

    def number_of(self, outcode: str) -> int:
        """The number of a therapist's district."""
        return self.numbers.get(outcode.strip().upper(), 0)

    def points_for(self, case: CaseDetails) -> Array:
        """The points for distance of every district, or -1 where it is too far for this client."""
        if case.mode is Mode.ONLINE:
            return self._nowhere
        metres = (case.max_distance_km or self._default_km) * 1000
        return self._near((case.outcode or "").strip().upper(), metres)

    def _near_to(self, outcode: str, limit: int) -> Array:
        return points_by_district(self._metres(outcode), limit, self._terms)

    def _metres_from(self, outcode: str) -> Array:
        metres = np.full(len(self._positions) + 1, -1, np.int32)
        district = self.numbers.get(outcode)
        if district is not None:
            here = self._positions[district - 1]
            metres[1:] = [metres_between(here, there) for there in self._positions]
        return metres
