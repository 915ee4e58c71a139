"""Asks the directory for one request, beside what is spoken for, and explains the answer."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.matching import store
from services.matching.domain.gates import Search
from services.matching.domain.offering import Around
from services.matching.domain.ranking import OutOfStep, Rules, explain, look, search_for
from services.matching.domain.regrouping import with_groups
from services.matching.handlers.gathering import groups_around
from services.matching.handlers.reading import Opened
from shared.ages import day_in_london
from shared.contract.ids import ProposalId, TherapistId
from shared.contract.matching import NothingFound, Shortlist
from shared.kit.errors import Contended
from shared.kit.transaction import Transaction

MOST_LOOKS = 5
MOST_FOR_GROUPS = 100
"""How many are looked at for a group at first: some have no time in common with the client and fall away."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """All that ranking needs: the rules, and the directory they apply to."""

    rules: Rules
    directory: store.DirectoryInMemory


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the directory for a request, and what there is of groups around it."""

    search: Search
    around: Around | None


@dataclass(frozen=True, slots=True)
class Ranked:
    """An answer, and what it came from."""

    search: Search
    sight: store.Sight
    answer: Shortlist | NothingFound
    alone: Shortlist | NothingFound
    """The same before any group was thought of, which is all that can be made again from the directory."""


async def ask(
    opened: Opened, tx: Transaction, rules: Rules, spoken_for: Mapping[TherapistId, int], *, heeding: bool
) -> Asked:
    """What is asked, beside what is spoken for; `heeding` leaves places in groups alone that are proposed."""
    excluded = await store.excluded_from(tx, opened.request.id)
    waited = tx.now - opened.request.submitted_at
    search = search_for(
        opened.case,
        day_in_london(tx.now),
        rules,
        excluded,
        spoken_for,
        waited=waited,
        asked_by=opened.case.requester,
    )
    around = await groups_around(search, opened.request.id, tx, rules, heeding=heeding)
    return Asked(search, around)


async def may_find(asked: Asked, tx: Transaction, matcher: Matcher) -> bool:
    """Whether there is anybody to propose, or a group, whose leader needs no further seat."""
    if asked.around is not None and asked.around.gatherings:
        return True
    async with matcher.directory.current(tx) as engine:
        return bool(engine.best(asked.search, 1))


async def rank(asked: Asked, tx: Transaction, matcher: Matcher) -> Ranked:
    """The answer with its reasons, from entries that nobody has changed since the engine was asked."""
    rules, search, around = matcher.rules, asked.search, asked.around
    leaders = {group.therapist_id for group in around.gatherings} if around else set()
    for_groups = MOST_FOR_GROUPS if around else 0
    looks = 0
    while looks < MOST_LOOKS:
        async with matcher.directory.current(tx) as engine:
            found = look(search, engine, rules, for_groups)
            sight = matcher.directory.sight
        therapists = await store.find_therapists(tx, list(found.therapists | leaders))
        answer: Shortlist | NothingFound | OutOfStep
        try:
            answer = explain(search, found, therapists, rules)
        except OutOfStep as fault:
            answer = fault
        if not await store.unchanged_since(tx, sight, list(found.therapists)):
            # Another process took a seat or changed an entry between the two looks.
            looks += 1
            continue
        if isinstance(answer, OutOfStep):
            # Nobody did: a fault of ours, and another look would say the same.
            raise answer
        grouped = answer if around is None else with_groups(around, found, answer, therapists)
        if around and isinstance(grouped, NothingFound) and found.cut_short:
            # A time is no gate of the engine: who has one may come after many who score more and have none.
            for_groups *= 2
            continue
        return Ranked(search, sight, grouped, alone=answer)
    raise Contended("whoever is found is changed again and again")


async def keep(
    opened: Opened, tx: Transaction, rules: Rules, ranked: Ranked, proposal_id: ProposalId | None
) -> None:
    """Keeps an answer with all that it depended on; `proposal_id` is None if nobody was found."""
    await store.add_ranking(
        tx,
        request_id=opened.request.id,
        subject_id=opened.subject_id,
        proposal_id=proposal_id,
        search=ranked.search,
        sight=ranked.sight,
        answer=ranked.alone,
        rules=rules,
    )
