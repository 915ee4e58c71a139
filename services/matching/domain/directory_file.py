"""A whole directory file: CSV in UTF-8, read row by row into therapists, faults and notes."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from services.matching.domain.directory_cells import RowFault
from services.matching.domain.directory_row import COLUMNS, OPTIONAL, RowNote, notes_on, read_row, write_row
from services.matching.domain.place import Places
from services.matching.domain.therapist import Therapist
from shared.contract.ids import TherapistId

LARGEST_BYTES = 64 * 1024 * 1024
LARGEST_CELL = 4_000


class FileRefused(Exception):
    """The file as a whole cannot be read; its text says what to do about it."""


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one entry, whatever kind of file it stood in, and its line."""

    line: int
    cells: Sequence[str]
    faults: Sequence[RowFault] = ()
    """What is wrong with it before any cell is looked at; without cells, it is all there is to say."""

    names: Mapping[str, str] = field(default_factory=dict)
    """What the file calls a column, where it does so by another name."""

    def named(self, column: str) -> str:
        """A column as the file calls it."""
        return self.names.get(column, column)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file held."""

    rows: int
    therapists: tuple[Therapist, ...]
    faults: tuple[RowFault, ...]
    notes: tuple[RowNote, ...]
    undated: frozenset[TherapistId]
    """Of whom it does not say when they were confirmed: it is today, unless the entry is as it was."""


def too_large() -> FileRefused:
    """Why a file is not even read."""
    return FileRefused(f"the file is larger than {LARGEST_BYTES // 1024 // 1024} MiB; split it")


def rows_of(data: bytes) -> list[Row]:
    """The rows below the header, once encoding and header are found good."""
    text = decoded(data)
    # strict: a stray quotation mark is an error and not a cell that swallows the rest of the file.
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(lines, None)
        if header is None:
            raise FileRefused(f"the file is empty; its header must be {','.join(COLUMNS)}")
        _check_header(header)
        rows = [Row(lines.line_num, cells) for cells in lines if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise FileRefused(f"line {lines.line_num} is not CSV: {error}") from None
    if not rows:
        raise FileRefused("there is no therapist below the header")
    order = [header.index(column) if column in header else None for column in COLUMNS]
    return [_in_order(row, order, len(header)) for row in rows]


def read_rows(rows: Iterable[Row], places: Places, today: date) -> Reading:
    """Every row as a therapist or as faults; two rows with one id are both refused."""
    good: list[tuple[Row, Therapist]] = []
    faults: list[RowFault] = []
    lines: dict[str, list[int]] = {}
    number = 0
    for row in rows:
        number += 1
        if wrong := _shape_faults(row):
            faults += wrong
            continue
        cells = _cells(row)
        lines.setdefault(cells["id"].strip().lower(), []).append(row.line)
        therapist, wrong = read_row(row.line, cells, places, today)
        faults += [*row.faults, *(replace(fault, field=row.named(fault.field)) for fault in wrong)]
        if therapist is not None and not row.faults:
            good.append((row, therapist))
    twice = {key: where for key, where in lines.items() if key and len(where) > 1}
    for where in twice.values():
        for line in where:
            others = ", ".join(str(other) for other in where if other != line)
            faults.append(RowFault(line, "id", f"is also on line {others}"))
    single = [(row, therapist) for row, therapist in good if str(therapist.id) not in twice]
    return Reading(
        rows=number,
        therapists=tuple(therapist for _, therapist in single),
        faults=tuple(sorted(faults, key=lambda fault: (fault.line, fault.field))),
        undated=frozenset(
            therapist.id for row, therapist in single if not _cells(row)["confirmed_on"].strip()
        ),
        notes=tuple(
            replace(note, field=row.named(note.field))
            for row, therapist in single
            for note in notes_on(row.line, therapist, today)
        ),
    )


def written(therapists: Iterable[Therapist], *, with_confirmation: bool = True) -> Iterator[str]:
    """The therapists as CSV, line by line; without confirmation dates an import confirms who is new."""
    out = io.StringIO(newline="")
    lines = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    lines.writeheader()
    yield out.getvalue()
    for therapist in therapists:
        out.seek(0)
        out.truncate()
        row = write_row(therapist)
        lines.writerow(row if with_confirmation else row | {"confirmed_on": ""})
        yield out.getvalue()


def decoded(data: bytes) -> str:
    """The file as text; refused if it is too large or not UTF-8."""
    if len(data) > LARGEST_BYTES:
        raise too_large()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data:
        raise FileRefused("the file is UTF-16 or not text; save it in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileRefused(f"line {line} is not UTF-8, perhaps Windows-1252; save the file in UTF-8") from None


def _in_order(row: Row, order: list[int | None], wide: int) -> Row:
    if len(row.cells) != wide:
        fault = RowFault(row.line, "row", f"has {len(row.cells)} cells and must have {wide}")
        return Row(row.line, (), [fault])
    return Row(row.line, ["" if place is None else row.cells[place] for place in order])


def _check_header(header: list[str]) -> None:
    missing = [column for column in COLUMNS if column not in header and column not in OPTIONAL]
    unknown = [column for column in header if column not in COLUMNS]
    twice = sorted({column for column in header if header.count(column) > 1})
    faults = []
    if missing:
        faults.append(f"missing: {', '.join(missing)}")
    if unknown:
        faults.append(f"unknown: {', '.join(column[:40] or '(empty)' for column in unknown[:10])}")
    if twice:
        faults.append(f"twice: {', '.join(column[:40] for column in twice)}")
    if faults:
        raise FileRefused(f"the header is wrong ({'; '.join(faults)}); it must be {','.join(COLUMNS)}")


def _cells(row: Row) -> dict[str, str]:
    return dict(zip(COLUMNS, row.cells, strict=True))


def _shape_faults(row: Row) -> list[RowFault]:
    if not row.cells:
        return list(row.faults)
    rule = f"must not be longer than {LARGEST_CELL} characters"
    return [
        RowFault(row.line, row.named(column), rule)
        for column, cell in zip(COLUMNS, row.cells, strict=True)
        if len(cell) > LARGEST_CELL
    ]
