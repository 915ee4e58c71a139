"""A running Attune for each journey."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.support.mail_server import MailServer
from tests.support.stack import Stack
from tests.support.system import System


@pytest.fixture
async def system(
    stack: Stack, topic_prefix: str, make_database: Callable[[str], Awaitable[str]]
) -> AsyncIterator[System]:
    """Four services, started; gone afterwards."""
    async with MailServer() as mail, System(stack, topic_prefix, make_database, mail) as system:
        yield system
