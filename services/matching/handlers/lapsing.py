"""Takes back proposals that nobody decided on in time, and renews those that no longer stand."""

from datetime import timedelta

from services.matching import store
from services.matching.domain.policy import Policy
from services.matching.domain.ranking import search_for
from services.matching.domain.standing import stands
from services.matching.handlers.closing import ERASED, close
from services.matching.handlers.proposing import propose_or_wait
from services.matching.handlers.ranking import Matcher
from services.matching.handlers.reading import open_request, open_shortlist
from services.matching.handlers.skipping import skipping
from shared.ages import day_in_london
from shared.contract.ids import RequestId
from shared.kit.database import Database
from shared.kit.transaction import Transaction


async def lapse_undecided(database: Database, policy: Policy) -> int:
    """Puts whoever was left undecided back on the list, where the next pass offers anew; returns how many."""
    async with database.transaction() as tx:
        lapsed = await store.lapse_proposals(tx, tx.now - timedelta(days=policy.proposal_days))
        if lapsed:
            # In the order of the list, so that who has waited longer may get what was kept for them.
            await store.want_reoffer(tx, "a proposal has lapsed")
    return lapsed


async def renew_fallen(database: Database, matcher: Matcher) -> int:
    """Proposes anew where a credential has lapsed, an entry changed or a client has outgrown a pathway."""
    async with database.transaction() as tx:
        doubtful = await store.proposals_to_look_at(tx, day_in_london(tx.now))
    renewed = 0
    for request_id in doubtful:
        renewed += await _look(database, matcher, request_id)
    return renewed


async def _look(database: Database, matcher: Matcher, request_id: RequestId) -> bool:
    with skipping("an open proposal was passed over", request_id=request_id) as skipped:
        async with database.transaction() as tx:
            await store.wait_briefly(tx)
            return await _renewed(request_id, tx, matcher)
    if skipped.for_now:
        return False
    # It is looked at again tomorrow, and the others are today.
    async with database.transaction() as tx:
        await store.note_look(tx, request_id, on=day_in_london(tx.now), seen=await store.snapshot(tx))
    return False


async def _renewed(request_id: RequestId, tx: Transaction, matcher: Matcher) -> bool:
    request = await store.lock_request(tx, request_id)
    if request is None or request.state is not store.State.PROPOSED or request.proposal_id is None:
        return False
    opened = await open_request(tx, request)
    shortlist = await open_shortlist(tx, request.proposal_id)
    if opened is None or shortlist is None:
        await close(request, tx, ERASED)
        return False
    search = search_for(opened.case, day_in_london(tx.now), matcher.rules, asked_by=opened.case.requester)
    # Before the entries are: what changes in between is looked at again.
    seen = await store.snapshot(tx)
    therapists = await store.find_therapists(tx, [each.therapist_id for each in shortlist.candidates])
    if stands(search, shortlist, therapists, matcher.rules):
        await store.note_look(tx, request_id, on=search.on, seen=seen)
        return False
    await store.want_reoffer(tx, "a proposal was renewed")
    await propose_or_wait(opened, tx, matcher)
    return True
