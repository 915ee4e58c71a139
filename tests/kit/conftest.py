"""What the kit's tests stand on: a prefix and databases of their own for each test."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from shared.kit.database import Database
from shared.kit.keyring import Keyring
from shared.kit.settings import KitSettings
from shared.kit.testing import service_database
from tests.support.environment import CLINICAL_KEY, CornerOf
from tests.support.marks import DEAD, PROPOSALS, REQUESTS
from tests.support.probe import EFFECTS
from tests.support.stack import Stack
from tests.support.streams import Streams


@pytest.fixture
async def settings(corner_of: CornerOf) -> KitSettings:
    """Settings of a service called probe."""
    return KitSettings(
        **await corner_of("probe"),
        sealing_key_clinical=CLINICAL_KEY,
        database_pool_size=6,
        # Short, as tests kill members and wait for the others to take over.
        kafka_session_seconds=8,
    )


@pytest.fixture
async def database(settings: KitSettings) -> AsyncIterator[Database]:
    """The probe's migrated database, with its own table of effects."""
    async with service_database("probe", settings) as database:
        await database.pool.execute(EFFECTS)
        yield database


@pytest.fixture
async def keyring(settings: KitSettings, database: Database) -> AsyncIterator[Keyring]:
    """A second hand on the keyring, without what the service has cached."""
    async with await Keyring.open(settings) as keyring:
        yield keyring


@pytest.fixture
def streams(settings: KitSettings) -> Streams:
    """The topics of this test."""
    return Streams(settings.kafka_url, settings.kafka_topic_prefix)


@pytest.fixture
async def topics(create_topics: Callable[..., Awaitable[None]]) -> None:
    """One partition each, so that whatever stands still holds up all that follows."""
    await create_topics([REQUESTS, PROPOSALS, DEAD], partitions=1)


@pytest.fixture
def admin(stack: Stack) -> Callable[[str], Awaitable[None]]:
    """Does things to the server that only an administrator may."""

    async def execute(sql: str) -> None:
        connection = await asyncpg.connect(stack.database_url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    return execute
