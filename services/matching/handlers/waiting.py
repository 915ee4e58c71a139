"""Offers the waiting list what has become free, the oldest request first."""

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta

from services.matching import store
from services.matching.handlers.closing import ERASED, close
from services.matching.handlers.dissolving import dissolve_groups
from services.matching.handlers.doubting import doubt_leaders
from services.matching.handlers.ending import end_courses
from services.matching.handlers.lapsing import lapse_undecided, renew_fallen
from services.matching.handlers.proposing import Lately, propose_if_found
from services.matching.handlers.ranking import Matcher
from services.matching.handlers.reading import open_request
from services.matching.handlers.skipping import skipping, trying_again
from shared.ages import day_in_london
from shared.contract.ids import RequestId, TherapistId
from shared.contract.matching import Candidate
from shared.kit import logs
from shared.kit.database import Database, Turn
from shared.kit.service import Service, Worker

TURN = "the waiting list"
AGAIN_AFTER = timedelta(minutes=1)
"""So long after a request was passed over it is looked at again, if no whole pass comes before."""


def waiting_list_worker(matcher: Matcher, poll_seconds: float) -> Worker:
    """A worker that looks after groups, proposals and the waiting list for as long as the service runs."""

    async def offer_waiting_list(service: Service) -> None:
        log = logs.logger()
        looked_on: date | None = None
        while True:
            with trying_again("waiting list not offered, will try again"):
                looked_on = await begin_day(service.database, day_in_london(service.clock.now()), looked_on)
                if ended := await end_courses(service.database):
                    log.info("courses of groups ended", ended=ended)
                if dissolved := await dissolve_groups(service.database, matcher):
                    log.info("groups dissolved", dissolved=dissolved)
                if doubted := await doubt_leaders(service.database):
                    log.info("formed groups put before staff", doubted=doubted)
                if lapsed := await lapse_undecided(service.database, matcher.rules.policy):
                    log.info("proposals lapsed undecided", lapsed=lapsed)
                if renewed := await renew_fallen(service.database, matcher):
                    log.info("proposals renewed", renewed=renewed)
                if proposed := await offer_to_waiting(service.database, matcher):
                    log.info("waiting list offered", proposed=proposed)
            await asyncio.sleep(poll_seconds)

    return offer_waiting_list


async def begin_day(database: Database, today: date, looked_on: date | None) -> date:
    """Has the list gone through once a day, whatever else happens; returns the day."""
    if today != looked_on:
        # A birthday may have opened a pathway, or a start come near enough; or an import brought a seat
        # while nobody looked.
        async with database.transaction() as tx:
            await store.want_reoffer(tx, "a new day" if looked_on else "the service has started")
    return today


async def offer_to_waiting(database: Database, matcher: Matcher) -> int:
    """One pass over the waiting list if anything has changed; returns how many were proposed to."""
    async with database.turn(TURN) as turn:
        # Two at once would offer one seat to two, as neither counts what the other offers.
        return 0 if turn is None else await _pass(turn, matcher)


async def _pass(turn: Turn, matcher: Matcher) -> int:
    async with turn.transaction() as tx:
        seen = await store.reoffers_wanted(tx)
        waiting = await (store.waiting_in_order(tx) if seen else store.owed_a_look(tx, tx.now - AGAIN_AFTER))
        spoken_for = await store.spoken_for(tx) if waiting else {}
    lately = Lately()
    proposed = 0
    passed_over: list[RequestId] = []
    for request_id in waiting:
        first: Candidate | None = None
        # Nobody waits behind one that cannot be looked at; it is, by itself, as soon as that may have passed.
        with skipping("a waiting request was passed over", request_id=request_id) as skipped:
            first = await _offer(turn, matcher, request_id, spoken_for, lately)
        if skipped.over:
            passed_over.append(request_id)
        if first is None:
            continue
        proposed += 1
        if first.group is None:
            spoken_for = spoken_for | {first.therapist_id: spoken_for.get(first.therapist_id, 0) + 1}
        else:
            # Whether a group needs another seat depends on who else is proposed it.
            async with turn.transaction() as tx:
                spoken_for = await store.spoken_for(tx)
    if seen or passed_over:
        # Only now, so that a pass cut short is made again.
        async with turn.transaction() as tx:
            await store.owe_a_look(tx, passed_over)
            await store.reoffers_done(tx, seen)
    return proposed


async def _offer(
    turn: Turn,
    matcher: Matcher,
    request_id: RequestId,
    spoken_for: Mapping[TherapistId, int],
    lately: Lately,
) -> Candidate | None:
    # One transaction each: the seat that one is offered is spoken for when the next is looked at.
    async with turn.transaction() as tx:
        await store.wait_briefly(tx)
        request = await store.lock_request(tx, request_id)
        if request is None or request.state is not store.State.WAITING:
            return None
        opened = await open_request(tx, request)
        if opened is None:
            await close(request, tx, ERASED)
            return None
        return await propose_if_found(opened, tx, matcher, spoken_for, lately)
