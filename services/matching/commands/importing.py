"""Imports a file of therapists, be it CSV or JSON, and reports row by row what kept it out."""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from services.matching.commands.directory import in_directory, interruptible, places_of, progress, screen
from services.matching.domain.directory_file import (
    LARGEST_BYTES,
    FileRefused,
    Reading,
    Row,
    read_rows,
    rows_of,
    too_large,
)
from services.matching.domain.directory_json import is_json, rows_of_json
from services.matching.settings import DirectorySettings
from services.matching.store import directory, open_proposals, waiting_list
from services.matching.store.entries import Change
from shared.ages import day_in_london
from shared.contract.ids import TherapistId
from shared.kit.command_line import AsJson, loaded
from shared.kit.transaction import Transaction

T = TypeVar("T")

IN_PART = 3
"""The exit code of an import that left rows out because it was told to."""

AT_ONCE = 500
"""So many entries go to the database together."""

SHOWN = 200
"""So many faults and notes are shown; nobody reads further."""


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            readable=True,
            show_default=False,
            help="CSV, or JSON as an array or an object a line; in UTF-8.",
        ),
    ],
    partial: Annotated[
        bool, typer.Option("--partial", help="Import the good rows and leave the others out.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import a file: all rows or none, unless --partial; importing it again brings entries up to date.

    Without confirmed_on an entry is confirmed today if it is new or changed; else it keeps its day.

    Exit code 0: imported. 1: refused, nothing changed. 3: imported in part.
    """
    try:
        rows = _rows(file)
    except FileRefused as refused:
        _report_refusal(file, str(refused), as_json=as_json)
        raise typer.Exit(1) from None
    places = places_of(loaded(DirectorySettings))
    today = day_in_london(datetime.now(UTC))
    with interruptible(), progress(quiet=as_json) as shown:
        reading = read_rows(shown.track(rows, description="Reading"), places, today)
    left_out = reading.rows - len(reading.therapists)
    saved = Saved()
    if reading.therapists and (partial or not left_out):
        saved = in_directory(lambda tx: _save(tx, reading, quiet=as_json))
    _report(file, reading, saved, partial=partial, as_json=as_json)
    if left_out:
        raise typer.Exit(IN_PART if saved.imported else 1)


@dataclasses.dataclass(frozen=True, slots=True)
class Saved:
    """What an import did to the directory."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0

    @property
    def imported(self) -> int:
        """How many rows are in the directory now."""
        return self.added + self.updated + self.unchanged


def _rows(file: Path) -> list[Row]:
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise too_large()
        data = file.read_bytes()
        return rows_of_json(data) if is_json(data) else rows_of(data)
    except OSError as error:
        raise FileRefused(f"it cannot be read: {error.strerror}") from None


async def _save(tx: Transaction, reading: Reading, *, quiet: bool) -> Saved:
    entries = {entry.id: entry for entry in reading.therapists}
    changes: dict[TherapistId, Change] = {}
    with progress(quiet=quiet) as shown:
        comparing = shown.add_task("Comparing", total=len(entries))
        seen = await open_proposals.snapshot(tx)
        for lot in _lots(entries.values()):
            changes |= _by_id(await directory.changes(tx, lot, reading.undated))
            shown.advance(comparing, len(lot))
        # Only now, and for what has changed alone: no seat can be taken until this transaction ends.
        await directory.lock_directory(tx)
        for ids in _lots(await directory.changed_since(tx, list(entries), seen)):
            again = await directory.changes(tx, [entries[each] for each in ids], reading.undated)
            for each in ids:
                changes.pop(each, None)
            changes |= _by_id(again)
        importing = shown.add_task("Importing", total=len(changes))
        for some in _lots(changes.values()):
            await directory.write_changes(tx, some)
            shown.advance(importing, len(some))
    await waiting_list.want_reoffer(tx, "therapists were imported")
    added = sum(each.before is None for each in changes.values())
    updated = sum(bool(each.before and each.before.facts != each.entry.facts) for each in changes.values())
    return Saved(added, updated, len(entries) - added - updated)


def _by_id(changes: Iterable[Change]) -> dict[TherapistId, Change]:
    return {each.entry.id: each for each in changes}


def _lots(things: Iterable[T]) -> Iterator[list[T]]:
    left = iter(things)
    while lot := list(islice(left, AT_ONCE)):
        yield lot


def _report_refusal(file: Path, why: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"file": file.name, "imported": False, "refused": why}))
    else:
        typer.echo(f"{file.name} was not imported: {why}", err=True)


def _report(file: Path, reading: Reading, saved: Saved, *, partial: bool, as_json: bool) -> None:
    left_out = reading.rows - len(reading.therapists)
    if as_json:
        report = {
            "file": file.name,
            "imported": saved.imported > 0,
            "rows": reading.rows,
            "added": saved.added,
            "updated": saved.updated,
            "unchanged": saved.unchanged,
            "left_out": left_out,
            "faults": [dataclasses.asdict(fault) for fault in reading.faults],
            "notes": [dataclasses.asdict(note) for note in reading.notes],
        }
        typer.echo(json.dumps(report))
        return
    # What must be mended stands last, where it is seen; notes on a refused file would only bury it.
    if saved.imported:
        _show("Notes", [(note.line, note.field, note.text) for note in reading.notes])
    _show("Faults", [(fault.line, fault.field, fault.rule) for fault in reading.faults])
    if not saved.imported:
        others = reading.therapists and not partial
        typer.echo(
            f"{file.name} was not imported: {left_out} of {reading.rows} rows have faults; "
            f"mend them{', or import the others with --partial' if others else ''}",
            err=True,
        )
        return
    typer.echo(
        f"{file.name}: {saved.added} added, {saved.updated} updated, {saved.unchanged} unchanged, "
        f"{left_out} left out"
    )


def _show(title: str, found: Sequence[tuple[int, str, str]]) -> None:
    if not found:
        return
    table = Table("line", "field", title.lower(), title=title, title_justify="left")
    for line, field, text in found[:SHOWN]:
        table.add_row(str(line), field, text)
    screen().print(table)
    if len(found) > SHOWN:
        screen().print(f"and {len(found) - SHOWN} more; --json lists all")
