"""Who waits for somebody else in the database."""

from shared.kit.database import Database


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
