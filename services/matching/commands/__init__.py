"""What operators do with the directory of therapists."""

import typer

from services.matching.commands.importing import import_
from services.matching.commands.looking import list_, show
from services.matching.commands.writing import export, generate

__all__ = ["therapists"]

therapists = typer.Typer(help="The directory of therapists.", no_args_is_help=True)
therapists.command("import")(import_)
therapists.command("list")(list_)
therapists.command()(show)
therapists.command()(export)
therapists.command()(generate)
