"""What matching's tests stand on: a prefix and databases of their own for each test."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from services.matching.handlers import Matcher
from services.matching.settings import Settings
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.testing import service_database
from tests.matching.apart import Apart, apart
from tests.matching.gathering import Hear
from tests.matching.processes import Process
from tests.matching.recorded import a_matcher
from tests.support.environment import CLINICAL_KEY, CornerOf


@pytest.fixture
async def settings(corner_of: CornerOf) -> Settings:
    """Matching's settings for one test."""
    return Settings(
        **await corner_of("matching"),
        sealing_key_clinical=CLINICAL_KEY,
        database_pool_size=12,
        reoffer_poll_seconds=0.2,
    )


@pytest.fixture
def clock() -> MovableClock:
    """The morning of the day that the builders' therapists were confirmed."""
    return MovableClock(datetime(2026, 11, 24, 9, 0, tzinfo=UTC))


@pytest.fixture
async def database(settings: Settings, clock: MovableClock) -> AsyncIterator[Database]:
    """Matching's migrated database."""
    async with service_database("matching", settings, clock) as database:
        yield database


@pytest.fixture
def process(database: Database) -> Process:
    """A process that matches."""
    return Process(database)


@pytest.fixture
async def another(settings: Settings, clock: MovableClock) -> AsyncIterator[Process]:
    """A second process on the same database."""
    async with service_database("matching", settings, clock) as database:
        yield Process(database)


@pytest.fixture
async def databases(
    database: Database, settings: Settings, clock: MovableClock
) -> AsyncIterator[tuple[Database, Database]]:
    """One database, as two processes reach it."""
    async with service_database("matching", settings, clock) as another:
        yield database, another


@pytest.fixture
async def both_apart(
    database: Database, settings: Settings, clock: MovableClock
) -> AsyncIterator[tuple[Apart, Apart]]:
    """Two processes of the operating system on the test's database."""
    async with apart(settings, clock) as one, apart(settings, clock) as other:
        yield one, other


@pytest.fixture
async def watched(
    database: Database, clock: MovableClock, settings: Settings
) -> AsyncIterator[tuple[Process, list[str]]]:
    """A process, and every statement that it asks of the database."""
    asked: list[str] = []

    async def listen(connection: Any) -> None:
        connection.add_query_logger(lambda record: asked.append(record.query))

    pool = await asyncpg.create_pool(
        settings.database_url.get_secret_value(), init=listen, min_size=1, max_size=3
    )
    try:
        yield Process(Database(pool, service="matching", keys=database.keys, clock=clock)), asked
    finally:
        await pool.close()


@pytest.fixture
def matcher() -> Matcher:
    """What a process has for ranking when it has just begun."""
    return a_matcher()


@pytest.fixture
def hear(database: Database, matcher: Matcher) -> Hear:
    """Lets matching hear an event, and returns what it says about it."""

    return Process(database, matcher=matcher).hear
