"""Dissolves groups that nothing can come of any more, and offers everybody in them something else."""

from services.matching import store
from services.matching.domain.grouping import Gathering, may_lead
from services.matching.handlers.closing import ERASED, close
from services.matching.handlers.gathering import with_births
from services.matching.handlers.proposing import propose_or_wait
from services.matching.handlers.ranking import Matcher
from services.matching.handlers.reading import open_request
from services.matching.handlers.skipping import skipping
from services.matching.store import Member, Request
from shared.ages import day_in_london
from shared.contract.ids import RequestId
from shared.contract.matching import SeatRefusal, SeatUnavailable
from shared.kit.database import Database
from shared.kit.transaction import Transaction


async def dissolve_groups(database: Database, matcher: Matcher) -> int:
    """Dissolves whichever is out of time, or has a leader who may lead it no longer; returns how many."""
    async with database.transaction() as tx:
        doubtful = await store.groups_to_look_at(tx, day_in_london(tx.now))
    dissolved = 0
    for group in doubtful:
        with skipping("a group could not be dissolved", group_id=group.id):
            async with database.transaction() as tx:
                await store.wait_briefly(tx)
                dissolved += await _look(group, tx, matcher)
    return dissolved


async def _look(group: Gathering, tx: Transaction, matcher: Matcher) -> bool:
    """Ends a group and re-offers its members in one step; False if it goes on or somebody came first."""
    members = await store.members_of(tx, group)
    requests: dict[RequestId, Request] = {}
    for request_id in sorted(each.request_id for each in members):
        request = await store.lock_request(tx, request_id)
        if request is not None:
            requests[request_id] = request
    await store.lock_entry(tx, group.therapist_id)
    now_is = await store.find_gathering(tx, group.id)
    if now_is is None:
        return False
    members = await store.members_of(tx, now_is)
    if {each.request_id for each in members} - set(requests):
        # Somebody came in between the two looks; they are locked at the next.
        return False
    because = await _nothing_can_come_of(now_is, tx, matcher)
    if because is None:
        return False
    await store.dissolve_group(tx, now_is, because)
    await store.want_reoffer(tx, "a group was dissolved")
    for member in members:
        await _offer_anew(member, requests[member.request_id], now_is, tx, matcher)
    return True


async def _nothing_can_come_of(group: Gathering, tx: Transaction, matcher: Matcher) -> str | None:
    """Why nothing can come of a group whose therapist is locked; None if it goes on."""
    if group.deadline is not None and group.deadline <= tx.now:
        return "too few by the deadline"
    today, seen = day_in_london(tx.now), await store.snapshot(tx)
    leader = await store.find_therapist(tx, group.therapist_id)
    [with_members] = await with_births([group], tx)
    if not may_lead(leader, with_members, today, matcher.rules):
        return "its leader may lead it no longer"
    await store.note_leader(tx, group, on=today, seen=seen)
    return None


async def _offer_anew(
    member: Member, request: Request, group: Gathering, tx: Transaction, matcher: Matcher
) -> None:
    gone = SeatUnavailable(
        request_id=member.request_id,
        subject_id=member.subject_id,
        proposal_id=member.proposal_id,
        decision_id=member.decision_id,
        therapist_id=group.therapist_id,
        reason=SeatRefusal.GROUP_DISSOLVED,
    )
    with skipping("a member of a dissolved group was passed over", request_id=member.request_id):
        async with tx.savepoint():
            opened = await open_request(tx, request)
            if opened is None:
                await close(request, tx, ERASED)
                return
            await tx.publish(gone)
            await propose_or_wait(opened, tx, matcher)
        return
    # Their place is gone all the same; who can be read again one day is found among those who wait.
    await tx.publish(gone)
    await store.queue(tx, request)
