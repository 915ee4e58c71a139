"""Lets other systems use the directory over HTTP, and shuts them out."""

import json
import re
from typing import Annotated, NoReturn

import typer

from services.matching.commands.directory import in_directory
from services.matching.store import Role, add_caller, callers, revoke_caller
from shared.kit.command_line import AsJson

Name = Annotated[str, typer.Argument(help="What the other system is called.", show_default=False)]
NewName = Annotated[
    str,
    typer.Argument(
        help="What the other system is called; the name of one that was shut out is never given again.",
        show_default=False,
    ),
]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .&'_-]{0,79}")


def add(
    name: NewName,
    role: Annotated[
        Role, typer.Option(help="A reader sees entries; an editor sees them whole and changes them.")
    ] = Role.READER,
    as_json: AsJson = False,
) -> None:
    """Let a system in; prints its API key, this once."""
    if not _NAME.fullmatch(name):
        _fail("the name may have 80 letters, digits, spaces and . & ' _ -, and begins with a letter or digit")
    key = in_directory(lambda tx: add_caller(tx, name, role))
    if key is None:
        _fail("there is, or was, a system of this name")
    if as_json:
        typer.echo(json.dumps({"name": name, "role": role, "key": key}))
        return
    typer.echo(f"{name} may {'change' if role is Role.EDITOR else 'read'} the directory.")
    typer.echo(f"  Authorization: Bearer {key}")
    typer.echo("The key is not kept here and cannot be shown again.")


def list_(as_json: AsJson = False) -> None:
    """List all systems that were ever let in."""
    found = in_directory(callers)
    if as_json:
        rows = [
            {
                "name": each.name,
                "role": each.role,
                "added_at": each.added_at.isoformat(),
                "revoked_at": None if each.revoked_at is None else each.revoked_at.isoformat(),
            }
            for each in found
        ]
        typer.echo(json.dumps(rows))
        return
    for each in found:
        shut = "" if each.revoked_at is None else f"  revoked {each.revoked_at:%Y-%m-%d}"
        typer.echo(f"{each.name:30} {each.role}{shut}")
    if not found:
        typer.echo("no other system may use the directory")


def revoke(name: Name, as_json: AsJson = False) -> None:
    """Shut a system out at once and for good.

    Its name stays on the list and is never given again: to let the system
    in anew, add it under another name.
    """
    if not in_directory(lambda tx: revoke_caller(tx, name)):
        _fail("there is no such system, or its key was revoked before")
    if as_json:
        typer.echo(json.dumps({"name": name, "revoked": True}))
        return
    typer.echo(f"{name} can no longer use the directory")


def _fail(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(1)
