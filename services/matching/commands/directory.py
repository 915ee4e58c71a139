"""How a command reaches the directory, and where it shows what it does."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import typer
from rich.console import Console
from rich.progress import Progress

from services.matching.app import load_places, load_rules
from services.matching.domain.place import Places
from services.matching.domain.ranking import Rules
from services.matching.settings import DirectorySettings, PlacesSettings, RulesSettings
from shared.kit.command_line import database_of, finish, loaded
from shared.kit.errors import Fatal
from shared.kit.outbox import wake_relay
from shared.kit.transaction import Transaction

T = TypeVar("T")

INTERRUPTED = 130
"""What a shell expects of a command that was ended by Ctrl-C."""


def places_of(settings: PlacesSettings) -> Places:
    """The postcode districts that the settings name; exit code 2 if they cannot be read."""
    return _readable(lambda: load_places(settings.places_file))


def rules_of(settings: RulesSettings) -> Rules:
    """The policy and the places that the settings name; exit code 2 if they cannot be read."""
    return _readable(lambda: load_rules(settings.policy_file, settings.places_file))


def in_directory(work: Callable[[Transaction], Awaitable[T]]) -> T:
    """Does the work in one transaction on the directory's database; what is cut short has changed nothing."""
    settings = loaded(DirectorySettings)

    async def inside() -> T:
        connection = await asyncpg.connect(
            settings.database_url.get_secret_value(), timeout=10, command_timeout=60
        )
        try:
            async with connection.transaction():
                tx = _transaction(connection)
                done = await work(tx)
                if tx.said.events:
                    await wake_relay(connection)
                return done
        except asyncpg.UndefinedTableError:
            typer.echo(
                "the database has no directory yet: run `python -m services.matching migrate`", err=True
            )
            raise typer.Exit(1) from None
        except Exception:
            # A driver that is interrupted may end in an error of its own.
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError from None
            raise
        finally:
            await connection.close(timeout=5)

    with interruptible():
        return finish(inside(), database_of(settings))


@contextmanager
def interruptible() -> Iterator[None]:
    """Says, when somebody presses Ctrl-C meanwhile, that nothing has come of it."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("interrupted: nothing was changed", err=True)
        raise typer.Exit(INTERRUPTED) from None


def progress(*, quiet: bool) -> Progress:
    """A bar beside the result; it has gone from the screen before anything else is said."""
    return Progress(console=screen(), disable=quiet)


def screen() -> Console:
    """Where progress and reports go: beside the result, so that a pipe gets the result alone."""
    return console(stderr=True)


def console(*, stderr: bool = False) -> Console:
    """A console that takes what is in the directory as it stands, also if it looks like markup."""
    return Console(stderr=stderr, highlight=False, markup=False)


def listing() -> Console:
    """The same for an entry a line, however narrow the screen, for ids to be copied and names to be found."""
    return Console(width=10_000, highlight=False, markup=False)


def _readable(load: Callable[[], T]) -> T:
    try:
        return load()
    except Fatal as fatal:
        typer.echo(str(fatal), err=True)
        raise typer.Exit(2) from None


def _transaction(connection: asyncpg.Connection) -> Transaction:
    return Transaction(connection, service="matching", keys=_NoKeys(), now=datetime.now(UTC))


class _NoKeys:
    """Nothing that a client told is opened by these commands, so that they need no keys."""

    def may_open(self, _purpose: object) -> bool:
        return False

    async def key_for(self, _purpose: object, _subject_id: UUID) -> Any:
        raise PermissionError

    async def key_by_id(self, _purpose: object, _kid: UUID) -> Any:
        raise PermissionError

    async def keys_by_id(self, _purpose: object, _kids: object) -> Any:
        raise PermissionError
