"""Ends the courses of groups that must be over, so that their leaders' seats and times can be given again."""

from services.matching import store
from services.matching.handlers.skipping import skipping
from shared.contract.ids import GroupId
from shared.kit.database import Database
from shared.kit.transaction import Transaction


async def end_courses(database: Database) -> int:
    """Gives back what each of them holds, and tells nobody; returns how many there were."""
    async with database.transaction() as tx:
        over = await store.courses_over(tx)
    ended = 0
    for group_id in over:
        with skipping("a group whose course is over was passed over", group_id=group_id):
            async with database.transaction() as tx:
                await store.wait_briefly(tx)
                ended += await _end(group_id, tx)
    return ended


async def _end(group_id: GroupId, tx: Transaction) -> bool:
    # No member's request changes, so none is locked. Who leaves meanwhile stands behind the therapist's lock.
    if await store.lock_formed(tx, group_id) is None:
        return False
    return await store.end_group_course(tx, group_id)
