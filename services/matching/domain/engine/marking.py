"""A bit for each row: who is there, and whom a search keeps out by itself."""

import numpy as np

from services.matching.domain.engine.columns import Array, Table
from services.matching.domain.engine.rows import Rows
from services.matching.domain.gates import Search

_ALL = (1 << 64) - 1


def marked(table: Table, rows: Rows, count: int, search: Search) -> tuple[Array, Array, Array]:
    """Marks everybody, whoever is excluded, and those all of whose free seats others were offered."""
    kept, words = table.kept, table.planes.shape[1]
    everybody = np.zeros(words, np.uint64)
    everybody[: count // 64] = _ALL
    everybody[count // 64 : -(-count // 64)] = (1 << count % 64) - 1
    offered = rows.find_all(kept, [each.int for each in search.spoken_for])
    seats = zip(offered, search.spoken_for.values(), strict=True)
    without_seat = [row for row, spoken_for in seats if kept["seats_free"][row] <= spoken_for]
    excluded = rows.find_all(kept, [each.int for each in search.excluded])
    return everybody, _marks(excluded, words), _marks(without_seat, words)


def _marks(rows: list[int], words: int) -> Array:
    marks = np.zeros(words, np.uint64)
    for row in rows:
        if row >= 0:
            marks[row >> 6] |= np.uint64(1 << (row & 63))
    return marks
