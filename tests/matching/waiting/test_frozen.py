"""A process that is frozen in the middle of its turn is replaced, and does no harm when it wakes."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from services.matching.domain.therapist import Therapist
from services.matching.handlers import refresh_prices
from services.matching.settings import Settings
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.testing import eventually
from tests.matching.answers import who_wait
from tests.matching.builders import a_therapist
from tests.matching.gathering import in_directory, in_outbox
from tests.matching.processes import Process
from tests.support import processes
from tests.support.environment import environment

ADA: Therapist = a_therapist("ada", seats_offered=1, seats_free=1)
TAKEN_OVER_WITHIN = 60


@asynccontextmanager
async def frozen(work: str, step: str, settings: Settings) -> AsyncIterator[processes.Process]:
    """A process at that work that has been stopped at that step."""
    freezing = environment(settings) | {"ATTUNE_FAILPOINT": step}
    async with processes.running("-m", "tests.matching.working", work, environment=freezing) as process:
        await eventually(lambda: process.frozen, within=120, what=f"it froze\n{process.output}")
        yield process


@pytest.mark.parametrize(
    "step",
    [
        pytest.param("turn.after_commit:stop@1", id="with the list in hand"),
        pytest.param("turn.before_commit:stop@2", id="with an offer in hand"),
    ],
)
async def test_the_list_is_offered_by_another_while_whoever_had_the_turn_is_frozen(
    step: str, database: Database, process: Process, settings: Settings, clock: MovableClock
) -> None:
    first, _ = await who_wait(process.hear, clock, 2)
    await in_directory(database, ADA)

    async with frozen("waiting list", step, settings) as sleeper:
        assert await process.offer() == 0
        await eventually(process.offer, within=TAKEN_OVER_WITHIN, what="the list was offered")
        sleeper.send(signal.SIGCONT)
        await eventually(lambda: "waiting list not offered, will try again" in sleeper.output, within=30)
        # It goes on, and finds nothing that is left to be done.
        await in_directory(database, a_therapist("cem", languages=frozenset({"cy"})))
        await eventually(lambda: nothing_to_offer(database), within=30)

    said = [key for key, name in await in_outbox(database) if name == "match-proposed"]
    assert said == [str(first.request_id)]


async def test_prices_are_worked_out_by_another_while_whoever_had_the_turn_is_frozen(
    database: Database, process: Process, settings: Settings
) -> None:
    await in_directory(database, replace(ADA, seats_offered=3))
    # So that the last seat is dear.
    await database.pool.execute("UPDATE therapists SET seats_taken = 2")

    async with frozen("prices", "turn.after_commit:stop@1", settings) as sleeper:
        assert await refresh_prices(database, process.matcher) is None
        version = await eventually(
            lambda: refresh_prices(database, process.matcher), within=TAKEN_OVER_WITHIN, what="new prices"
        )
        sleeper.send(signal.SIGCONT)
        await eventually(lambda: "prices not refreshed, will try again" in sleeper.output, within=30)

    assert await database.pool.fetchval("SELECT max(version) FROM prices") == version


async def nothing_to_offer(database: Database) -> bool:
    return not await database.pool.fetchval("SELECT count(*) FROM reoffers")
