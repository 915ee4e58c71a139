"""A command that fails names the server that failed it, and how; never a secret."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from deploy.local.processes import free_port
from shared.kit.servers import named
from shared.kit.settings import KitSettings
from tests.support.environment import environment
from tests.support.marks import COMMANDS
from tests.support.processes import running

SECRET = "a-password"
LISTED = (*COMMANDS, "outbox", "parked")
STARTING = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"


@asynccontextmanager
async def answering(answer: bytes | None) -> AsyncIterator[int]:
    """A server at this port that says the same to everybody, or nothing for ever."""

    async def answer_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            if answer is not None:
                writer.write(answer)
                await writer.drain()
                break
        writer.close()

    server = await asyncio.start_server(answer_one, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def failure(*arguments: str, **told: str) -> str:
    """What a command says that fails."""
    async with running(*arguments, environment=told) as process:
        assert await process.ended() == 1
    return process.output


def at(port: int) -> str:
    return f"postgresql://somebody:{SECRET}@127.0.0.1:{port}/nothing"


async def test_a_database_that_refuses_is_named() -> None:
    port = free_port()

    said = await failure(*LISTED, DATABASE_URL=at(port))

    assert said == f"the database at 127.0.0.1:{port} did not answer (ConnectionRefusedError)\n"


async def test_a_database_that_hangs_is_named() -> None:
    async with answering(None) as port:
        said = await failure(*LISTED, DATABASE_URL=at(port))

    assert said == f"the database at 127.0.0.1:{port} did not answer (TimeoutError)\n"


async def test_a_database_that_is_starting_is_named() -> None:
    error = b"E" + (len(STARTING) + 4).to_bytes(4, "big") + STARTING
    async with answering(error) as port:
        said = await failure(*LISTED, DATABASE_URL=at(port) + "?sslmode=disable")

    assert said == f"the database at 127.0.0.1:{port} did not answer (CannotConnectNowError)\n"


async def test_a_database_that_will_not_do_it_is_named(
    make_database: Callable[[str], Awaitable[str]],
) -> None:
    url = await make_database("empty")

    said = await failure(*LISTED, DATABASE_URL=url)

    assert said == f"{named('the database', url)} refused (UndefinedTableError)\n"


async def test_kafka_that_is_away_is_named() -> None:
    port = free_port()

    said = await failure(
        "-m", "shared.kit", "topics", "check", "deploy/kafka/topics.yaml", KAFKA_URL=f"127.0.0.1:{port}"
    )

    assert said.startswith(f"Kafka at 127.0.0.1:{port} did not answer (")
    assert len(said.splitlines()) == 1


async def test_a_database_that_a_command_waits_for_is_named_with_its_last_word(settings: KitSettings) -> None:
    port = free_port()
    told = environment(settings) | {"KEYRING_URL": at(port), "STARTUP_WAIT_SECONDS": "1"}

    said = await failure(*COMMANDS, "dead-letters", "discard", "00000000-0000-4000-8000-000000000000", **told)

    assert said == f"the keyring at 127.0.0.1:{port} did not answer within 1 s: ConnectionRefusedError\n"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://me:a-password@db:5432/name", " at db:5432"),
        ("postgresql://me:a-password@db/name", " at db"),
        ("postgresql://db:5432/name", " at db:5432"),
        ("postgresql://me:a@password@[::1]:5432/name", " at [::1]:5432"),
        ("postgresql://me:a-password@one:1,two:2/name", " at one:1,two:2"),
        ("postgresql:///name?host=/run/postgresql&password=a-password", " at /run/postgresql"),
        ("postgresql://me:a-password/of-mine@db:5432/name", ""),
        ("postgresql://me:a-password#of-mine@db:5432/name", ""),
        ("postgresql://me:a-password?of-mine@db:5432/name", ""),
        ("postgresql://", ""),
        ("postgresql://me:a\u2100password@db:5432/name", ""),
        ("postgresql://me:a[password@db:5432/name", ""),
    ],
)
def test_a_server_is_named_only_where_its_place_cannot_be_part_of_a_password(url: str, place: str) -> None:
    assert named("the database", url) == f"the database{place}"
