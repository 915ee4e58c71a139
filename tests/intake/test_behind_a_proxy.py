"""Who knocks too often is told apart by address: that of the connection, or what a named proxy says of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from uuid import uuid4

import httpx
import pytest

from deploy.local.processes import free_port
from services.intake.settings import Settings
from shared.kit.database import Database
from shared.kit.testing import eventually
from tests.intake.conftest import STREAMS
from tests.support.environment import environment
from tests.support.processes import running

AT_A_TIME, MOST = 20, 2_000
HERE = "127.0.0.1"


@pytest.fixture
async def given(
    settings: Settings, database: Database, create_topics: Callable[..., Awaitable[None]]
) -> dict[str, str]:
    """What a process of intake is told."""
    await create_topics(STREAMS)
    return environment(settings) | {"HTTP_PORT": str(free_port())}


@asynccontextmanager
async def door(given: dict[str, str], proxies: str) -> AsyncIterator[httpx.AsyncClient]:
    """The door of a process to which some proxies are named."""
    told = given | {"FORWARDED_ALLOW_IPS": proxies}
    async with (
        running("-m", "services.intake", "run", environment=told) as process,
        httpx.AsyncClient(base_url=f"http://{HERE}:{given['HTTP_PORT']}", timeout=30) as http,
    ):
        await eventually(lambda: "the service is up" in process.output, within=60, what="intake came up")
        yield http


async def knock(http: httpx.AsyncClient, forwarded_for: str) -> int:
    answer = await http.get(f"/api/v1/requests/{uuid4()}", headers={"x-forwarded-for": forwarded_for})
    return answer.status_code


async def refused(http: httpx.AsyncClient, addresses: Iterator[str]) -> bool:
    """Whether somebody who says to be each of these in turn is asked to wait in the end."""
    for _ in range(MOST // AT_A_TIME):
        answers = await asyncio.gather(*(knock(http, next(addresses)) for _ in range(AT_A_TIME)))
        assert set(answers) <= {401, 429}
        if 429 in answers:
            return True
    return False


def others() -> Iterator[str]:
    return (f"198.51.{number // 250}.{number % 250}" for number in count())


@pytest.mark.parametrize("proxies", ["", "192.0.2.1,10.0.0.0/8"], ids=["none", "others"])
async def test_whoever_is_not_named_is_not_believed_for_whom_they_ask(
    given: dict[str, str], proxies: str
) -> None:
    async with door(given, proxies) as http:
        assert await refused(http, others())


async def test_a_named_proxy_is_believed_and_nobody_behind_it_can_be_somebody_else(
    given: dict[str, str],
) -> None:
    async with door(given, f"10.0.0.0/8,{HERE}") as http:
        assert await refused(http, (f"{forged}, 203.0.113.7" for forged in others()))
        assert await knock(http, "203.0.113.8") == 401


async def test_a_proxy_that_is_no_address_keeps_the_service_from_starting(given: dict[str, str]) -> None:
    told = given | {"FORWARDED_ALLOW_IPS": "*"}

    async with running("-m", "services.intake", "run", environment=told) as process:
        assert await process.ended() == 2

    assert "FORWARDED_ALLOW_IPS must be addresses or networks" in process.output
