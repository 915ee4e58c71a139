"""Removes a therapist from the directory, and says who has a seat or place with them still."""

import json
from typing import Annotated
from uuid import UUID

import typer

from services.matching.commands.directory import in_directory
from services.matching.store import remove_therapist
from shared.kit.command_line import AsJson


def remove(
    therapist_id: Annotated[UUID, typer.Argument(help="As `therapists list` shows it.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Remove an entry for good. To retire somebody who keeps their clients, set their `seats` to 0 instead.

    Within seconds open proposals that name them are made anew, and groups that they gather are dissolved.

    Whoever has a seat with them keeps it until staff decide: their cases are listed, and come up in review.

    Exit code 0: removed. 1: there is no such entry.
    """
    cases = in_directory(lambda tx: remove_therapist(tx, therapist_id))
    if cases is None:
        typer.echo(f"there is no therapist {therapist_id}", err=True)
        raise typer.Exit(1)
    if as_json:
        typer.echo(json.dumps({"id": str(therapist_id), "cases": [str(each) for each in cases]}))
        return
    typer.echo(f"removed {therapist_id}")
    if cases:
        typer.echo(f"{len(cases)} with a seat there still; staff decide about each of these cases:")
    for each in cases:
        typer.echo(f"  {each}")
