"""The commands every service has: run, migrate, and what its dead letters and its outbox need."""

import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar
from uuid import UUID

import asyncpg
import typer
from starlette.applications import Starlette

from shared.kit import dead_letters, logs, migrating, running
from shared.kit.consuming import replaying
from shared.kit.errors import Fatal
from shared.kit.handlers import Bound, Handlers
from shared.kit.relay import rows as outbox_rows
from shared.kit.servers import SERVER_FAULTS, failed, named
from shared.kit.service import Service, furnished
from shared.kit.settings import DatabaseSettings, KeyringSettings, KitSettings, load

T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
Ids = Annotated[list[UUID], typer.Argument(help="Ids from `dead-letters list`.", show_default=False)]


def command_line(
    name: str,
    purpose: str,
    settings: type[KitSettings],
    build_app: Callable[[Any], Starlette],
    handlers: Handlers,
) -> typer.Typer:
    """`python -m services.<name>`; a service adds commands of its own to what this returns."""
    commands = typer.Typer(
        name=f"python -m services.{name}",
        help=f"{purpose}\n\nHears {', '.join(handlers.streams) or 'nothing'}.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @commands.command()
    def run() -> None:
        """Run the service until it is told to stop; exits non-zero if anything it needs fails."""
        given = loaded(settings)
        logs.configure(name, given.log_level)
        raise typer.Exit(running.run(_built(build_app, given), given))

    @commands.command()
    def migrate() -> None:
        """Bring the service's database up to date; safe to run at any time, by many at once."""
        given = loaded(DatabaseSettings)
        url = given.database_url.get_secret_value()
        applied = finish(migrating.migrate(url, migrating.of_service(name)), database_of(given))
        for migration in applied:
            typer.echo(f"applied {migration}")
        typer.echo(f"{name}: {len(applied)} migrations applied, the database is up to date")

    commands.add_typer(_dead_letters(name, settings, build_app), name="dead-letters")
    commands.add_typer(_outbox(name), name="outbox")
    return commands


def loaded(settings: type[T]) -> T:
    """The settings, or a list of what is wrong with them and exit code 2."""
    try:
        return load(settings)  # type: ignore[type-var]
    except Fatal as fatal:
        typer.echo(str(fatal), err=True)
        raise typer.Exit(2) from None


def _built(build_app: Callable[[Any], Starlette], settings: KitSettings) -> Starlette:
    try:
        return build_app(settings)
    except Fatal as fatal:
        # What a setting names cannot be used, so it is a wrong setting.
        typer.echo(str(fatal), err=True)
        raise typer.Exit(2) from None


def finish(work: Awaitable[T], servers: str) -> T:
    """Runs a command's work on these servers; a failure is one line that names them, and exit code 1."""
    # What a library complains about on the way is told in that line, or did not matter.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

    async def guarded() -> T:
        asyncio.get_running_loop().set_exception_handler(logs.on_loop_exception)
        return await work

    try:
        return asyncio.run(guarded())
    except Fatal as fatal:
        typer.echo(str(fatal), err=True)
    except SERVER_FAULTS as error:
        typer.echo(failed(servers, error), err=True)
    raise typer.Exit(1) from None


def database_of(settings: DatabaseSettings) -> str:
    """The service's database, as an operator knows it."""
    return named("the database", settings.database_url.get_secret_value())


def keyring_of(settings: KeyringSettings) -> str:
    """The keyring's database, as an operator knows it."""
    return named("the keyring", settings.keyring_url.get_secret_value())


def databases_of(settings: KitSettings) -> str:
    """Both, where work is done on the two together."""
    return f"{database_of(settings)} or {keyring_of(settings)}"


def furnish(
    settings: type[KitSettings],
    build_app: Callable[[Any], Starlette],
    work: Callable[[Service, Bound], Awaitable[T]],
) -> T:
    """Runs a command with the service's database, keyring and handlers, but without Kafka."""
    given = loaded(settings)
    logs.configure("command", "ERROR")

    async def inside() -> T:
        plan = build_app(given).state.plan
        async with furnished(plan, asyncio.Event()) as (service, bound):
            return await work(service, bound)

    return finish(inside(), databases_of(given))


@asynccontextmanager
async def _pool(settings: DatabaseSettings) -> Any:
    pool = await asyncpg.create_pool(
        settings.database_url.get_secret_value(), min_size=1, max_size=2, timeout=10, command_timeout=30
    )
    try:
        yield pool
    finally:
        await pool.close()


def _with_pool(work: Callable[[asyncpg.Pool], Awaitable[T]]) -> T:
    settings = loaded(DatabaseSettings)

    async def inside() -> T:
        async with _pool(settings) as pool:
            return await work(pool)

    return finish(inside(), database_of(settings))


def _dead_letters(
    name: str, settings: type[KitSettings], build_app: Callable[[Any], Starlette]
) -> typer.Typer:
    commands = typer.Typer(help="Records that could not be handled.", no_args_is_help=True)

    @commands.command("list")
    def list_(
        everything: Annotated[bool, typer.Option("--all", help="Settled ones, too.")] = False,
        limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
        as_json: AsJson = False,
    ) -> None:
        """List what lies there, the oldest first; never what was sent."""
        status = None if everything else "open"
        letters = _with_pool(lambda pool: dead_letters.listed(pool, status=status, limit=limit))
        _table(
            [letter.summary() for letter in letters],
            ("id", "parked_at", "consumer", "reason", "error_class", "event_type", "cycle", "status"),
            "no dead letters",
            as_json=as_json,
        )

    @commands.command()
    def show(
        dead_letter_id: UUID,
        payload: Annotated[
            bool, typer.Option("--payload", help="Also show what was sent. It may hold personal data.")
        ] = False,
        as_json: AsJson = False,
    ) -> None:
        """Show one dead letter's story."""
        letter = _with_pool(lambda pool: dead_letters.find(pool, dead_letter_id))
        if letter is None:
            typer.echo(f"there is no dead letter {dead_letter_id}", err=True)
            raise typer.Exit(1)
        shown = letter.summary()
        if payload:
            typer.echo("what follows may hold personal data: keep it to yourself", err=True)
            shown["headers"] = [
                [each, (value or b"").decode("utf-8", "replace")] for each, value in letter.record.headers
            ]
            shown["value"] = (letter.record.value or b"").decode("utf-8", "replace")
        if as_json:
            typer.echo(json.dumps(shown))
        else:
            for field, value in shown.items():
                typer.echo(f"{field:13} {value if value is not None else '-'}")

    @commands.command()
    def replay(ids: Ids, as_json: AsJson = False) -> None:
        """Handle records again, as if they had just come; one that fails again stays."""

        async def work(service: Service, bound: Bound) -> list[replaying.Replayed]:
            return await replaying.replay(service.database, bound, ids)

        results = furnish(settings, build_app, work)
        _table(
            [{"id": str(each.id), "outcome": each.outcome, "reason": each.reason} for each in results],
            ("id", "outcome", "reason"),
            "nothing replayed",
            as_json=as_json,
        )
        if any(each.outcome is None for each in results):
            raise typer.Exit(1)

    @commands.command()
    def discard(ids: Ids, as_json: AsJson = False) -> None:
        """Give records up: their story stays, what was sent is deleted."""

        async def work(service: Service, _bound: Bound) -> list[UUID]:
            return await dead_letters.discard(service.database, ids)

        gone = furnish(settings, build_app, work)
        _table([{"id": str(each)} for each in gone], ("id",), "nothing was open", as_json=as_json)
        if len(gone) < len(set(ids)):
            typer.echo(f"{len(set(ids)) - len(gone)} of them were not open in {name}", err=True)
            raise typer.Exit(1)

    return commands


def _outbox(name: str) -> typer.Typer:
    commands = typer.Typer(help=f"What {name} has said and Kafka refuses.", no_args_is_help=True)

    @commands.command()
    def parked(as_json: AsJson = False) -> None:
        """List the rows that Kafka refused; later rows of the same request wait behind them."""
        rows = _with_pool(outbox_rows.parked)
        _table(
            [{name: str(value) for name, value in row.items()} for row in rows],
            ("id", "event_id", "stream", "size", "parked_at", "parked_reason"),
            "nothing is parked",
            as_json=as_json,
        )

    @commands.command()
    def release() -> None:
        """Try all parked rows again, once the topic, its rights or its limit are mended."""
        typer.echo(f"{_with_pool(outbox_rows.release)} rows released")

    @commands.command()
    def drop(row_id: int) -> None:
        """Give one parked row up: nobody will hear that event."""
        if not _with_pool(lambda pool: outbox_rows.drop(pool, row_id)):
            typer.echo(f"row {row_id} is not parked", err=True)
            raise typer.Exit(1)
        typer.echo(f"row {row_id} dropped")

    return commands


def _table(rows: Sequence[dict[str, Any]], columns: Sequence[str], nothing: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows))
        return
    if not rows:
        typer.echo(nothing)
        return
    texts = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(columns, *texts, strict=True)]
    for cells in [list(columns), *texts]:
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        sys.stdout.write(line.rstrip() + "\n")


def _cell(value: object) -> str:
    return "-" if value is None else str(value)
