"""Tells who drops out of the directory, before their clients find out."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from services.matching.commands.directory import in_directory, listing, rules_of
from services.matching.settings import RulesSettings
from services.matching.store import SOON, Expiry
from services.matching.store import expiring as expiring_by
from shared.ages import day_in_london
from shared.kit.command_line import AsJson, loaded


def expiring(
    within: Annotated[
        int,
        typer.Option(help="How many days ahead to look; 0 shows only who has dropped out.", min=0, max=3650),
    ] = SOON.days,
    as_json: AsJson = False,
) -> None:
    """List who is not proposed any more, or soon will not be, because something has run out.

    An entry that nobody has confirmed for the policy's `fresh_days` is not
    proposed, nor is who has no live registration or accreditation. Confirm it
    over HTTP or import it again with what is new; set `seats` to 0 for who
    takes nobody any more, or remove them.
    """
    policy = rules_of(loaded(RulesSettings)).policy
    today = day_in_london(datetime.now(UTC))
    then = today + timedelta(days=within)
    found = in_directory(lambda tx: expiring_by(tx, then, policy.fresh_days))
    if as_json:
        typer.echo(json.dumps([_document(each, today) for each in found]))
        return
    table = Table("last day", "what", "therapist", "id", box=None, pad_edge=False)
    for each in found:
        what = each.what if each.variant is None else f"{each.what} for {each.variant}"
        last_day = f"{each.last_day}, {_how_far(each, today)}"
        table.add_row(last_day, what, each.name, str(each.therapist_id))
    nothing = f"nothing runs out within {within} days" if within else "nothing has run out"
    listing().print(table if found else nothing)


def _how_far(each: Expiry, today: date) -> str:
    if each.is_over(today):
        return "has run out"
    days = (each.last_day - today).days
    return "today" if days == 0 else f"in {days} day{'s' if days > 1 else ''}"


def _document(each: Expiry, today: date) -> dict[str, Any]:
    return {
        "id": str(each.therapist_id),
        "name": each.name,
        "what": each.what,
        "variant": each.variant,
        "last_day": str(each.last_day),
        "has_run_out": each.is_over(today),
        "seats_offered": each.seats_offered,
        "seats_free": each.seats_free,
    }
