"""Prices are worked out by one process at a time, from whoever can be read, and by a worker that goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from structlog.testing import capture_logs

from services.matching import store
from services.matching.handlers import Matcher, pricing, pricing_worker, refresh_prices
from services.matching.settings import Settings
from services.matching.store.prices import KEPT_FOR
from shared.contract.sealing import Purpose
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.keyring import Keyring
from shared.kit.testing import eventually, recording
from tests.matching.prices.priced import (
    ANYBODY,
    GENERALIST,
    ONLY_THERE,
    SPECIALIST,
    a_pricing_matcher,
    came,
    newest,
    proposed,
)
from tests.matching.processes import a_service
from tests.matching.recorded import in_directory
from tests.support.builders import a_request
from tests.support.keys import Counted


@asynccontextmanager
async def working(matcher: Matcher, database: Database, settings: Settings) -> AsyncIterator[None]:
    """The worker of a service that runs, every few milliseconds."""
    task = asyncio.ensure_future(pricing_worker(matcher, 0.05)(a_service(database, settings)))
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.usefixtures("busy")
async def test_the_keys_of_all_who_came_lately_are_asked_for_in_few_looks(database: Database) -> None:
    keys = Counted(database.keys)
    counting = Database(database.pool, service="matching", keys=keys, clock=database.clock)

    for _ in range(2):
        await refresh_prices(counting, a_pricing_matcher())

    assert (keys.single, keys.looks) == (0, 2)


@pytest.mark.usefixtures("busy")
async def test_a_request_that_cannot_be_read_is_left_out_by_id_and_holds_up_no_prices(
    database: Database,
) -> None:
    broken = a_request(details=ONLY_THERE)
    old = a_request(details=ONLY_THERE)
    async with recording(database) as tx:
        for request, words in ((broken, b"{}"), (old, b'{"kept": "by another build"}')):
            sealed = await tx.seal(request.subject_id, Purpose.CLINICAL, words)
            await store.add_request(tx, request.request_id, request.subject_id, sealed, tx.now)
        await tx.execute(
            "UPDATE requests SET details = set_byte(details, 40, get_byte(details, 40) # 1) WHERE id = $1",
            broken.request_id,
        )

    with capture_logs() as said:
        version = await refresh_prices(database, a_pricing_matcher())

    assert version is not None
    assert (await newest(database)).points.keys() == {SPECIALIST.id}
    assert {(each["event"], each["request_id"]) for each in said} == {
        ("a request was left out of the prices", str(each.request_id)) for each in (broken, old)
    }
    assert "another build" not in str(said)


@pytest.mark.usefixtures("busy")
async def test_one_process_at_a_time_works_prices_out(database: Database) -> None:
    async with database.turn(pricing.TURN) as turn:
        assert turn
        assert await refresh_prices(database, a_pricing_matcher()) is None

    assert await refresh_prices(database, a_pricing_matcher()) is not None


async def test_who_was_erased_is_no_longer_part_of_what_prices_are_worked_out_from(
    database: Database,
) -> None:
    await in_directory(database, SPECIALIST, GENERALIST)
    adolescents = await came(database, ONLY_THERE, 14)
    await came(database, ANYBODY, 14)
    await refresh_prices(database, a_pricing_matcher())
    dear = (await newest(database)).points[SPECIALIST.id]

    assert isinstance(database.keys, Keyring)
    for subject in adolescents:
        await database.keys.destroy(subject)
    for _ in range(3):
        await refresh_prices(database, a_pricing_matcher())

    # What is left would do nearly as well with the other: only those who were erased made it so dear.
    assert (await newest(database)).points[SPECIALIST.id] <= dear / 2


@pytest.mark.usefixtures("busy")
async def test_old_versions_go_unless_somebody_was_ranked_by_them(
    database: Database, clock: MovableClock
) -> None:
    async with database.transaction() as tx:
        named = await store.add_prices(tx, "2026-11", {SPECIALIST.id: 1})
    await proposed(database, a_pricing_matcher(), ANYBODY)
    async with database.transaction() as tx:
        unnamed = await store.add_prices(tx, "2026-11", {SPECIALIST.id: 2})

    for points in (3, 4):
        clock.move(2 * KEPT_FOR)
        async with database.transaction() as tx:
            last = await store.add_prices(tx, "2026-11", {SPECIALIST.id: points})
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT version FROM prices ORDER BY version")

    assert [row["version"] for row in rows] == [named, last - 1, last]
    assert named < unnamed < last - 1


@pytest.mark.usefixtures("busy")
async def test_a_worker_that_fails_says_so_without_data_and_tries_again(
    database: Database, settings: Settings
) -> None:
    async with database.transaction() as tx:
        await tx.execute("ALTER TABLE prices RENAME TO prices_away")

    with capture_logs() as said:
        async with working(a_pricing_matcher(), database, settings):
            await eventually(lambda: said, what="a warning")
            async with database.transaction() as tx:
                await tx.execute("ALTER TABLE prices_away RENAME TO prices")
            prices = await eventually(lambda: newest(database), within=30, what="the prices")

    assert prices.points.keys() == {SPECIALIST.id}
    assert said[0]["event"] == "prices not refreshed, will try again"
    assert said[0]["error"] == "asyncpg.exceptions.UndefinedTableError"
    assert not any(word in str(said) for word in (SPECIALIST.name, "hardly know myself"))


@pytest.mark.usefixtures("busy")
async def test_a_worker_that_is_stopped_leaves_the_directory_to_nobody_else_before_it_is_done(
    database: Database,
) -> None:
    matcher = a_pricing_matcher()
    alone = await proposed(database, a_pricing_matcher(), ANYBODY)

    for turns in range(40):
        task = asyncio.create_task(refresh_prices(database, matcher))
        for _ in range(turns * 5):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        async with database.transaction() as tx:
            await tx.execute("DELETE FROM prices")
        assert await proposed(database, matcher, ANYBODY) == alone
