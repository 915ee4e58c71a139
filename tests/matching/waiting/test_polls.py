"""What is looked for every few seconds is found by an index, however many proposals there have ever been."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from services.matching import store
from services.matching.settings import Settings
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.transaction import Transaction
from tests.matching.builders import THE_DAY, a_therapist
from tests.matching.gathering import in_directory

# Nine in ten are decided; of whom it is looked for, each was proposed to three times.
MANY = """
    INSERT INTO requests (id, state, submitted_at, details, subject_id)
        SELECT gen_random_uuid(), 'waiting', now(), '\\x00', gen_random_uuid() FROM generate_series(1, 6000);
    INSERT INTO proposals (id, request_id, policy_version, shortlist, first_therapist_id, proposed_at, named,
                           looked_on, seen)
        SELECT gen_random_uuid(), r.id, 'x', '\\x00', t.ids[n], now(), t.ids[n : n + 4], date '2026-11-24',
               pg_current_snapshot()
        FROM requests r, generate_series(1, 3) n, (SELECT array_agg(id) AS ids FROM therapists) t;
    UPDATE requests r SET state = CASE WHEN substr(id::text, 1, 1) = '0' THEN 'proposed' ELSE 'seated' END,
        proposal_id = (SELECT id FROM proposals p WHERE p.request_id = r.id LIMIT 1);
    INSERT INTO therapist_history (therapist_id, entry)
        SELECT gen_random_uuid(), '{}' FROM generate_series(1, 5000);
    ANALYZE
"""

Poll = Callable[[Transaction], Awaitable[Any]]
Watched = tuple[Database, list[tuple[str, tuple[Any, ...]]]]


@pytest.fixture
async def watched_database(
    database: Database, settings: Settings, clock: MovableClock
) -> AsyncIterator[Watched]:
    """The database, and every statement with its arguments that is asked of it."""
    asked: list[tuple[str, tuple[Any, ...]]] = []

    async def listen(connection: Any) -> None:
        connection.add_query_logger(lambda record: asked.append((record.query, tuple(record.args or ()))))

    pool = await asyncpg.create_pool(settings.database_url.get_secret_value(), init=listen)
    try:
        yield Database(pool, service="matching", keys=database.keys, clock=clock), asked
    finally:
        await pool.close()


@pytest.mark.parametrize(
    "poll",
    [
        lambda tx: store.lapse_proposals(tx, tx.now - timedelta(days=14)),
        lambda tx: store.proposals_to_look_at(tx, THE_DAY),
        store.spoken_for,
        lambda tx: store.seated_after(tx, None, 10),
        lambda tx: store.groups_to_look_at(tx, THE_DAY),
    ],
    ids=["lapsed", "to look at", "spoken for", "seated", "groups"],
)
async def test_a_look_goes_through_no_table_that_grows_with_time(
    database: Database, watched_database: Watched, poll: Poll
) -> None:
    await in_directory(database, *[a_therapist(f"t{number}") for number in range(20)])
    await database.pool.execute(MANY)
    watching, asked = watched_database

    async with watching.transaction() as tx:
        await poll(tx)
    # Ours begin on a line of their own; the driver's do not.
    [(statement, arguments)] = [each for each in asked if each[0].startswith("\n")]
    plan = json.loads(await database.pool.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *arguments))

    gone_through = {
        node["Relation Name"] for node in nodes(plan[0]["Plan"]) if node["Node Type"] == "Seq Scan"
    }
    assert not gone_through & {"proposals", "requests", "seats", "therapist_history"}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", []):
        yield from nodes(each)


async def test_open_is_what_a_request_makes_its_proposal(database: Database) -> None:
    await in_directory(database, *[a_therapist(f"t{number}") for number in range(3)])
    await database.pool.execute(MANY)

    async def astray() -> int:
        number: int = await database.pool.fetchval(
            """
            SELECT count(*) FROM proposals p JOIN requests r ON r.id = p.request_id
            WHERE p.open <> (r.state = 'proposed' AND r.proposal_id = p.id)
            """
        )
        return number

    assert await astray() == 0
    await database.pool.execute(
        """
        UPDATE requests r
        SET proposal_id = (SELECT max(id::text)::uuid FROM proposals WHERE request_id = r.id)
        """
    )
    assert await astray() == 0
    await database.pool.execute("UPDATE requests SET state = 'waiting', proposal_id = NULL")
    assert await astray() == 0
