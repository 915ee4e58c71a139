"""Migrations are applied once, in order, by however many try; a changed one is refused."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from shared.kit import migrating
from shared.kit.errors import Fatal
from shared.kit.migrating import Migration

FIRST = Migration("test/0001_people.sql", "CREATE TABLE people (id integer PRIMARY KEY, name text);")
SECOND = Migration(
    "test/0002_index.sql",
    "-- no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS people_by_name ON people (name);\n",
)
MakeDatabase = Callable[[str], Awaitable[str]]


async def test_eight_at_once_leave_one_clean_schema(make_database: MakeDatabase) -> None:
    url = await make_database("migrated")

    applied = await asyncio.gather(*(migrating.migrate(url, [FIRST, SECOND]) for _ in range(8)))

    assert sorted(name for names in applied for name in names) == [FIRST.name, SECOND.name]
    connection = await asyncpg.connect(url)
    try:
        valid = await connection.fetchval(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'people_by_name'::regclass"
        )
        assert valid is True
        assert await migrating.missing(connection, [FIRST, SECOND]) == []
    finally:
        await connection.close()


async def test_a_migration_that_was_changed_afterwards_is_refused(make_database: MakeDatabase) -> None:
    url = await make_database("migrated")
    await migrating.migrate(url, [FIRST])

    with pytest.raises(Fatal, match=r"0001_people\.sql was changed after it was applied"):
        await migrating.migrate(url, [Migration(FIRST.name, FIRST.sql + " -- edited")])


async def test_a_migration_that_fails_leaves_nothing_behind(make_database: MakeDatabase) -> None:
    url = await make_database("migrated")
    broken = Migration("test/0001_broken.sql", "CREATE TABLE halves (id integer); SELECT 1/0;")

    with pytest.raises(Fatal, match=r"0001_broken\.sql failed"):
        await migrating.migrate(url, [broken])

    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval("SELECT to_regclass('halves')") is None
        assert await migrating.missing(connection, [broken]) == [broken.name]
    finally:
        await connection.close()


async def test_a_database_that_cannot_be_had_ends_in_a_clear_error() -> None:
    with pytest.raises(Fatal, match="did not answer within 1 s"):
        await migrating.migrate("postgresql://nobody@127.0.0.1:1/nothing", [FIRST], wait_seconds=1)
