"""Fixtures for every test: a real stack, and a corner of it for each test."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.kit.kafka import Kafka
from tests.support.stack import Stack, standing


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Real Kafka and PostgreSQL."""
    with standing() as found:
        yield found


@pytest.fixture
def topic_prefix() -> str:
    """What this test's topics and groups begin with."""
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture
async def make_database(stack: Stack) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    """Makes databases of this test's own; gone afterwards."""
    made: list[str] = []
    admin = await asyncpg.connect(stack.database_url)

    async def make(name: str) -> str:
        database = f"{name}_{uuid.uuid4().hex[:10]}"
        await admin.execute(f'CREATE DATABASE "{database}"')
        made.append(database)
        return stack.database_url.rpartition("/")[0] + "/" + database

    try:
        yield make
        for database in made:
            await admin.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
    finally:
        await admin.close()


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
