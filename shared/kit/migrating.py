"""Applies numbered SQL files to a database, each once, however many processes try at the same time."""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from shared.kit.errors import Fatal
from shared.kit.servers import named

Connection = asyncpg.Connection | PoolConnectionProxy

KIT = Path(__file__).parent / "migrations"
KEYRING = Path(__file__).parent / "keyring" / "migrations"
SERVICES = Path(__file__).parents[2] / "services"

LOCK = 4_276_001
OUTSIDE = "-- no-transaction"

_TABLE = """
    CREATE TABLE IF NOT EXISTS migrations (
        name text PRIMARY KEY,
        checksum text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file; `name` is where it comes from and what it is called."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Proves that an applied file was not changed afterwards."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def outside_transaction(self) -> bool:
        """Whether it must run outside a transaction, as CREATE INDEX CONCURRENTLY must.

        Such a file may be cut short, so its statements (each ended by `;` at the end of a line) must be
        safe to repeat.
        """
        return self.sql.lstrip().startswith(OUTSIDE)


def of_service(service: str) -> list[Migration]:
    """The kit's migrations, then the service's own."""
    return [*read("kit", KIT), *read(service, SERVICES / service / "migrations")]


def of_keyring() -> list[Migration]:
    """The migrations of the keyring's database."""
    return read("keyring", KEYRING)


def read(origin: str, folder: Path) -> list[Migration]:
    """The numbered files of a folder, in order."""
    return [
        Migration(f"{origin}/{path.name}", path.read_text("utf-8")) for path in sorted(folder.glob("*.sql"))
    ]


async def migrate(url: str, migrations: Sequence[Migration], *, wait_seconds: float = 60) -> list[str]:
    """Applies what is not applied yet and returns their names; waits its turn if another process migrates."""
    connection = await connect(url, wait_seconds)
    try:
        await _wait_for_turn(connection, wait_seconds)
        await connection.execute(_TABLE)
        return [name for name in [await _apply(connection, each) for each in migrations] if name is not None]
    finally:
        # Closing the session releases the lock, whatever happened.
        await connection.close(timeout=5)


async def missing(connection: Connection, migrations: Iterable[Migration]) -> list[str]:
    """What this build needs and the database has not got; a database that is ahead is fine."""
    if await connection.fetchval("SELECT to_regclass('migrations')") is None:
        return [each.name for each in migrations]
    applied = await _applied(connection)
    return [each.name for each in migrations if applied.get(each.name) != each.checksum]


async def connect(url: str, wait_seconds: float, what: str = "the database") -> asyncpg.Connection:
    """One connection; waits for a database that is still starting, for a bounded time."""
    why = "no answer"
    try:
        async with asyncio.timeout(wait_seconds):
            while True:
                try:
                    return await asyncpg.connect(url, timeout=10)
                except (
                    OSError,
                    TimeoutError,
                    asyncpg.CannotConnectNowError,
                    asyncpg.TooManyConnectionsError,
                ) as error:
                    why = type(error).__name__
                    await asyncio.sleep(0.5)
    except TimeoutError:
        raise Fatal(f"{named(what, url)} did not answer within {wait_seconds:g} s: {why}") from None
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
        raise Fatal(f"{named(what, url)} refused the connection: {type(error).__name__}") from None


async def _wait_for_turn(connection: asyncpg.Connection, wait_seconds: float) -> None:
    # Polled: a session blocked on the lock would hold a snapshot that CREATE INDEX CONCURRENTLY waits for.
    try:
        async with asyncio.timeout(wait_seconds):
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise Fatal(f"another process has been migrating this database for {wait_seconds:g} s") from None


async def _apply(connection: asyncpg.Connection, migration: Migration) -> str | None:
    applied = await _applied(connection)
    if migration.name in applied:
        if applied[migration.name] != migration.checksum:
            raise Fatal(f"{migration.name} was changed after it was applied; add a new file instead")
        return None
    try:
        if migration.outside_transaction:
            for statement in migration.sql.split(";\n"):
                if _says_something(statement):
                    await connection.execute(statement)
            await _record(connection, migration)
        else:
            async with connection.transaction():
                await connection.execute(migration.sql)
                await _record(connection, migration)
    except asyncpg.PostgresError as error:
        raise Fatal(f"{migration.name} failed: {type(error).__name__}: {error.args[0]}") from error
    return migration.name


def _says_something(statement: str) -> bool:
    lines = (line.strip() for line in statement.splitlines())
    return any(line and not line.startswith("--") for line in lines)


async def _applied(connection: Connection) -> dict[str, str]:
    rows = await connection.fetch("SELECT name, checksum FROM migrations")
    return {row["name"]: row["checksum"] for row in rows}


async def _record(connection: asyncpg.Connection, migration: Migration) -> None:
    await connection.execute(
        "INSERT INTO migrations (name, checksum) VALUES ($1, $2)", migration.name, migration.checksum
    )
