"""Who waits for somebody else in the database, and what several do there in one moment."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar
from uuid import UUID

from shared.kit.database import Database
from shared.kit.testing import eventually

T = TypeVar("T")


async def in_one_moment(
    database: Database, therapist_id: UUID, doing: Sequence[Coroutine[Any, Any, T]]
) -> list[T]:
    """Does all of it, and lets nobody go on before all have come as far as the therapist."""

    async def all_stand_there() -> bool:
        return await how_many_wait_for_a_lock(database) == len(doing)

    async with asyncio.TaskGroup() as group, database.transaction() as tx:
        await tx.execute("SELECT FROM therapists WHERE id = $1 FOR UPDATE", therapist_id)
        begun = [group.create_task(each) for each in doing]
        await eventually(all_stand_there, within=60, what="all of them waiting")
    return [each.result() for each in begun]


async def waits_for_a_lock(database: Database) -> bool:
    """Whether anybody does at this moment."""
    return await how_many_wait_for_a_lock(database) > 0


async def how_many_wait_for_a_lock(database: Database) -> int:
    """How many transactions do at this moment."""
    waiting: int = await database.pool.fetchval(
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
        """
    )
    return waiting
