"""Dissolves groups that were not formed in time, and offers everybody in them something else."""

from services.matching import store
from services.matching.domain.grouping import Gathering
from services.matching.handlers.proposing import Matcher, open_request, propose_or_wait
from services.matching.handlers.skipping import skipping
from services.matching.store import Member, Request, Told
from shared.contract.ids import RequestId
from shared.contract.matching import SeatRefusal, SeatUnavailable, Shortfall
from shared.kit.database import Database
from shared.kit.transaction import Transaction


async def dissolve_overdue(database: Database, matcher: Matcher) -> int:
    """Dissolves every group whose deadline has passed; returns how many."""
    async with database.transaction() as tx:
        overdue = await store.groups_overdue(tx)
    dissolved = 0
    for group in overdue:
        with skipping("a group could not be dissolved", group_id=group.id):
            async with database.transaction() as tx:
                dissolved += await _dissolve(group, tx, matcher)
    return dissolved


async def _dissolve(group: Gathering, tx: Transaction, matcher: Matcher) -> bool:
    """Ends a group and re-offers its members in one step; False if somebody else came first."""
    members = await store.members_of(tx, group)
    requests: dict[RequestId, Request] = {}
    for request_id in sorted(each.request_id for each in members):
        request = await store.lock_request(tx, request_id)
        if request is not None:
            requests[request_id] = request
    await store.lock_therapist(tx, group.therapist_id)
    if group.id not in {each.id for each in await store.groups_overdue(tx)}:
        return False
    members = await store.members_of(tx, group)
    if {each.request_id for each in members} - set(requests):
        # Somebody came in between the two looks; they are locked at the next.
        return False
    await store.dissolve_group(tx, group, "too few by the deadline")
    await store.want_reoffer(tx, "a group was dissolved")
    for member in members:
        await _offer_anew(member, requests[member.request_id], group, tx, matcher)
    return True


async def _offer_anew(
    member: Member, request: Request, group: Gathering, tx: Transaction, matcher: Matcher
) -> None:
    gone = SeatUnavailable(
        request_id=member.request_id,
        proposal_id=member.proposal_id,
        decision_id=member.decision_id,
        therapist_id=group.therapist_id,
        reason=SeatRefusal.GROUP_DISSOLVED,
    )
    with skipping("a member of a dissolved group was passed over", request_id=member.request_id):
        async with tx.savepoint():
            opened = await open_request(tx, request)
            if opened is None:
                await store.close_request(tx, member.request_id, "erased")
                return
            await tx.publish(gone)
            await propose_or_wait(opened, tx, matcher)
        return
    # Their place is gone all the same; who can be read again one day is found among those who wait.
    await tx.publish(gone)
    await store.wait(tx, request, group.mode, Told(Shortfall.NOBODY_FREE, None))
