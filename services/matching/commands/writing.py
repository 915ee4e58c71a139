"""Writes a directory: the one that is kept, or a made-up one."""

import os
import sys
import tempfile
from collections.abc import Iterable
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.matching.app import load_places
from services.matching.commands.directory import in_directory, rules_of
from services.matching.domain.directory_file import written
from services.matching.domain.directory_json import written_as_json
from services.matching.domain.generating import MOST, synthetic_therapists
from services.matching.domain.hsds import Publication, published
from services.matching.domain.therapist import Therapist
from services.matching.settings import RulesSettings
from services.matching.store import directory, seats_told
from shared.ages import day_in_london
from shared.contract.ids import TherapistId
from shared.kit.command_line import loaded
from shared.kit.transaction import Transaction


class Kind(StrEnum):
    """What an export is written as."""

    CSV = "csv"
    JSON = "json"
    HSDS = "hsds"


def export(
    kind: Annotated[
        Kind,
        typer.Option(
            "--format", help="csv and json import again; hsds is for the public: Open Referral, no addresses."
        ),
    ] = Kind.CSV,
    output: Annotated[
        Path | None, typer.Option(help="The file to write; standard output if not given.", dir_okay=False)
    ] = None,
    organization: Annotated[
        str, typer.Option(help="What the clinic is called; only for hsds.")
    ] = "Attune clinic",
) -> None:
    """Export the directory."""
    if kind is Kind.HSDS:
        rules = rules_of(loaded(RulesSettings))
        entries, seats = in_directory(_as_others_know)
        lines = published(entries, Publication(organization, rules, datetime.now(UTC), seats))
    else:
        write = written_as_json if kind is Kind.JSON else written
        lines = write(in_directory(directory.therapists))
    if output is None:
        sys.stdout.writelines(lines)
        return
    try:
        replace(output, lines)
    except OSError as error:
        typer.echo(f"{output} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(1) from None


async def _as_others_know(tx: Transaction) -> tuple[list[Therapist], dict[TherapistId, bool]]:
    entries = await directory.therapists(tx)
    return entries, await seats_told(tx, [each.id for each in entries])


def generate(
    count: Annotated[int, typer.Option(min=1, max=MOST, help="How many.")] = 240,
    seed: Annotated[int, typer.Option(help="Another seed, other people.")] = 7,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day that credentials count from; today if not given."),
    ] = None,
) -> None:
    """Write a synthetic directory to standard output: made-up people, the same for the same seed and day.

    It bears no confirmation dates, so that an import confirms whoever is new.
    """
    day: date = as_of.date() if as_of else day_in_london(datetime.now(UTC))
    people = synthetic_therapists(count, seed, day, load_places().postcodes)
    sys.stdout.writelines(written(people, with_confirmation=False))


def replace(output: Path, lines: Iterable[str]) -> None:
    """Writes a file whole or not at all: what is cut short leaves the one from before."""
    handle, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
        Path(name).replace(output)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
