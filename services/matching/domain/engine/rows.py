"""Which row of the table is whose."""

import sys
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from services.matching.domain.engine.columns import Array
from services.matching.domain.engine.painting import find_row, find_rows
from shared.contract.ids import TherapistId

_LOW = (1 << 64) - 1
_MOST_LATE = 1024


BLOCKED = np.dtype([("id_low", np.uint64), ("id_high", np.uint64), ("seats", np.int64)])
"""Whom a search may not choose unless more than so many seats are free."""

_ANY_NUMBER = 1 << 15
"""More seats than anybody has."""


def blocked_by(excluded: Collection[TherapistId], spoken_for: Mapping[TherapistId, int]) -> Array:
    """Whoever is excluded, and whose free seats may all have been offered to others first."""
    numbers = [_ANY_NUMBER << 128 | each.int for each in excluded]
    numbers += [seats << 128 | each.int for each, seats in spoken_for.items()]
    # All at once, as a search has few microseconds: such a number, the low end first, is such a record.
    return np.frombuffer(bytearray().join([each.to_bytes(24, "little") for each in numbers]), BLOCKED)


def weight_of(by_id: Mapping[int, int]) -> int:
    """What a dictionary by id takes in memory, in bytes, with the numbers in it."""
    return sys.getsizeof(by_id) + sum(sys.getsizeof(key) + sys.getsizeof(by_id[key]) for key in by_id)


class Rows:
    """Finds rows by id: most among the sorted ones, what came lately by a dictionary."""

    def __init__(self) -> None:
        self._sorted = np.zeros(0, np.int32)
        self._late: dict[int, int] = {}

    @property
    def nbytes(self) -> int:
        """What the order takes in memory."""
        return self._sorted.nbytes + weight_of(self._late)

    def find(self, kept: Array, number: int) -> int | None:
        """The row of a therapist's id as one number."""
        row = self._late.get(number)
        if row is not None:
            return row
        row = find_row(kept, self._sorted, np.uint64(number >> 64), np.uint64(number & _LOW))
        return None if row < 0 else row

    def take_in(self, kept: Array, numbers: Sequence[int], following: int) -> Array:
        """Writes ids down and returns their rows; whoever is new comes last, from the row `following` on."""
        rows = np.array(self.find_all(kept, numbers), np.int64)
        new = np.flatnonzero(rows < 0)
        rows[new] = np.arange(following, following + new.size)
        self._late.update(zip([numbers[place] for place in new.tolist()], rows[new].tolist(), strict=True))
        kept["id_high"][rows], kept["id_low"][rows] = _halves(numbers)
        return rows

    def follow(self, was: Array, rows: int) -> None:
        """Keeps the order when rows have moved and some of so many are gone; `was` says who stood where."""
        now = np.full(rows, -1, np.int32)
        now[was] = np.arange(was.size, dtype=np.int32)
        moved = now[self._sorted]
        self._sorted = moved[moved >= 0]
        self._late = {number: int(now[row]) for number, row in self._late.items() if now[row] >= 0}

    def settle(self, kept: Array) -> None:
        """Sorts the rows once that is worth while."""
        if len(self._late) > max(_MOST_LATE, kept.size // 16):
            self._sorted = np.lexsort((kept["id_low"], kept["id_high"])).astype(np.int32)
            self._late.clear()

    def find_all(self, kept: Array, numbers: Sequence[int]) -> list[int]:
        """The rows of several, or -1 for who is not known."""
        rows = find_rows(kept, self._sorted, *_halves(numbers)).tolist()
        return [self._late.get(number, row) for number, row in zip(numbers, rows, strict=True)]


def _halves(numbers: Sequence[int]) -> tuple[Array, Array]:
    """The upper and the lower halves of ids."""
    halves = np.frombuffer(bytearray().join([each.to_bytes(16, "little") for each in numbers]), np.uint64)
    return halves[1::2].copy(), halves[::2].copy()
