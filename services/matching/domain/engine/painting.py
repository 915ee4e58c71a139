"""Brings the bit planes in line with the table, compiled."""

import numpy as np

from services.matching.domain.compiled import compiled
from services.matching.domain.engine.columns import Array, Layout, Table


# The layout comes as an argument, since it follows the contract's words: a constant would be compiled in.
@compiled
def paint_live(layout: Layout, table: Table, rows: Array, today: int, oldest: int, latest: int) -> None:  # noqa: PLR0917
    """Marks what depends on the day and on seats.

    An entry confirmed before `oldest` is stale, and who is free only after `latest` begins too late.
    """
    planes = table.planes
    for row in rows:
        word, bit = row >> 6, np.uint64(1) << np.uint64(row & 63)
        entry = table.kept[row]
        registered, fresh, in_time, seated = (
            entry.registered_until >= today,
            entry.confirmed >= oldest,
            entry.free_from <= latest,
            entry.seats_free > 0,
        )
        _mark(planes, layout.registered, word, bit, registered)
        _mark(planes, layout.fresh, word, bit, fresh)
        _mark(planes, layout.in_time, word, bit, in_time)
        _mark(planes, layout.seated, word, bit, seated)
        for variant in range(entry.accredited_until.size):
            by_ksa = ((entry.ksa >> variant) & 1) != 0
            accredited = entry.accredited_until[variant] >= today
            qualified = registered and fresh and in_time and accredited and not by_ksa
            _mark(planes, layout.accredited + variant, word, bit, accredited)
            _mark(planes, layout.by_ksa + variant, word, bit, by_ksa)
            _mark(planes, layout.qualified + variant, word, bit, qualified)
            _mark(planes, layout.live + variant, word, bit, qualified and seated)


@compiled
def _mark(planes: Array, plane: int, word: int, bit: np.uint64, holds: bool) -> None:
    if holds:
        planes[plane, word] |= bit
    else:
        planes[plane, word] &= ~bit


@compiled
def set_seats(  # noqa: PLR0917 - arrays one by one, as a whole tuple takes as long to hand over as all that is done
    kept: Array, scored: Array, planes: Array, row: int, free: int, caseload: int, seated: int, live: Array
) -> None:
    """Notes how many of a therapist's seats are free; `caseload` are the points for all of them.

    `live` pairs the plane of each variant for who is qualified with the one for who has a seat besides.
    """
    entry = kept[row]
    offered = max(int(entry.seats_offered), 1)
    before, has_one = int(entry.seats_free), free > 0
    entry.seats_free = free
    scored[row].standing += (
        caseload * min(free, offered) // offered - caseload * min(before, offered) // offered
    )
    if has_one == (before > 0):
        return
    word, bit = row >> 6, np.uint64(1) << np.uint64(row & 63)
    _mark(planes, seated, word, bit, has_one)
    for pair in range(live.shape[0]):
        qualified = (planes[live[pair, 0], word] & bit) != 0
        _mark(planes, live[pair, 1], word, bit, qualified and has_one)


@compiled
def paint_facts(layout: Layout, table: Table, rows: Array) -> None:
    """Marks what does not depend on the day, and wipes the languages, which are marked one by one."""
    planes = table.planes
    for row in rows:
        word, shift = row >> 6, np.uint64(row & 63)
        kept, scored = table.kept[row], table.scored[row]
        _paint(planes, layout.formats, layout.ages, word, shift, kept.formats)
        _paint(planes, layout.ages, layout.modes, word, shift, kept.ages)
        _paint(planes, layout.modes, layout.traits, word, shift, scored.modes)
        _paint(planes, layout.traits, layout.areas, word, shift, scored.traits)
        _paint(planes, layout.areas, layout.conditions, word, shift, scored.areas)
        _paint(planes, layout.conditions, layout.nobody, word, shift, scored.conditions)
        _paint(planes, layout.languages, planes.shape[0], word, shift, 0)
        table.lowest[word] = min(table.lowest[word], scored.district)
        table.highest[word] = max(table.highest[word], scored.district)


@compiled
def _paint(  # noqa: PLR0917
    planes: Array, first: int, end: int, word: int, shift: np.uint64, bits: int
) -> None:
    for plane in range(first, end):
        planes[plane, word] &= ~(np.uint64(1) << shift)
        planes[plane, word] |= np.uint64((bits >> (plane - first)) & 1) << shift


@compiled
def paint_languages(planes: Array, rows: Array, spoken: Array) -> None:
    """Marks each pair of a row and a language's plane."""
    for place in range(rows.size):
        row = rows[place]
        planes[spoken[place], row >> 6] |= np.uint64(1) << np.uint64(row & 63)


@compiled
def move_marks(table: Table, source: int, target: int) -> None:
    """Moves a row's marks to another row, and leaves none."""
    planes = table.planes
    district = table.scored[target].district
    table.lowest[target >> 6] = min(table.lowest[target >> 6], district)
    table.highest[target >> 6] = max(table.highest[target >> 6], district)
    here, there = np.uint64(source & 63), np.uint64(target & 63)
    for plane in range(planes.shape[0]):
        mark = (planes[plane, source >> 6] >> here) & np.uint64(1)
        planes[plane, source >> 6] &= ~(np.uint64(1) << here)
        if source != target:
            planes[plane, target >> 6] &= ~(np.uint64(1) << there)
            planes[plane, target >> 6] |= mark << there


@compiled
def find_rows(kept: Array, by_id: Array, highs: Array, lows: Array) -> Array:
    """The rows of ids among the sorted ones, or -1."""
    rows = np.empty(highs.size, np.int64)
    for place in range(highs.size):
        rows[place] = find_row(kept, by_id, highs[place], lows[place])
    return rows


@compiled
def find_row(kept: Array, by_id: Array, high: np.uint64, low: np.uint64) -> int:
    """The row of an id among the sorted ones, or -1."""
    first, last = 0, by_id.size
    while first < last:
        middle = (first + last) // 2
        row = kept[by_id[middle]]
        if row.id_high < high or (row.id_high == high and row.id_low < low):
            first = middle + 1
        else:
            last = middle
    if first < by_id.size and kept[by_id[first]].id_high == high and kept[by_id[first]].id_low == low:
        return int(by_id[first])
    return -1
