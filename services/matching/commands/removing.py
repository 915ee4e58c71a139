"""Removes a therapist from the directory, and says who has a place with them still."""

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
    """Remove an entry for good: name, address and all it says.

    For who must not be found here any more. To retire somebody who keeps their clients, set `seats` to 0.

    Within seconds proposals that name them are made anew, and groups that they gather are dissolved, with
    something else for each member. Whoever has a seat with them keeps it: their cases are listed, and staff
    ask for a rematch of each who is to go to somebody else. What was decided keeps the id.

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
