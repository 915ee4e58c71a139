"""Shows what is in the directory."""

import json
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table

from services.matching.commands.directory import in_directory, listing
from services.matching.domain.therapist import Therapist
from services.matching.store import directory
from shared.kit.command_line import AsJson


def list_(as_json: AsJson = False) -> None:
    """List all entries, with how many seats each has free."""
    entries = in_directory(directory.therapists)
    if as_json:
        typer.echo(json.dumps([_summary(entry) for entry in entries]))
        return
    table = Table("id", "name", "district", "variants", "seats", "fee", "confirmed", box=None, pad_edge=False)
    for entry in entries:
        variants = ", ".join(held.variant for held in entry.accreditations)
        seats = f"{entry.seats_free} of {entry.seats_offered}"
        fee = f"£{entry.fee_pence / 100:g}"
        table.add_row(str(entry.id), entry.name, entry.outcode, variants, seats, fee, str(entry.confirmed_on))
    listing().print(table if entries else "the directory is empty")


def show(
    therapist_id: Annotated[UUID, typer.Argument(help="As `therapists list` shows it.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Show one entry."""
    entry = in_directory(lambda tx: directory.find_therapist(tx, therapist_id))
    if entry is None:
        typer.echo(f"there is no therapist {therapist_id}", err=True)
        raise typer.Exit(1)
    summary = _summary(entry)
    if as_json:
        typer.echo(json.dumps(summary))
        return
    for field, value in summary.items():
        for number, line in enumerate(_lines(value)):
            typer.echo(f"{'' if number else field:15} {line}")


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
        "free_from": None if entry.free_from is None else str(entry.free_from),
        "outcomes": None
        if entry.outcomes is None
        else {"cases": entry.outcomes.cases, "change": entry.outcomes.change / 100},
    }


def _lines(value: Any) -> list[str]:
    """A value of the summary for somebody to read: what has parts of its own is a line each."""
    match value:
        case None | []:
            return ["none"]
        case dict():
            return [", ".join(f"{name} {part}" for name, part in value.items())]
        case [dict(), *_]:
            return [line for each in value for line in _lines(each)]
        case list():
            return [", ".join(value)]
    return [str(value)]
