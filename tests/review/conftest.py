"""What review's tests stand on: a prefix, databases and an office of their own for each test."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from services.review.app import build_app
from services.review.settings import Settings
from shared.kit import migrating
from shared.kit.clock import MovableClock
from shared.kit.service import furnished
from tests.review.builders import NOON, Office
from tests.support.stack import Stack


@pytest.fixture
async def settings(
    stack: Stack, topic_prefix: str, make_database: Callable[[str], Awaitable[str]]
) -> Settings:
    """Review's settings for one test, on migrated databases."""
    settings = Settings(
        kafka_url=stack.kafka_url,
        kafka_topic_prefix=topic_prefix,
        database_url=await make_database("review"),
        keyring_url=await make_database("keyring"),
        sealing_key_contact=base64.b64encode(b"c" * 32).decode(),
        sealing_key_clinical=base64.b64encode(b"k" * 32).decode(),
        http_port=0,
        database_pool_size=8,
        startup_wait_seconds=30,
        relay_poll_seconds=0.2,
        public_url="http://127.0.0.1:8003",
    )
    await migrating.migrate(settings.keyring_url.get_secret_value(), migrating.of_keyring())
    await migrating.migrate(settings.database_url.get_secret_value(), migrating.of_service("review"))
    return settings


@pytest.fixture
async def office(settings: Settings) -> AsyncIterator[Office]:
    """The real app on its real database, its clock standing at noon."""
    clock = MovableClock(NOON)
    app = build_app(settings, clock)
    async with furnished(app.state.plan, asyncio.Event()) as (service, _bound):
        app.state.service = service
        app.state.provided = service.provided
        yield Office(app, service, clock)
