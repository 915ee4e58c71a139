"""Gives back the seat of a course that has ended."""

import json
from typing import Annotated
from uuid import UUID

import typer

from services.matching import store
from services.matching.commands.directory import in_directory
from services.matching.store import Held
from shared.contract.ids import RequestId
from shared.kit.command_line import AsJson
from shared.kit.transaction import Transaction


def end(
    request_id: Annotated[
        UUID,
        typer.Argument(
            metavar="REQUEST", help="The id of the case, as in its address in review.", show_default=False
        ),
    ],
    whole_group: Annotated[
        bool,
        typer.Option("--whole-group", help="Of somebody in a group: end the course of all who are in it."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Give back the seat of a course that has ended; within seconds it is offered to who waits.

    The client is told nothing, and their case stays as it is: who needs somebody else is decided in review.

    A group has one seat for all, and ends by itself once its course must be over.

    With `--whole-group` it ends now, and its leader's weekly time is free again.

    Exit code 0: given back. 1: refused, nothing changed; so it is with what was given back before.
    """

    async def work(tx: Transaction) -> tuple[Held | None, str | None]:
        held = await store.lock_held(tx, RequestId(request_id))
        refusal = _refusal(held, whole_group=whole_group)
        if held is not None and refusal is None:
            await store.end_course(tx, held)
        return held, refusal

    held, refusal = in_directory(work)
    if held is None or refusal is not None:
        typer.echo(f"request {request_id} {refusal}", err=True)
        raise typer.Exit(1)
    ended = [str(each) for each in (held.request_id, *held.others)]
    if as_json:
        typer.echo(json.dumps({"therapist": str(held.therapist_id), "ended": ended}))
        return
    typer.echo(f"one seat of therapist {held.therapist_id} was given back; the course has ended of")
    for each in ended:
        typer.echo(f"  {each}")


def _refusal(held: Held | None, *, whole_group: bool) -> str | None:
    """What keeps a course from being ended; None if nothing does."""
    if held is None:
        return "has no seat, and never had one"
    if held.freed_at is not None:
        return f"has no seat any more: given back on {held.freed_at:%Y-%m-%d} ({held.freed_because})"
    if held.gathers:
        return "has a place in a group that still gathers: no course has begun"
    if held.group_id is not None and not whole_group:
        return f"is in a group with {len(held.others)} others: `--whole-group` ends the course of all of them"
    if held.group_id is None and whole_group:
        return "has a seat alone, in no group: leave `--whole-group` out"
    return None
