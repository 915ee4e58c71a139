"""A database that was moved to another server ranks, and makes again what was ranked before."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from services.matching import store
from services.matching.handlers import forget
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import THE_DAY, a_therapist
from tests.matching.recorded import a_matcher, all_the_same, hear, in_directory, made_again
from tests.support.builders import a_request

ADA, BEN = a_therapist("ada"), a_therapist("ben", fee_pence=7000)


async def moved_to_another_server(database: Database) -> None:
    """As after a dump and a restore: what is there was numbered by a server far ahead of this one."""
    ahead = 1_000_000_000
    async with database.transaction() as tx:
        await tx.execute("ALTER TABLE therapists DISABLE TRIGGER USER")
        for table, column in [
            ("therapists", "changed_by"),
            ("therapists", "facts_changed_by"),
            ("therapist_history", "changed_by"),
            ("rankings", "own"),
        ]:
            await tx.execute(
                f"UPDATE {table} SET {column} = ({column}::text::bigint + $1)::text::xid8",  # noqa: S608
                ahead,
            )
        await tx.execute(
            """
            UPDATE rankings SET snapshot = format('%s:%s:', pg_snapshot_xmin(snapshot)::text::bigint + $1,
                                                  pg_snapshot_xmax(snapshot)::text::bigint + $1)::pg_snapshot
            """,
            ahead,
        )
        await tx.execute(
            """
            UPDATE proposals SET seen = format('%s:%s:', pg_snapshot_xmin(seen)::text::bigint + $1,
                                               pg_snapshot_xmax(seen)::text::bigint + $1)::pg_snapshot
            """,
            ahead,
        )
        await tx.execute("ALTER TABLE therapists ENABLE TRIGGER USER")


async def test_a_database_that_moved_to_another_server_ranks_and_replays(
    database: Database, clock: MovableClock
) -> None:
    await in_directory(database, ADA, BEN)
    await hear(database, a_matcher(), a_request())
    await moved_to_another_server(database)
    await in_directory(database, replace(ADA, fee_pence=5000))

    async with database.transaction() as tx:
        assert await store.begin_era_if_moved(tx)
    async with database.transaction() as tx:
        assert not await store.begin_era_if_moved(tx)
    clock.move(timedelta(days=10))
    matcher = a_matcher()
    await hear(database, matcher, a_request())
    await in_directory(database, replace(BEN, fee_pence=5500))
    await hear(database, matcher, a_request())

    made = await made_again(database)
    assert [len(again.comparison.old.listed) for again in made if again] == [2, 2, 2]
    assert all_the_same(made)
    assert await forget(database, 5) == (1, 2)
    assert all_the_same(await made_again(database))


async def test_open_proposals_are_looked_at_again_when_a_database_has_moved(database: Database) -> None:
    await in_directory(database, ADA, BEN)
    request = a_request()
    await hear(database, a_matcher(), request)
    await moved_to_another_server(database)
    await in_directory(database, replace(ADA, registration=None))

    async with database.transaction() as tx:
        before = await store.proposals_to_look_at(tx, THE_DAY)
        await store.begin_era_if_moved(tx)
        after = await store.proposals_to_look_at(tx, THE_DAY)

    assert (before, after) == ([], [request.request_id])


async def test_an_era_begins_once_though_two_processes_start(database: Database) -> None:
    await in_directory(database, ADA, BEN)
    await moved_to_another_server(database)

    async def start() -> bool:
        async with database.transaction() as tx:
            return await store.begin_era_if_moved(tx)

    assert sorted(await asyncio.gather(start(), start())) == [False, True]
