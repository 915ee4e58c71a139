"""Matching's command line: run, migrate, and the directory of therapists."""

import dataclasses
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import asyncpg
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from services.matching import store
from services.matching.app import build_app, load_places
from services.matching.domain.directory_file import (
    LARGEST_BYTES,
    FileRefused,
    Reading,
    read_rows,
    rows_of,
    written,
)
from services.matching.domain.generating import MOST, synthetic_therapists
from services.matching.domain.therapist import Therapist
from services.matching.handlers import handlers
from services.matching.settings import DirectorySettings, Settings
from shared.kit.command_line import command_line, finish, loaded
from shared.kit.transaction import Transaction

T = TypeVar("T")

IN_PART = 3
"""The exit code of an import that left rows out because it was told to."""

SHOWN = 200
"""So many faults and notes are shown; nobody reads further."""

AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]

therapists = typer.Typer(help="The directory of therapists.", no_args_is_help=True)


@therapists.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, show_default=False)],
    partial: Annotated[
        bool, typer.Option("--partial", help="Import the good rows and leave the others out.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import a CSV file: all rows or none, unless --partial; importing it again brings entries up to date.

    Exit code 0: imported. 1: refused, nothing changed. 3: imported in part.
    """
    today = datetime.now(UTC).date()
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise FileRefused(f"the file is larger than {LARGEST_BYTES // 1024 // 1024} MiB; split it")
        rows = rows_of(file.read_bytes())
    except FileRefused as refused:
        _report_refusal(file, str(refused), as_json=as_json)
        raise typer.Exit(1) from None
    reading = read_rows(track(rows, "Reading", console=_screen(), disable=as_json), load_places(), today)
    left_out = reading.rows - len(reading.therapists)
    saved = Saved()
    if reading.therapists and (partial or not left_out):
        saved = _in_directory(lambda tx: _save(tx, reading.therapists, quiet=as_json))
    _report(file, reading, saved, as_json=as_json)
    if left_out:
        raise typer.Exit(IN_PART if saved.imported else 1)


@therapists.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all entries, with how many seats each has free."""
    entries = _in_directory(store.therapists)
    if as_json:
        typer.echo(json.dumps([_summary(entry) for entry in entries]))
        return
    table = Table("id", "name", "district", "variants", "seats", "fee", "confirmed")
    for entry in entries:
        variants = ", ".join(held.variant for held in entry.accreditations)
        seats = f"{entry.seats_free} of {entry.seats_offered}"
        fee = f"£{entry.fee_pence / 100:g}"
        table.add_row(str(entry.id), entry.name, entry.outcode, variants, seats, fee, str(entry.confirmed_on))
    Console().print(table if entries else "the directory is empty")


@therapists.command()
def show(therapist_id: UUID, as_json: AsJson = False) -> None:
    """Show one entry."""
    entry = _in_directory(lambda tx: store.find_therapist(tx, therapist_id))
    if entry is None:
        typer.echo(f"there is no therapist {therapist_id}", err=True)
        raise typer.Exit(1)
    summary = _summary(entry)
    if as_json:
        typer.echo(json.dumps(summary))
        return
    for field, value in summary.items():
        typer.echo(f"{field:15} {value}")


@therapists.command()
def export(
    output: Annotated[
        Path | None, typer.Option(help="The file to write; standard output if not given.")
    ] = None,
) -> None:
    """Export the directory as CSV that imports again."""
    lines = written(_in_directory(store.therapists))
    if output is None:
        sys.stdout.writelines(lines)
        return
    with output.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)


@therapists.command()
def generate(
    count: Annotated[int, typer.Option(min=1, max=MOST)] = 240,
    seed: int = 7,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day that credentials count from; today if not given."),
    ] = None,
) -> None:
    """Write a synthetic directory to standard output: made-up people, the same for the same seed and day.

    It bears no confirmation dates, so that importing it confirms the entries.
    """
    day: date = as_of.date() if as_of else datetime.now(UTC).date()
    people = synthetic_therapists(count, seed, day, load_places().postcodes)
    sys.stdout.writelines(written(people, with_confirmation=False))


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


