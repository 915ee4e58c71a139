"""Intake's command line: run, migrate, and the partners that may send requests in."""

import json
import re
from collections.abc import Awaitable, Callable
from typing import Annotated, NoReturn, TypeVar

import typer

from services.intake import store
from services.intake.app import build_app
from services.intake.handlers import handlers
from services.intake.settings import Settings
from shared.kit.command_line import command_line, furnish
from shared.kit.handlers import Bound
from shared.kit.service import Service
from shared.kit.transaction import Transaction

T = TypeVar("T")
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
Name = Annotated[str, typer.Argument(help="The partner's name, as staff know it.", show_default=False)]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .&'_-]{0,79}")
_SOURCE = re.compile(r"[\x21-\x7e]{1,200}")

partners = typer.Typer(help="Other systems that may send requests in.", no_args_is_help=True)


@partners.command()
def add(
    name: Name,
    source: Annotated[
        str | None,
        typer.Option(help="The CloudEvents source that the partner writes; made of the name if not given."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Let a partner in; prints the API key, this once."""
    if not _NAME.fullmatch(name):
        _fail("the name may have 80 letters, digits, spaces and . & ' _ -, and begins with a letter or digit")
    source = source or f"urn:attune:partner:{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}"
    if not _SOURCE.fullmatch(source):
        _fail("the source may have 200 printable ASCII characters without spaces")
    key = _in_database(lambda tx: store.add_partner(tx, name, source))
    if key is None:
        _fail("there is, or was, a partner with this name or this source")
    if as_json:
        typer.echo(json.dumps({"name": name, "source": source, "key": key}))
        return
    typer.echo(f"{name} may send requests in.")
    typer.echo(f"  over HTTP   Authorization: Bearer {key}")
    typer.echo(f"  over Kafka  ce_source: {source}")
    typer.echo("The key is not kept here and cannot be shown again.")


@partners.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all partners that were ever let in."""
    found = _in_database(store.partners)
    if as_json:
        rows = [
            {
                "name": each.name,
                "source": each.source,
                "added_at": each.added_at.isoformat(),
                "revoked_at": None if each.revoked_at is None else each.revoked_at.isoformat(),
            }
            for each in found
        ]
        typer.echo(json.dumps(rows))
        return
    for each in found:
        shut = "" if each.revoked_at is None else f"  revoked {each.revoked_at:%Y-%m-%d}"
        typer.echo(f"{each.name:30} {each.source}{shut}")
    if not found:
        typer.echo("there are no partners")


@partners.command("new-key")
def new_key(name: Name, as_json: AsJson = False) -> None:
    """Give a partner another API key, for one that leaked or was revoked; the old one opens nothing then."""
    key = _in_database(lambda tx: store.renew_key(tx, name))
    if key is None:
        _fail("there is no partner of this name")
    if as_json:
        typer.echo(json.dumps({"name": name, "key": key}))
        return
    typer.echo(f"{name} may send requests in, with this key alone: Authorization: Bearer {key}")
    typer.echo("The key is not kept here and cannot be shown again.")


@partners.command()
def revoke(name: Name) -> None:
    """Shut the door to a partner at once; what it has sent stays."""
    if not _in_database(lambda tx: store.revoke_partner(tx, name)):
        _fail("there is no such partner, or its key was revoked before")
    typer.echo(f"{name} can no longer send requests in")


def _in_database(work: Callable[[Transaction], Awaitable[T]]) -> T:
    async def inside(service: Service, _: Bound) -> T:
        async with service.database.transaction() as tx:
            return await work(tx)

    return furnish(Settings, build_app, inside)


def _fail(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(1)


app = command_line("intake", "Takes search requests in through three doors.", Settings, build_app, handlers)
app.add_typer(partners, name="partners")

if __name__ == "__main__":
    app()
