"""What review's tests stand on: a prefix, databases and an office of their own for each test."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.review.app import build_app
from services.review.settings import Settings
from shared.kit import migrating
from shared.kit.clock import MovableClock
from shared.kit.service import furnished
from tests.review.builders import NOON, Office
from tests.support.environment import CLINICAL_KEY, CornerOf


@pytest.fixture
async def settings(corner_of: CornerOf) -> Settings:
    """Review's settings for one test, on migrated databases."""
    settings = Settings(
        **await corner_of("review"),
        sealing_key_clinical=CLINICAL_KEY,
        database_pool_size=8,
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
