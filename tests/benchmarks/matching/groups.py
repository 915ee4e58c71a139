"""How long a request takes that may lead into a group, with all that is said of it."""

import time
from dataclasses import replace
from itertools import islice
from uuid import UUID

from services.matching.domain.engine import Engine
from services.matching.domain.gates import Fit, check
from services.matching.domain.grouping import Gathering, opening
from services.matching.domain.offering import Around, Other
from services.matching.domain.ranking import Rules, explain, look, search_for
from services.matching.domain.regrouping import MOST_FOR_GROUPS, with_groups
from services.matching.domain.therapist import Therapist
from services.matching.handlers.gathering import MOST_SEEKERS
from shared.contract.ids import GroupId, TherapistId
from shared.contract.matching import NothingFound, Shortlist
from tests.benchmarks.matching.population import THE_DAY, clients

OTHER_CLIENTS = 3
"""Their seed."""

TRIED = 20
"""So many are made up for each who is taken, as few may come into a group."""

GATHER = 10
"""Groups there are already around each request."""


def answers_in_groups(
    engine: Engine, rules: Rules, requests: int, rounds: int, therapists: list[Therapist]
) -> list[list[float]]:
    """Seconds for everything but reading the database, beside as many others as are ever asked."""
    known = {each.id: each for each in therapists}
    cases = clients(requests * TRIED, rules.places, OTHER_CLIENTS)
    looking = (Other.looking(search_for(case, THE_DAY, rules), rules) for case in cases)
    seekers = list(islice((each for each in looking if each.pathways), requests))
    assert len(seekers) == requests
    groups = [_gathering(number, each, engine, rules, known) for number, each in enumerate(seekers[:GATHER])]
    gatherings = tuple(each for each in groups if each is not None)
    busy = {each.therapist_id: frozenset({each.slot}) for each in gatherings}
    others = tuple(seekers[:MOST_SEEKERS])
    taken = []
    for _ in range(rounds):
        times = []
        for each in seekers:
            began = time.perf_counter()
            _answer(Around(each.search, rules, gatherings, others, busy), engine, known)
            times.append(time.perf_counter() - began)
        taken.append(times)
    return taken


def _answer(around: Around, engine: Engine, known: dict[TherapistId, Therapist]) -> Shortlist | NothingFound:
    """As the service answers: with more from the engine as long as nobody has a time."""
    for_groups = MOST_FOR_GROUPS
    while True:
        found = look(around.search, engine, around.rules, for_groups)
        alone = explain(around.search, found, known, around.rules)
        answer = with_groups(around, found, alone, known)
        if not (isinstance(answer, NothingFound) and found.cut_short):
            return answer
        for_groups *= 2


def _gathering(
    number: int, seeker: Other, engine: Engine, rules: Rules, known: dict[TherapistId, Therapist]
) -> Gathering | None:
    """A group that the best for somebody gathers at their first time in common, with one member."""
    search, pathway = seeker.search, seeker.pathways[0]
    for placed in engine.best(search, 1, pathway.variant):
        fit = check(search, pathway, known[placed.therapist_id], rules.policy, rules.places)
        if isinstance(fit, Fit) and fit.shared_slots:
            group = opening(search, fit, fit.shared_slots[0], rules.policy)
            born = (search.case.date_of_birth,)
            return replace(group, id=GroupId(UUID(int=number + 1)), members=1, born=born)
    return None
