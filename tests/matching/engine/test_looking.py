"""What the engine says beside the list, worked out for all at once, is what asking one by one says."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

from services.matching.domain.engine import Engine, entry_of
from services.matching.domain.gates import Gate, Search, check
from services.matching.domain.pathways import pathways_of
from services.matching.domain.ranking import search_for
from services.matching.domain.therapist import Therapist
from shared.contract.vocabulary import Slot
from tests.matching.builders import RULES, THE_DAY
from tests.matching.random_matching import random_case, random_therapist


def engine_of(therapists: list[Therapist], dice: Random) -> Engine:
    engine = Engine(RULES.policy, RULES.places, THE_DAY)
    engine.put([entry_of(each) for each in therapists])
    engine.set_prices({each.id: dice.choice([0, 0, 40, 200]) for each in therapists})
    return engine


def a_random_search(dice: Random, therapists: list[Therapist]) -> Search:
    excluded = frozenset(each.id for each in dice.sample(therapists, 4))
    spoken_for = {each.id: dice.randint(1, 4) for each in dice.sample(therapists, 10)}
    waited = timedelta(weeks=dice.choice([0, 3]))
    return search_for(random_case(dice), THE_DAY, RULES, excluded, spoken_for, waited=waited)


def kept_out(search: Search, therapists: list[Therapist]) -> Counter[Gate]:
    """Every therapist who passes nowhere, at the last gate that a pathway led to."""
    order = tuple(Gate)
    counted: Counter[Gate] = Counter()
    pathways = pathways_of(search.case, search.on, RULES.policy).fitting
    for therapist in therapists:
        found = [check(search, pathway, therapist, RULES.policy, RULES.places) for pathway in pathways]
        gates = [each for each in found if isinstance(each, Gate)]
        if gates and len(gates) == len(found):
            counted[max(gates, key=order.index)] += 1
    return counted


def test_each_therapist_is_counted_once_at_the_gate_that_keeps_them_out() -> None:
    dice = Random(5)
    met: Counter[Gate] = Counter()

    for _ in range(20):
        therapists = [random_therapist(dice) for _ in range(150)]
        engine = engine_of(therapists, dice)
        gone = [therapists.pop(dice.randrange(len(therapists))) for _ in range(dice.choice([0, 22]))]
        engine.drop(each.id for each in gone)
        for _ in range(20):
            search = a_random_search(dice, therapists)
            wanted = kept_out(search, therapists)

            assert Counter(engine.tally(search)) == wanted
            met += wanted

    assert set(met) == set(Gate)


def test_one_more_time_brings_to_the_top_whom_a_search_with_it_finds_first() -> None:
    dice = Random(6)
    helped = 0

    for _ in range(10):
        therapists = [random_therapist(dice) for _ in range(150)]
        engine = engine_of(therapists, dice)
        for _ in range(30):
            search = a_random_search(dice, therapists)
            for first in engine.best(search, 1):
                one_by_one = {}
                for slot in Slot:
                    times = (*search.case.availability, slot)
                    case = search.case.model_copy(update={"availability": times})
                    [placed] = engine.best(replace(search, case=case), 1)
                    if placed.number != first.number:
                        one_by_one[slot] = placed

                assert engine.with_one_more_time(search, first) == one_by_one
                helped += bool(one_by_one)

    assert helped > 10


def test_whom_a_search_may_not_choose_follows_the_seats() -> None:
    dice = Random(7)
    therapists = [replace(random_therapist(dice), seats_offered=3, seats_free=1) for _ in range(150)]
    engine = engine_of(therapists, dice)
    search = next(
        each for _ in range(99) if engine.best(each := search_for(random_case(dice), THE_DAY, RULES), 1)
    )
    [first] = engine.best(search, 1)
    spoken_for = replace(search, spoken_for={first.therapist_id: 1})

    assert first not in engine.best(spoken_for, 150)
    engine.set_seats(first.therapist_id, 2)

    assert first.therapist_id in [each.therapist_id for each in engine.best(spoken_for, 150)]
