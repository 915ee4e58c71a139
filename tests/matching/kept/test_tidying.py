"""Tidying up tries again what may pass, and does not hide what does not."""

import asyncio

import asyncpg
import pytest
from structlog.testing import capture_logs

from services.matching.handlers import tidying_worker
from services.matching.settings import Settings
from shared.kit.database import Database
from shared.kit.testing import eventually
from tests.matching.processes import a_service


async def test_a_database_that_is_away_is_tried_again(database: Database, settings: Settings) -> None:
    await database.pool.close()

    with capture_logs() as logged:
        tidying = asyncio.ensure_future(tidying_worker(180)(a_service(database, settings)))
        await eventually(lambda: bool(logged) or tidying.done(), what="the first try")

    assert not tidying.done()
    assert [each["event"] for each in logged] == ["not tidied up, will try again"]
    tidying.cancel()


async def test_a_fault_of_ours_ends_the_worker_and_is_seen(database: Database, settings: Settings) -> None:
    await database.pool.execute("ALTER TABLE rankings RENAME TO elsewhere")

    with pytest.raises(asyncpg.UndefinedTableError):
        await tidying_worker(180)(a_service(database, settings))
