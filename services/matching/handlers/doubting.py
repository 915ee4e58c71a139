"""Puts formed groups before staff whose leader has lapsed; what becomes of them is for people to decide."""

from services.matching import store
from services.matching.domain.gates import Gate, credentials
from services.matching.handlers.skipping import skipping
from shared.ages import day_in_london
from shared.contract.ids import GroupId
from shared.contract.matching import GroupDoubt
from shared.kit.database import Database
from shared.kit.transaction import Transaction


async def doubt_leaders(database: Database) -> int:
    """Says of each member whose leader has lost registration or accreditation; returns of how many groups."""
    async with database.transaction() as tx:
        doubtful = await store.formed_to_look_at(tx, day_in_london(tx.now))
    doubted = 0
    for group_id in doubtful:
        with skipping("a formed group was passed over", group_id=group_id):
            async with database.transaction() as tx:
                await store.wait_briefly(tx)
                doubted += await _look(group_id, tx)
    return doubted


async def _look(group_id: GroupId, tx: Transaction) -> bool:
    """Looks at a leader; True if they have lapsed since the last look, and it was said of each member."""
    group = await store.lock_formed(tx, group_id)
    if group is None:
        return False
    today, seen = day_in_london(tx.now), await store.snapshot(tx)
    leader = await store.find_therapist(tx, group.therapist_id)
    lapsed = group.leader_lapsed
    # Of whoever has left the directory it was said as they left.
    if leader is not None:
        lapsed = isinstance(credentials(leader, group.variant, today), Gate)
    await store.note_lapse(tx, group, lapsed=lapsed, on=today, seen=seen)
    if not lapsed or group.leader_lapsed:
        return False
    await store.say_in_doubt(tx, group_id, GroupDoubt.LEADER_LAPSED)
    return True
