"""Notify's command line: run, migrate, and what a person finds out about messages."""

import dataclasses
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from services.notify import store
from services.notify.app import build_app
from services.notify.domain.jobs import NO_LONGER_WANTED, Status, Verdict
from services.notify.handlers import handlers
from services.notify.handlers.telling import tell
from services.notify.settings import Settings
from services.notify.store import Message
from shared.kit.command_line import command_line, furnish
from shared.kit.handlers import Bound
from shared.kit.service import Service
from shared.kit.transaction import Transaction

T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]

messages = typer.Typer(help="Messages and what became of them; never what they say.", no_args_is_help=True)


@messages.command("list")
def list_(
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
    as_json: AsJson = False,
) -> None:
    """List messages, the newest first."""
    found = _in_database(lambda tx: store.list_messages(tx, status, limit))
    if as_json:
        typer.echo(json.dumps([_summary(message) for message in found]))
        return
    columns = ("id", "request_id", "kind", "recipient", "status", "attempts", "created_at")
    table = Table(*columns)
    for row in map(_summary, found):
        table.add_row(*(str(row[column]) for column in columns))
    Console().print(table if found else "there are no such messages")


@messages.command()
def show(message_id: UUID, as_json: AsJson = False) -> None:
    """Show one message's story; its Message-ID is what the mail server's own log knows it by."""
    message = _in_database(lambda tx: store.find_message(tx, message_id))
    if message is None:
        typer.echo(f"there is no message {message_id}", err=True)
        raise typer.Exit(1)
    row = _summary(message)
    if as_json:
        typer.echo(json.dumps(row))
        return
    for name, value in row.items():
        typer.echo(f"{name:16} {'-' if value is None else value}")


@messages.command()
def resolve(
    message_id: UUID,
    arrived: Annotated[bool, typer.Option("--arrived", help="It has arrived after all.")] = False,
    resend: Annotated[bool, typer.Option("--resend", help="It has not arrived: send it again.")] = False,
) -> None:
    """Settle an uncertain message, once a person has found out whether it arrived."""
    if arrived == resend:
        typer.echo("say either --arrived or --resend", err=True)
        raise typer.Exit(2)

    async def work(tx: Transaction) -> str | None:
        message = await store.find_message(tx, message_id)
        if message is None or message.status is not Status.UNCERTAIN:
            return None
        verdict, said = _resolution(message, tx.now, arrived=arrived)
        await store.settle(tx, message, verdict, anew=True)
        await tell(tx, message, verdict)
        return said

    said = _in_database(work)
    if said is None:
        typer.echo(f"there is no uncertain message {message_id}", err=True)
        raise typer.Exit(1)
    typer.echo(said)


def _resolution(message: Message, now: datetime, *, arrived: bool) -> tuple[Verdict, str]:
    if arrived:
        return Verdict(Status.SENT), "recorded as arrived"
    if message.unwanted_at is not None:
        return NO_LONGER_WANTED, "recorded as not arrived; it is no longer true, so it is not sent again"
    return Verdict(Status.PENDING, next_attempt_at=now), "will be sent again"


def _in_database(work: Callable[[Transaction], Awaitable[T]]) -> T:
    async def inside(service: Service, _bound: Bound) -> T:
        async with service.database.transaction() as tx:
            return await work(tx)

    return furnish(Settings, build_app, inside)


def _summary(message: Message) -> dict[str, Any]:
    fields = {name.name: getattr(message, name.name) for name in dataclasses.fields(message)}
    del fields["mail"], fields["cause"], fields["lease_until"]
    fields |= {"cause_id": message.cause.id, "cause_type": message.cause.type}
    return {name: _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return str(value) if value is not None and not isinstance(value, int) else value


app = command_line(
    "notify", "Tells people by mail, once, and says what became of it.", Settings, build_app, handlers
)
app.add_typer(messages, name="messages")

if __name__ == "__main__":
    app()
