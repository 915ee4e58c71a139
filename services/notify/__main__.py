"""Notify's command line: run, migrate, and what a person finds out about messages."""

import json
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from services.notify import store
from services.notify.app import build_app
from services.notify.domain.jobs import Status, Verdict
from services.notify.handlers import handlers
from services.notify.handlers.telling import tell
from services.notify.settings import Settings
from services.notify.store import Message
from shared.kit.command_line import command_line, furnish
from shared.kit.handlers import Bound
from shared.kit.service import Service

AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]

messages = typer.Typer(help="Messages and what became of them; never what they say.", no_args_is_help=True)


@messages.command("list")
def list_(
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    as_json: AsJson = False,
) -> None:
    """List messages, the newest first."""

    async def work(service: Service, _bound: Bound) -> list[dict[str, Any]]:
        async with service.database.transaction() as tx:
            return [_summary(message) for message in await store.list_messages(tx, status, limit)]

    rows = furnish(Settings, build_app, work)
    if as_json:
        typer.echo(json.dumps(rows))
        return
    columns = ("id", "kind", "recipient", "status", "attempts", "created_at")
    table = Table(*columns)
    for row in rows:
        table.add_row(*(str(row[column]) for column in columns))
    Console().print(table if rows else "there are no such messages")


@messages.command()
def show(message_id: UUID, as_json: AsJson = False) -> None:
    """Show one message's story."""

    async def work(service: Service, _bound: Bound) -> dict[str, Any] | None:
        async with service.database.transaction() as tx:
            message = await store.find_message(tx, message_id)
            return None if message is None else _summary(message)

    row = furnish(Settings, build_app, work)
    if row is None:
        typer.echo(f"there is no message {message_id}", err=True)
        raise typer.Exit(1)
    typer.echo(json.dumps(row) if as_json else "\n".join(f"{name:16} {value}" for name, value in row.items()))


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

    async def work(service: Service, _bound: Bound) -> bool:
        async with service.database.transaction() as tx:
            message = await store.find_message(tx, message_id)
            if message is None or message.status is not Status.UNCERTAIN:
                return False
            verdict = Verdict(Status.SENT) if arrived else Verdict(Status.PENDING, next_attempt_at=tx.now)
            await store.settle(tx, message, verdict)
            await tell(tx, message, verdict)
            return True

    if not furnish(Settings, build_app, work):
        typer.echo(f"there is no uncertain message {message_id}", err=True)
        raise typer.Exit(1)
    typer.echo("recorded as arrived" if arrived else "will be sent again")


def _summary(message: Message) -> dict[str, Any]:
    return {
        "id": str(message.id),
        "request_id": str(message.request_id),
        "cause_id": str(message.cause_id),
        "kind": message.kind.value,
        "recipient": message.recipient.value,
        "status": message.status.value,
        "attempts": message.attempts,
        "smtp_code": message.smtp_code,
        "created_at": message.created_at.isoformat(),
        "settled_at": message.settled_at.isoformat() if message.settled_at else None,
    }


app = command_line(
    "notify", "Tells people by mail, once, and says what became of it.", Settings, build_app, handlers
)
app.add_typer(messages, name="messages")

if __name__ == "__main__":
    app()
