"""What tests of the directory stand on: its door, and its commands."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from services.matching.app import build_app
from services.matching.settings import Settings
from services.matching.store import Role
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.commands import Command, Outcome, begun, ended
from tests.matching.directory.door import STREAMS, Door, Headers
from tests.support.environment import environment
from tests.support.streams import Streams


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
