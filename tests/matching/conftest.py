"""What matching's tests stand on: a prefix and databases of their own for each test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from services.matching.app import build_app
from services.matching.domain.comparing import Book
from services.matching.domain.ranking import Rules
from services.matching.handlers import Matcher, Shadow
from services.matching.settings import Settings
from services.matching.store import Role
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.testing import service_database
from tests.matching.apart import Apart, apart
from tests.matching.builders import RULES
from tests.matching.commands import Command, Outcome, begun, ended
from tests.matching.door import STREAMS, Door, Headers
from tests.matching.gathering import Hear
from tests.matching.priced import ANYBODY, GENERALIST, ONLY_THERE, SPECIALIST, came
from tests.matching.processes import Process
from tests.matching.recorded import a_matcher, another_policy, in_directory, rules_of
from tests.matching.shadowed import ADA, ADA_FIRST, BEN
from tests.support.environment import CLINICAL_KEY, CornerOf, environment
from tests.support.streams import Streams


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
async def door(
    settings: Settings,
    database: Database,
    clock: MovableClock,
    create_topics: Callable[..., Awaitable[None]],
) -> AsyncIterator[Door]:
    """A running matching, and hands to try its door with."""
    await create_topics(STREAMS)
    app = build_app(settings, clock)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://matching.example") as http:
            yield Door(http, database, Streams(settings.kafka_url, settings.kafka_topic_prefix), clock)


@pytest.fixture
async def reader(door: Door) -> Headers:
    """The key of a system that may read."""
    return await door.key("partner site", Role.READER)


@pytest.fixture
async def editor(door: Door) -> Headers:
    """The key of a system that may change entries."""
    return await door.key("practice system", Role.EDITOR)


@pytest.fixture
def therapists(settings: Settings, database: Database) -> Command:
    """Runs `python -m services.matching therapists …` on the database of the test."""
    needed = {"DATABASE_URL": environment(settings)["DATABASE_URL"]}

    async def run(*arguments: str | Path) -> Outcome:
        return await ended(await begun(needed, "therapists", *arguments))

    return run


@pytest.fixture
def matcher() -> Matcher:
    """What a process has for ranking when it has just begun."""
    return a_matcher()


@pytest.fixture
def hear(database: Database, matcher: Matcher) -> Hear:
    """Lets matching hear an event, and returns what it says about it."""

    return Process(database, matcher=matcher).hear


@pytest.fixture
def tried(tmp_path: Path) -> Rules:
    """A policy that puts Ada first, where the live one puts Ben."""
    return rules_of(another_policy(tmp_path, problem_area=ADA_FIRST))


@pytest.fixture
def book(tried: Rules) -> Book:
    """What is told of the comparison, and nothing in it yet."""
    return Book(live=RULES.policy.version, shadow=tried.policy.version)


@pytest.fixture
async def shadow(database: Database, tried: Rules, book: Book) -> Shadow:
    """That policy beside the live one, from now on."""
    await in_directory(database, ADA, BEN)
    shadow = Shadow(RULES, tried, book)
    await shadow.begin(database)
    return shadow


@pytest.fixture
async def busy(database: Database) -> None:
    """A clinic where more adolescents ask than the only one for them has seats."""
    await in_directory(database, SPECIALIST, GENERALIST)
    await came(database, ONLY_THERE, 14)
    await came(database, ANYBODY, 14)
