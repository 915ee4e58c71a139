"""Matching's command line: run, migrate, the directory and who may use it, seats, and replay."""

from services.matching.app import build_app
from services.matching.commands import api_keys, places, seats, therapists
from services.matching.commands.compiling import compile_
from services.matching.commands.replaying import replay
from services.matching.handlers import handlers
from services.matching.settings import Settings
from shared.kit.command_line import command_line

app = command_line(
    "matching", "Ranks therapists, explains the ranking, gives out seats.", Settings, build_app, handlers
)
app.add_typer(therapists, name="therapists")
app.add_typer(seats, name="seats")
app.add_typer(api_keys, name="api-keys")
app.add_typer(places, name="places")
app.command("compile")(compile_)
app.command()(replay)

if __name__ == "__main__":
    app()
