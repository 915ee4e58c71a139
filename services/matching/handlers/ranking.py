"""Asks the directory for one request, beside what is spoken for, and explains the answer."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.matching import store
from services.matching.domain.gates import Search
from services.matching.domain.ranking import OutOfStep, Rules, explain, look, search_for
from services.matching.domain.regrouping import first_for_groups, leaders, more_for_groups, with_groups
from services.matching.handlers.gathering import Surroundings, groups_around
from services.matching.handlers.reading import Opened
from shared.ages import day_in_london
from shared.contract.ids import ProposalId, TherapistId
from shared.contract.matching import NothingFound, Shortlist
from shared.kit.errors import Contended
from shared.kit.transaction import Transaction

MOST_LOOKS = 5


@dataclass(frozen=True, slots=True)
class Matcher:
    """All that ranking needs: the rules, and the directory they apply to."""

    rules: Rules
    directory: store.DirectoryInMemory


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the directory for a request, and what there is of groups around it."""

    search: Search
    groups: Surroundings | None


@dataclass(frozen=True, slots=True)
class Ranked:
    """An answer, and what it came from."""

    search: Search
    sight: store.Sight
    groups: store.GroupSight | None
    answer: Shortlist | NothingFound


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
    groups = await groups_around(search, opened.request.id, tx, rules, heeding=heeding)
    return Asked(search, groups)


async def may_find(asked: Asked, tx: Transaction, matcher: Matcher) -> bool:
    """Whether there is anybody to propose, or a group, whose leader needs no further seat."""
    if asked.groups is not None and asked.groups.around.gatherings:
        return True
    async with matcher.directory.current(tx) as engine:
        return bool(engine.best(asked.search, 1))


async def rank(asked: Asked, tx: Transaction, matcher: Matcher) -> Ranked:
    """The answer with its reasons, from entries that nobody has changed since the engine was asked."""
    rules, search = matcher.rules, asked.search
    around = asked.groups.around if asked.groups else None
    for_groups = first_for_groups(around)
    looks = 0
    while looks < MOST_LOOKS:
        async with matcher.directory.current(tx) as engine:
            found = look(search, engine, rules, for_groups)
            sight = matcher.directory.sight
            # Who leads a group and is in the directory no more is in no ranking made again, either.
            needed = found.therapists | {each for each in leaders(around) if engine.knows(each)}
        therapists = await store.find_therapists(tx, list(needed))
        answer: Shortlist | NothingFound | OutOfStep
        try:
            answer = explain(search, found, therapists, rules)
        except OutOfStep as fault:
            answer = fault
        if not await store.unchanged_since(tx, sight, list(needed)):
            # Another process took a seat or changed an entry between the two looks.
            looks += 1
            continue
        if isinstance(answer, OutOfStep):
            # Nobody did: a fault of ours, and another look would say the same.
            raise answer
        grouped = answer if around is None else with_groups(around, found, answer, therapists)
        if further := more_for_groups(grouped, found, for_groups):
            for_groups = further
            continue
        return Ranked(search, sight, None if asked.groups is None else asked.groups.sight, grouped)
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
        groups=ranked.groups,
        answer=ranked.answer,
        rules=rules,
    )
