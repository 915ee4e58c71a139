"""Which row of the table is whose."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np

from services.matching.domain.engine.columns import Array
from services.matching.domain.engine.painting import find_row, find_rows
from services.matching.domain.gates import Search
from shared.contract.ids import TherapistId

_LOW = (1 << 64) - 1
_MOST_LATE = 1024


class Blocked(NamedTuple):
    """The rows that a search may not choose, and what they were found by."""

    by_exclusion: frozenset[TherapistId]
    by_offers: Mapping[TherapistId, int]
    excluded: list[int]
    without_seat: list[int]  # whose free seats were all offered to others first
    rows: Array  # all of them


_NONE = Blocked(frozenset(), {}, [], [], np.zeros(0, np.int64))


class Rows:
    """Finds rows by id: most among the sorted ones, what came lately by a dictionary."""

    def __init__(self) -> None:
        self._sorted = np.zeros(0, np.int32)
        self._late: dict[int, int] = {}
        self._blocked: Blocked | None = None

    @property
    def nbytes(self) -> int:
        """What the order takes in memory."""
        return self._sorted.nbytes

    def find(self, kept: Array, number: int) -> int | None:
        """The row of a therapist's id as one number."""
        row = self._late.get(number)
        if row is not None:
            return row
        row = find_row(kept, self._sorted, np.uint64(number >> 64), np.uint64(number & _LOW))
        return None if row < 0 else row

    def add(self, number: int, row: int) -> None:
        """Notes whose a new row is."""
        self._late[number] = row

    def settle(self, kept: Array) -> None:
        """Sorts the rows once that is worth while."""
        if len(self._late) > max(_MOST_LATE, kept.size // 16):
            self.sort(kept)

    def sort(self, kept: Array) -> None:
        """Sorts all rows that are in use."""
        self._sorted = np.lexsort((kept["id_low"], kept["id_high"])).astype(np.int32)
        self._late.clear()

    def changed(self) -> None:
        """Seats or rows are not what they were."""
        self._blocked = None

    def blocked(self, kept: Array, search: Search) -> Blocked:
        """Whom a search may not choose; found once for all that is asked of it until something changes."""
        if not search.excluded and not search.spoken_for:
            return _NONE
        known = self._blocked
        if (
            known is None
            or known.by_exclusion is not search.excluded
            or known.by_offers is not search.spoken_for
        ):
            excluded = [row for row in self._find_all(kept, search.excluded) if row >= 0]
            offered = zip(self._find_all(kept, search.spoken_for), search.spoken_for.values(), strict=True)
            free = kept["seats_free"]
            without_seat = [row for row, seats in offered if row >= 0 and free[row] <= seats]
            rows = np.array([*excluded, *without_seat], np.int64)
            known = Blocked(search.excluded, search.spoken_for, excluded, without_seat, rows)
            self._blocked = known
        return known

    def _find_all(self, kept: Array, ids: Collection[TherapistId]) -> list[int]:
        """The rows of several, or -1."""
        if not ids:
            return []
        numbers = [each.int for each in ids]
        rows: list[int] = find_rows(
            kept,
            self._sorted,
            np.array([number >> 64 for number in numbers], np.uint64),
            np.array([number & _LOW for number in numbers], np.uint64),
        ).tolist()
        return [self._late.get(number, row) for number, row in zip(numbers, rows, strict=True)]