async def _save(tx: Transaction, entries: tuple[Therapist, ...], *, quiet: bool) -> Saved:
    await store.lock_directory(tx)
    known = {entry.id: entry for entry in await store.therapists(tx)}
    added = updated = 0
    for entry in track(entries, "Importing", console=_screen(), disable=quiet):
        before = known.get(entry.id)
        if before is None:
            added += 1
        elif _facts(before) != _facts(entry):
            updated += 1
        await store.save_therapist(tx, entry)
    await store.want_reoffer(tx, "therapists were imported")
    return Saved(added, updated, len(entries) - added - updated)


def _facts(entry: Therapist) -> Therapist:
    # What the file cannot change, or changes with every import, is no update.
    return dataclasses.replace(entry, seats_free=0, confirmed_on=date.min)


def _in_directory(work: Callable[[Transaction], Awaitable[T]]) -> T:
    settings = loaded(DirectorySettings)

    async def inside() -> T:
        connection = await asyncpg.connect(
            settings.database_url.get_secret_value(), timeout=10, command_timeout=60
        )
        try:
            async with connection.transaction():
                return await work(_directory_transaction(connection))
        except asyncpg.UndefinedTableError:
            typer.echo(
                "the database has no directory yet: run `python -m services.matching migrate`", err=True
            )
            raise typer.Exit(1) from None
        finally:
            await connection.close(timeout=5)

    return finish(inside())


def _directory_transaction(connection: asyncpg.Connection) -> Transaction:
    return Transaction(connection, service="matching", keys=_NoKeys(), now=datetime.now(UTC))


class _NoKeys:
    """The directory holds no client, so its commands need no keys."""

    def may_open(self, _purpose: object) -> bool:
        return False

    async def key_for(self, _purpose: object, _subject_id: UUID) -> Any:
        raise PermissionError

    async def key_by_id(self, _purpose: object, _kid: UUID) -> Any:
        raise PermissionError


def _summary(entry: Therapist) -> dict[str, Any]:
    registration = entry.registration
    return {
        "id": str(entry.id),
        "name": entry.name,
        "email": entry.email,
        "gender": entry.gender,
        "outcode": entry.outcode,
        "modes": sorted(entry.modes),
        "formats": sorted(entry.formats),
        "age_groups": sorted(entry.age_groups),
        "languages": sorted(entry.languages),
        "fee_pence": entry.fee_pence,
        "seats_offered": entry.seats_offered,
        "seats_free": entry.seats_free,
        "slots": sorted(entry.slots),
        "problem_areas": sorted(entry.problem_areas),
        "conditions": sorted(entry.conditions),
        "approaches": sorted(entry.approaches),
        "affirming": sorted(entry.affirming),
        "registration": None
        if registration is None
        else {
            "body": registration.body,
            "number": registration.number,
            "expires": str(registration.expires_on),
        },
        "accreditations": [
            {
                "variant": held.variant,
                "route": held.route,
                "expires": str(held.expires_on),
                "cases": held.cases,
            }
            for held in entry.accreditations
        ],
        "confirmed_on": str(entry.confirmed_on),
    }


def _report_refusal(file: Path, why: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"file": file.name, "imported": False, "refused": why}))
    else:
        typer.echo(f"{file.name} was not imported: {why}", err=True)


def _report(file: Path, reading: Reading, saved: Saved, *, as_json: bool) -> None:
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
    screen = _screen()
    for title, found in (
        ("Faults", [(fault.line, fault.field, fault.rule) for fault in reading.faults]),
        ("Notes", [(note.line, note.field, note.text) for note in reading.notes]),
    ):
        if found:
            table = Table("line", "field", title.lower(), title=title, title_justify="left")
            for line, field, text in found[:SHOWN]:
                table.add_row(str(line), field, text)
            screen.print(table)
            if len(found) > SHOWN:
                screen.print(f"and {len(found) - SHOWN} more; --json lists all")
    if not saved.imported:
        typer.echo(
            f"{file.name} was not imported: {left_out} of {reading.rows} rows have faults; "
            "mend them, or import the others with --partial",
            err=True,
        )
        return
    typer.echo(
        f"{file.name}: {saved.added} added, {saved.updated} updated, {saved.unchanged} unchanged, "
        f"{left_out} left out"
    )


def _screen() -> Console:
    # Progress and reports go beside the result, so that a pipe gets the result alone.
    return Console(stderr=True, highlight=False)


app = command_line(
    "matching", "Ranks therapists, explains the ranking, gives out seats.", Settings, build_app, handlers
)
app.add_typer(therapists, name="therapists")

if __name__ == "__main__":
    app()
