"""Fixtures for every test: a real stack, and a corner of it for each test."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.kit import migrating
from shared.kit.kafka import Kafka
from tests.support.environment import CONTACT_KEY, CornerOf
from tests.support.stack import Stack, standing

MakeDatabase = Callable[[str], Awaitable[str]]

MIGRATED = ("intake", "matching", "review", "notify", "probe", "keyring")
EMPTY = "template1"


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Real Kafka and PostgreSQL."""
    with standing() as found:
        yield found


@pytest.fixture
def topic_prefix() -> str:
    """What this test's topics and groups begin with."""
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture(scope="session")
def migrated(stack: Stack) -> Iterator[dict[str, str]]:
    """Databases that were migrated once, to be copied: by service, as they come to be needed."""
    made: dict[str, str] = {}
    yield made
    asyncio.run(_drop(stack.database_url, made.values()))


@pytest.fixture
async def make_database(stack: Stack, migrated: dict[str, str]) -> AsyncIterator[MakeDatabase]:
    """Makes databases of this test's own; gone afterwards.

    One that is named like a service, or `keyring`, is as its migrations leave it; any other is empty.
    """
    made: list[str] = []
    admin = await asyncpg.connect(stack.database_url)

    async def create(name: str, template: str) -> str:
        database = f"{name}_{uuid.uuid4().hex[:10]}"
        await admin.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return database

    async def make(name: str) -> str:
        if name in MIGRATED and name not in migrated:
            migrated[name] = await create(f"{name}_template", EMPTY)
            await migrating.migrate(_at(stack.database_url, migrated[name]), _migrations(name))
        made.append(await create(name, migrated.get(name, EMPTY)))
        return _at(stack.database_url, made[-1])

    try:
        yield make
    finally:
        await admin.close()
        await _drop(stack.database_url, made)


@pytest.fixture
def corner_of(stack: Stack, topic_prefix: str, make_database: MakeDatabase) -> CornerOf:
    """What any service must be told to stand in this test's corner of the stack, by its name.

    The clinical key is not among it, as not every service may have that.
    """

    async def corner(service: str) -> dict[str, Any]:
        return {
            "kafka_url": stack.kafka_url,
            "kafka_topic_prefix": topic_prefix,
            "database_url": await make_database(service),
            "keyring_url": await make_database("keyring"),
            "sealing_key_contact": CONTACT_KEY,
            "http_port": 0,
            "startup_wait_seconds": 30,
            "relay_poll_seconds": 0.2,
        }

    return corner


@pytest.fixture
async def create_topics(stack: Stack, topic_prefix: str) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    """Makes topics of this test's own, by stream; gone afterwards."""
    made: list[str] = []
    cluster = Kafka(tuple(stack.kafka_url.split(",")), topic_prefix)
    admin = AIOKafkaAdminClient(**cluster.client_arguments())

    async def create(
        streams: Iterable[str], partitions: int = 3, config: dict[str, str] | None = None
    ) -> None:
        names = [cluster.topic(stream) for stream in streams]
        await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=config) for name in names])
        made.extend(names)
        await cluster.wait_for([cluster.stream(name) for name in names], 30)

    await admin.start()
    try:
        yield create
        if made:
            await admin.delete_topics(made)
    finally:
        await admin.close()


def _migrations(name: str) -> Sequence[migrating.Migration]:
    return migrating.of_keyring() if name == "keyring" else migrating.of_service(name)


def _at(url: str, database: str) -> str:
    return url.rpartition("/")[0] + "/" + database


async def _drop(url: str, databases: Iterable[str]) -> None:
    admin = await asyncpg.connect(url)
    try:
        for database in databases:
            await admin.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
    finally:
        await admin.close()
