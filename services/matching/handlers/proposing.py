"""Ranks for one request and says what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.matching import store
from services.matching.domain.pathways import pathways_of
from services.matching.domain.policy import Policy
from services.matching.domain.ranking import Rules
from services.matching.domain.waits import Wait, weeks_waited
from services.matching.handlers.ranking import MOST_LOOKS, Matcher, Ranked, ask, keep, may_find, rank
from services.matching.handlers.reading import Opened
from shared.contract.ids import ProposalId, TherapistId
from shared.contract.matching import (
    Candidate,
    MatchNotFound,
    MatchProposed,
    NothingFound,
    Pathway,
    Shortfall,
    Shortlist,
    WaitWeeks,
)
from shared.contract.sealing import Purpose
from shared.contract.vocabulary import Mode
from shared.kit.errors import Contended
from shared.kit.identifiers import new_id
from shared.kit.transaction import Transaction


@dataclass(slots=True)
class Lately:
    """How long people waited lately, read once for all who are told of it in one pass."""

    waits: Sequence[Wait] | None = None

    async def weeks(self, mode: Mode, tx: Transaction, policy: Policy) -> WaitWeeks | None:
        """What to tell who waits for that mode; None if it is not known."""
        if self.waits is None:
            self.waits = await store.waits_since(tx, tx.now - timedelta(days=policy.wait_history_days))
        return weeks_waited(self.waits, mode, tx.now, policy)


async def propose_or_wait(opened: Opened, tx: Transaction, matcher: Matcher) -> None:
    """Proposes a shortlist, or puts the request on the waiting list.

    There it is said why; or nothing yet, if what has become free is first offered to others who wait.
    """
    request_id = opened.request.id
    for _ in range(MOST_LOOKS):
        others_wait, spoken_for = await _beside(opened, tx)
        asked = await ask(opened, tx, matcher.rules, spoken_for, heeding=others_wait)
        # Whoever the next pass looks for need not be ranked now; of groups the short look knows too little.
        behind = asked.groups is None and await store.list_comes_first(tx, request_id)
        if behind and await may_find(asked, tx, matcher):
            await store.queue(tx, opened.request)
            return
        ranked = await rank(asked, tx, matcher)
        if isinstance(ranked.answer, NothingFound):
            await keep(opened, tx, matcher.rules, ranked, None)
            await _wait(opened, tx, matcher.rules, ranked.answer, Lately())
            # Whatever became free while this was being ranked is looked at again once this is known.
            await store.want_reoffer(tx, "somebody waits")
            return
        # Asked only now: what this ranking saw become free was put down together with the wish to offer it.
        if await store.list_comes_first(tx, request_id):
            await store.queue(tx, opened.request)
            return
        # And this after that: a pass that has ended meanwhile had offered it before it forgot the wish.
        first = ranked.answer.candidates[0].therapist_id
        _, now_spoken_for = await _beside(opened, tx)
        if now_spoken_for.get(first, 0) <= spoken_for.get(first, 0):
            await _propose(opened, tx, matcher.rules, ranked, ranked.answer)
            return
    raise Contended("whoever is found is spoken for again and again")


async def _beside(opened: Opened, tx: Transaction) -> tuple[bool, Mapping[TherapistId, int]]:
    """Whether others wait, and what is spoken for.

    What was offered to who had to wait is offered to nobody else; while somebody has to, nothing is twice.
    """
    others_wait = await store.others_wait(tx, opened.request.id)
    return others_wait, await store.spoken_for(tx, beside=opened.request.id, of_who_waited=not others_wait)


async def propose_if_found(
    opened: Opened, tx: Transaction, matcher: Matcher, spoken_for: Mapping[TherapistId, int], lately: Lately
) -> Candidate | None:
    """Proposes to somebody who waits, if a seat is free that is not spoken for; returns who comes first."""
    asked = await ask(opened, tx, matcher.rules, spoken_for, heeding=True)
    # Who waits is looked at again and again: the first time of a day stands for the others.
    first_today = not await store.ranked_without_success_on(tx, opened.request.id, asked.search.on)
    told = await store.told_of(tx, opened.request.id)
    fitting = pathways_of(opened.case, asked.search.on, matcher.rules.policy).fitting
    # Why nobody is found takes many times as long as that nobody is: it is worked out where it may be said.
    to_say = first_today or told is None or told.shortfall is not _shortfall(fitting)
    if not to_say and not await may_find(asked, tx, matcher):
        return None
    ranked = await rank(asked, tx, matcher)
    if isinstance(ranked.answer, NothingFound):
        if first_today:
            await keep(opened, tx, matcher.rules, ranked, None)
        await _wait_on(opened, tx, matcher.rules, ranked.answer, lately, first_today=first_today)
        return None
    await _propose(opened, tx, matcher.rules, ranked, ranked.answer)
    return ranked.answer.candidates[0]


async def _wait(opened: Opened, tx: Transaction, rules: Rules, found: NothingFound, lately: Lately) -> None:
    # Also where no pathway fits: a birthday may open one.
    told = await _to_tell(opened, tx, rules, found, lately)
    await store.wait(tx, opened.request, opened.case.mode, told)
    await tx.publish(
        MatchNotFound(
            request_id=opened.request.id,
            subject_id=opened.subject_id,
            policy_version=rules.policy.version,
            shortfall=told.shortfall,
            wait_weeks=told.weeks,
            findings=found,
        )
    )


async def _wait_on(
    opened: Opened,
    tx: Transaction,
    rules: Rules,
    found: NothingFound,
    lately: Lately,
    *,
    first_today: bool,
) -> None:
    """Says nothing to who waits already, unless what was told of the wait is no longer true."""
    told = await store.told_of(tx, opened.request.id)
    # A birthday has opened a pathway or shut the last one; or others, by today, have waited longer or less.
    if (
        told is None
        or told.shortfall is not _shortfall(found.pathways)
        or (first_today and told != await _to_tell(opened, tx, rules, found, lately))
    ):
        await _wait(opened, tx, rules, found, lately)


async def _to_tell(
    opened: Opened, tx: Transaction, rules: Rules, found: NothingFound, lately: Lately
) -> store.Told:
    shortfall = _shortfall(found.pathways)
    if shortfall is Shortfall.NO_WAY_FITS:
        return store.Told(shortfall, None)
    return store.Told(shortfall, await lately.weeks(opened.case.mode, tx, rules.policy))


def _shortfall(pathways: Sequence[Pathway]) -> Shortfall:
    return Shortfall.NOBODY_FREE if pathways else Shortfall.NO_WAY_FITS


async def _propose(
    opened: Opened, tx: Transaction, rules: Rules, ranked: Ranked, shortlist: Shortlist
) -> None:
    proposal_id = ProposalId(new_id())
    group = shortlist.candidates[0].group
    sealed = await tx.seal(opened.subject_id, Purpose.CLINICAL, shortlist.model_dump_json().encode())
    await store.add_proposal(
        tx,
        request_id=opened.request.id,
        proposal_id=proposal_id,
        policy_version=rules.policy.version,
        shortlist=sealed,
        named=[each.therapist_id for each in shortlist.candidates],
        group_slot=None if group is None else group.slot,
    )
    await store.note_look(tx, opened.request.id, on=ranked.search.on, seen=ranked.sight.snapshot)
    await keep(opened, tx, rules, ranked, proposal_id)
    await tx.publish(
        MatchProposed(
            request_id=opened.request.id,
            subject_id=opened.subject_id,
            proposal_id=proposal_id,
            policy_version=rules.policy.version,
            shortlist=shortlist,
        )
    )
