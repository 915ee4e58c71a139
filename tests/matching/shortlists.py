"""Shortlists of who is given, and what of them tests look at."""

from typing import Any

from services.matching.app import load_places
from services.matching.domain.engine import Engine, entry_of
from services.matching.domain.generating import synthetic_therapists
from services.matching.domain.ranking import explain, look, rank
from services.matching.domain.therapist import Therapist
from shared.contract.matching import Candidate, Shortlist
from tests.matching.builders import RULES, THE_DAY, a_search

DIRECTORY = tuple(synthetic_therapists(240, 7, THE_DAY, load_places().postcodes))


def shortlist(*therapists: Any, **case: Any) -> Shortlist:
    found = rank(a_search(**case), therapists, RULES)
    assert isinstance(found, Shortlist), found
    return found


def only(*therapists: Any, **case: Any) -> Candidate:
    [candidate] = shortlist(*therapists, **case).candidates
    return candidate


def points(candidate: Candidate, term: str) -> int:
    return sum(reason.points for reason in candidate.reasons if reason.term == term)


def priced(prices: dict[Therapist, int], **case: Any) -> Shortlist:
    """The shortlist where seats cost so many points."""
    engine = Engine(RULES.policy, RULES.places, THE_DAY)
    engine.put([entry_of(therapist) for therapist in prices])
    engine.set_prices({therapist.id: points for therapist, points in prices.items()})
    search = a_search(**case)
    found = explain(search, look(search, engine, RULES), {each.id: each for each in prices}, RULES)
    assert isinstance(found, Shortlist), found
    return found
