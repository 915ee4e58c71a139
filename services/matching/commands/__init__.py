"""What operators do with the directory of therapists, those who use it, seats, and the table of districts."""

import typer

from services.matching.commands import keys, placing
from services.matching.commands.ending import end
from services.matching.commands.expiring import expiring
from services.matching.commands.importing import import_
from services.matching.commands.looking import list_, show
from services.matching.commands.removing import remove
from services.matching.commands.writing import export, generate

__all__ = ["api_keys", "places", "seats", "therapists"]

therapists = typer.Typer(help="The directory of therapists.", no_args_is_help=True)
therapists.command("import")(import_)
therapists.command("list")(list_)
therapists.command()(show)
therapists.command()(expiring)
therapists.command()(remove)
therapists.command()(export)
therapists.command()(generate)

seats = typer.Typer(help="Seats that clients have.", no_args_is_help=True)
seats.command()(end)

places = typer.Typer(help="The table of postcode districts.", no_args_is_help=True)
places.command()(placing.build)
places.command()(placing.check)

api_keys = typer.Typer(help="Other systems that use the directory over HTTP.", no_args_is_help=True)
api_keys.command()(keys.add)
api_keys.command("list")(keys.list_)
api_keys.command()(keys.revoke)
