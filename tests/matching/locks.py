"""Whether somebody waits for somebody else in the database."""

from shared.kit.database import Database


async def waits_for_a_lock(database: Database) -> bool:
    """Whether anybody does at this moment."""
    return bool(
        await database.pool.fetchval(
            """
            SELECT EXISTS (SELECT FROM pg_stat_activity
                           WHERE datname = current_database() AND wait_event_type = 'Lock')
            """
        )
    )
