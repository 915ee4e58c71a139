"""The command line of the local stack: up, status, run, down, demo."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.local import mailbox, running, services
from deploy.local.faults import StackFault
from deploy.local.services import ROOT
from deploy.local.state import State, Status
from deploy.local.supervisor import Supervisor

STATE = ROOT / ".attune"

app = typer.Typer(
    name="python -m deploy.local",
    help="Runs the whole of Attune on this machine: Kafka, PostgreSQL, SMTP and the four services.\n\n"
    "`make up`, `make status`, `make down` and `make demo` call it; "
    "`run` is for the commands of the services, such as `run matching therapists list`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()

Folder = Annotated[Path, typer.Option("--state", help="Where the stack keeps its data, secrets and logs.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]


@app.command()
def up(state: Folder = STATE) -> None:
    """Start everything, or what is missing of it, and print the addresses and the staff sign-in."""
    try:
        found = running.up(state, console)
    except StackFault as fault:
        _give_up("Attune did not start", fault)
    console.print()
    for name, value in running.addresses(found).items():
        # Never cut: keys and addresses are there to be copied.
        console.print(f"{name:<22}  {escape(value)}", highlight=False, soft_wrap=True)
    console.print("\n`make status` tells how it is, `make down` stops it.", highlight=False)


@app.command()
def status(state: Folder = STATE, as_json: AsJson = False) -> None:
    """Tell how every part is; exits 1 unless all of them are up."""
    runner = State.load(state).runner() if (state / "state.json").exists() else None
    # What a killed run said last is not true any more.
    found = State(state).status() if runner is not None else Status(phase="down")
    if as_json:
        typer.echo(json.dumps(asdict(found) | {"well": found.well}))
    elif runner is None:
        typer.echo("Attune is down; `make up` starts it.")
    else:
        table = Table("part", "state", "restarts", "process", "")
        for name, part in found.parts.items():
            table.add_row(name, part.state, str(part.restarts), str(part.pid or ""), escape(part.detail))
        console.print(table)
        amiss = ", ".join(found.amiss) if found.phase == "up" else ""
        but = f", but not all of it: look at {amiss}" if amiss else ""
        console.print(f"Attune is {found.phase}{but}.", highlight=False)
    raise typer.Exit(0 if found.well else 1)


# What stands behind the first word is the command's own, also if it looks like an option of this one.
@app.command(context_settings={"allow_interspersed_args": False})
def run(
    whose: Annotated[
        str, typer.Argument(help=f"Whose command it is: {', '.join(services.COMMANDED)}.", show_default=False)
    ],
    command: Annotated[
        list[str] | None,
        typer.Argument(help="The command and its options; --help lists them.", show_default=False),
    ] = None,
    state: Folder = STATE,
) -> None:
    """Run a command of a service on the stack that is up, told what the service is told.

    It takes the place of this one: its exit code and what it prints are its own.

    Examples: run matching therapists list

    run review accounts --help

    run kit topics check deploy/kafka/topics.yaml: topics and keyring belong
    to no service
    """
    if whose not in services.COMMANDED:
        raise typer.BadParameter(f"{whose} is none of {', '.join(services.COMMANDED)}")
    # Who only asks makes no secrets for a stack that does not exist.
    found = State.load(state) if (state / "state.json").exists() else None
    if found is None or found.runner() is None:
        typer.echo("Attune is down; `make up` starts it.", err=True)
        raise typer.Exit(1)
    services.become(found, whose, command or ["--help"])


@app.command()
def down(state: Folder = STATE) -> None:
    """Stop everything in order; nothing that was accepted is lost."""
    typer.echo("Attune is down." if running.down(state, console) else "Attune was not running.")


@app.command()
def demo(
    state: Annotated[Path, typer.Option("--state", help="Where the demo's own stack lives.")] = STATE
    / "demo",
    keep: Annotated[bool, typer.Option("--keep", help="Keep data, mails and logs afterwards.")] = False,
) -> None:
    """Take four requests, a broken one and a group of four from submission to delivered mail.

    Says what happened, and exits 1 if anything is missing at the end.
    """
    # Only here, so that the other commands start quickly.
    from deploy.local.demo import run, showing  # noqa: PLC0415

    try:
        complete = run.play(state.absolute(), showing.screen(), keep=keep)
    except StackFault as fault:
        _give_up("The demo did not come to its end", fault)
    except KeyboardInterrupt:
        console.print("\nThe demo was stopped. Nothing of it runs any more.")
        raise typer.Exit(130) from None
    raise typer.Exit(0 if complete else 1)


@app.command(hidden=True)
def supervise(state: Folder = STATE) -> None:
    """Run the stack in the foreground."""
    raise typer.Exit(asyncio.run(Supervisor(State.load(state)).run()))


@app.command(hidden=True, name="mailbox")
def keep_mail(
    folder: Annotated[Path, typer.Option(help="Where mails are kept.")],
    port: Annotated[int, typer.Option(help="The loopback port.")],
) -> None:
    """Take mail over SMTP and keep it in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(mailbox.serve(folder, port))


def _give_up(what: str, fault: StackFault) -> None:
    console.print(f"[bold]{what}:[/bold] {escape(str(fault))}", highlight=False, soft_wrap=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
