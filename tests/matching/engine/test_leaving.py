"""Many who leave at once, some sorted and some lately come: whoever stays is found where they are now."""

from random import Random
from uuid import UUID

from services.matching.domain.engine import Engine, entry_of
from services.matching.domain.engine.encoding import Entry
from services.matching.domain.ranking import search_for
from shared.contract.ids import TherapistId
from tests.matching.builders import RULES, THE_DAY
from tests.matching.random_matching import random_case, random_therapist


def listed(dice: Random, kinds: list[Entry], number: int) -> dict[UUID, Entry]:
    """So many more entries, each with an id of its own."""
    ids = [UUID(int=dice.getrandbits(128)) for _ in range(number)]
    return {each: dice.choice(kinds)._replace(id=each) for each in ids}


def engine_of(entries: dict[UUID, Entry], prices: dict[TherapistId, int]) -> Engine:
    engine = Engine(RULES.policy, RULES.places, THE_DAY)
    engine.put(list(entries.values()))
    engine.set_prices(prices)
    return engine


def test_after_many_have_left_and_come_it_says_what_a_fresh_one_says() -> None:
    dice = Random(9)
    kinds = [entry_of(random_therapist(dice)) for _ in range(200)]
    searches = [search_for(random_case(dice), THE_DAY, RULES) for _ in range(20)]
    # So many at once that they are sorted.
    here = listed(dice, kinds, 1_500)
    prices = {TherapistId(each): dice.randint(1, 300) for each in dice.sample(list(here), 500)}
    engine, gone = engine_of(here, prices), dict[UUID, Entry]()

    for leave, come in ((1, 40), (300, 5), (7, 1_200), (900, 0), (1, 1), (1_000, 30)):
        # The last rows, too: into their place nobody moves.
        leaving = [*dice.sample(list(here), leave), list(here)[-1]]
        gone |= {each: here.pop(each) for each in dict.fromkeys(leaving)}
        engine.drop([*leaving, leaving[0], UUID(int=leave)])
        back = dict(dice.sample(list(gone.items()), min(come, len(gone)) // 3))
        came = {**listed(dice, kinds, come), **back}
        engine.put(list(came.values()))
        here |= came
        gone = {each: entry for each, entry in gone.items() if each not in came}
        for each in dice.sample(list(here), min(100, len(here))):
            here[each] = here[each]._replace(seats_free=dice.randint(0, here[each].seats_offered))
            engine.set_seats(each, here[each].seats_free)

        fresh = engine_of(here, prices)
        assert len(engine) == len(here)
        assert sorted(engine.seats()) == sorted(fresh.seats())
        assert all(engine.knows(each) for each in here)
        assert not any(engine.knows(each) for each in gone)
        for search in searches:
            assert engine.best(search, 50) == fresh.best(search, 50)
            assert engine.tally(search) == fresh.tally(search)
