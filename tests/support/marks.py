"""What tests ask of the probe: that it is up, which marks it has left, and what it has parked."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from shared.contract import intake
from shared.kit.database import Database
from shared.kit.settings import KitSettings
from shared.kit.testing import eventually
from tests.support.environment import environment
from tests.support.processes import Process

REQUESTS, PROPOSALS, DEAD = "intake.requests", "matching.proposals", "probe.dead-letters"
COMMANDS = ("-m", "tests.support.probe")
PROBE = (*COMMANDS, "run")


def as_probe(settings: KitSettings, **changes: str) -> dict[str, str]:
    """The probe's environment."""
    return environment(settings) | {"STARTUP_WAIT_SECONDS": "30"} | changes


async def up(process: Process) -> None:
    """Waits until a service says that it is up."""
    await eventually(lambda: "the service is up" in process.output, within=60, what="the service came up")


async def effects(database: Database, what: str = "submitted") -> list[UUID]:
    """The requests that have left a mark, in that order."""
    rows = await database.pool.fetch("SELECT request_id FROM effects WHERE what = $1 ORDER BY id", what)
    return [row["request_id"] for row in rows]


async def effects_of(database: Database, process: Process) -> int:
    """How many marks one process has left."""
    number: int = await database.pool.fetchval("SELECT count(*) FROM effects WHERE pid = $1", process.pid)
    return number


async def parked(database: Database) -> list[tuple[int, str]]:
    """Offset and reason of every open dead letter."""
    rows = await database.pool.fetch(
        """SELECT "offset", reason FROM dead_letters WHERE status = 'open' ORDER BY "offset" """
    )
    return [(row["offset"], row["reason"]) for row in rows]


async def happened(
    database: Database,
    requests: Sequence[intake.RequestSubmitted],
    within: float = 60,
    process: Process | None = None,
) -> None:
    """Waits until every request has left its mark, then insists that none has left two.

    Fails at once, with what it said, if the process that is to leave them has ended.
    """
    wanted = sorted(request.request_id for request in requests)

    async def all_there() -> bool:
        if process is not None and not process.running:
            pytest.fail(f"the process has ended:\n{process.output}")
        return set(await effects(database)) >= set(wanted)

    await eventually(all_there, within, what="every request left its mark")
    assert sorted(await effects(database)) == wanted


async def outbox_empty(database: Database, within: float = 30) -> None:
    """Waits until all that was said has been sent."""

    async def empty() -> bool:
        return not await database.pool.fetchval("SELECT count(*) FROM outbox")

    await eventually(empty, within, what="the outbox was drained")
