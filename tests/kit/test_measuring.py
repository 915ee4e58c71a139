"""What an operator reads on /metrics moves with what lies in the tables."""

import asyncio
from contextlib import suppress

import pytest
from prometheus_client import CollectorRegistry

from shared.kit.database import Database
from shared.kit.metrics import Metrics
from shared.kit.testing import eventually
from shared.kit.watchdog import measure, tidy
from tests.support.builders import a_request


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


async def test_the_outbox_and_the_dead_letters_show_on_the_gauges(
    database: Database, metrics: Metrics
) -> None:
    async with database.transaction() as tx:
        for _ in range(3):
            await tx.publish(a_request())
    await database.pool.execute("UPDATE outbox SET created_at = now() - interval '1 hour'")
    await database.pool.execute(
        """
        UPDATE outbox SET parked_at = now(), parked_reason = 'too_large'
        WHERE id = (SELECT min(id) FROM outbox)
        """
    )
    await database.pool.execute(
        """
        INSERT INTO dead_letters (id, consumer, topic, partition, "offset", header_names, header_values,
                                  recorded_at, reason, attempts, parked_at)
        SELECT gen_random_uuid(), 'probe', 'intake.requests', 0, n, '{}', '{}', now(), 'bug', 1, now()
        FROM generate_series(1, 2) AS n
        """
    )

    def shown(name: str) -> float | None:
        return metrics.registry.get_sample_value(name)

    measuring = asyncio.create_task(measure(database.pool, metrics))
    try:
        await eventually(lambda: shown("attune_outbox_depth") == 3, what="the outbox was counted")
    finally:
        measuring.cancel()
        with suppress(asyncio.CancelledError):
            await measuring

    assert shown("attune_outbox_parked") == 1
    assert shown("attune_dead_letters_open") == 2
    assert 3500 < (shown("attune_outbox_oldest_seconds") or 0) < 7200


async def test_what_was_heard_long_ago_is_forgotten_as_soon_as_a_service_starts(database: Database) -> None:
    await database.pool.execute(
        """
        INSERT INTO inbox (consumer, event_id, outcome, at)
        VALUES ('old', gen_random_uuid(), 'handled', now() - interval '31 days'),
               ('new', gen_random_uuid(), 'handled', now() - interval '29 days')
        """
    )

    async def forgotten() -> bool:
        kept = await database.pool.fetch("SELECT consumer FROM inbox")
        return [row["consumer"] for row in kept] == ["new"]

    tidying = asyncio.create_task(tidy(database.pool, inbox_days=30))
    try:
        await eventually(forgotten, within=20, what="what is old was forgotten")
    finally:
        tidying.cancel()
        with suppress(asyncio.CancelledError):
            await tidying
