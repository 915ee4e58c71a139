"""What one process at a time does for all: taken in turns, with as many connections as there are turns."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from shared.kit.consuming.verdicts import Kind, judge
from shared.kit.database import Database, Turn
from shared.kit.settings import KitSettings
from shared.kit.testing import service_database
from shared.kit.transaction import Transaction

PID = "SELECT pg_backend_pid()"


@pytest.fixture
async def small(settings: KitSettings) -> AsyncIterator[Database]:
    """A database with the smallest pool that settings allow."""
    async with service_database("probe", settings.model_copy(update={"database_pool_size": 2})) as database:
        yield database


async def test_of_all_who_ask_one_has_its_turn_and_the_next_once_it_is_over(
    small: Database, database: Database
) -> None:
    async with (
        small.turn("something") as first,
        database.turn("something") as second,
        database.turn("something else") as other,
    ):
        assert [turn is not None for turn in (first, second, other)] == [True, False, True]

    async with database.turn("something") as second:
        assert second is not None


async def test_turns_and_what_is_done_in_them_need_one_connection_each(small: Database) -> None:
    async with small.turn("one thing") as one, small.turn("another") as another:
        assert one is not None
        assert another is not None
        async with asyncio.timeout(5), one.transaction() as tx, another.transaction() as beside:
            assert await tx.fetchval("SELECT 1") == await beside.fetchval("SELECT 1")


async def test_a_session_is_as_patient_again_after_a_turn_as_it_was_before(small: Database) -> None:
    # The other connection of the pool, so that the turn and what follows are on one.
    async with small.pool.acquire():
        async with small.turn("something") as turn:
            assert turn is not None
            async with turn.transaction() as tx:
                meanwhile = await patience(tx)
        async with small.transaction() as tx:
            afterwards = await patience(tx)

    assert meanwhile == ["10s", "10s"]
    assert afterwards == ["0", "1min"]


async def patience(tx: Transaction) -> list[str]:
    names = ("idle_session_timeout", "idle_in_transaction_session_timeout")
    return [await tx.fetchval("SELECT current_setting($1)", name) for name in names]


async def test_who_has_lost_the_turn_can_finish_nothing_that_was_begun_in_it(
    small: Database, database: Database
) -> None:
    async def leave_a_mark(turn: Turn) -> None:
        async with turn.transaction() as tx:
            await tx.execute(
                "INSERT INTO effects (request_id, what, version, pid) VALUES ($1, '', 0, 0)", uuid4()
            )
            await database.pool.execute("SELECT pg_terminate_backend($1)", await tx.fetchval(PID))

    async with small.turn("something") as lost:
        assert lost is not None
        for _ in range(2):
            with pytest.raises(Exception) as fault:  # noqa: PT011 - which, is up to the client
                await leave_a_mark(lost)
            assert judge(fault.value).kind is Kind.TRANSIENT
        async with database.turn("something") as next_one:
            assert next_one is not None

    assert await database.pool.fetchval("SELECT count(*) FROM effects") == 0


async def test_a_turn_is_kept_during_work_that_asks_nothing_of_the_database(
    small: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.kit.leadership.IDLE_SECONDS", 1)
    monkeypatch.setattr("shared.kit.leadership.BEAT_SECONDS", 0.2)

    async with small.turn("something") as turn:
        assert turn is not None
        await turn.during(asyncio.sleep(2.5))
        async with turn.transaction() as tx:
            await turn.during(asyncio.sleep(2.5))
            assert await tx.fetchval("SELECT 1") == 1
