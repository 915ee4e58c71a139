"""The engine agrees with the rules said plainly: on who, how many points, and why."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from services.matching.domain.engine import Engine, entry_of
from services.matching.domain.ordering import HELD_BACK
from services.matching.domain.ranking import Rules, explain, look, search_for
from services.matching.domain.therapist import Therapist
from shared.contract.ids import TherapistId
from shared.contract.matching import NothingFound
from shared.contract.vocabulary import Format, Mode, Variant
from tests.matching import oracle
from tests.matching.builders import RULES, THE_DAY
from tests.matching.random_matching import plain, random_case, random_therapist

THERAPISTS, REQUESTS, UPDATES = 250, 2_000, 5_000
CHANGES = {
    "an entry": 48,
    "seats": 41,
    "leaves": 3,
    "is back": 4,
    "is new": 2,
    "prices": 2,
}
"""What may happen to a directory, and how often of a hundred times."""
WITH_OUTCOMES = replace(
    RULES,
    policy=RULES.policy.model_copy(update={"outcome": RULES.policy.outcome.model_copy(update={"on": True})}),
)


def engine_of(
    directory: dict[TherapistId, Therapist],
    prices: dict[TherapistId, int] | None = None,
    rules: Rules = RULES,
) -> Engine:
    engine = Engine(rules.policy, rules.places, THE_DAY)
    engine.put([entry_of(therapist) for therapist in directory.values()])
    engine.set_prices(prices or {})
    return engine


def agree(
    engine: Engine,
    directory: dict[TherapistId, Therapist],
    dice: Random,
    requests: int,
    *,
    prices: dict[TherapistId, int],
    rules: Rules = RULES,
) -> set[str]:
    """Compares so many random requests; returns every variant, mode and format that was proposed."""
    described = [plain(therapist) for therapist in directory.values()]
    met: set[str] = set()
    for _ in range(requests):
        case = random_case(dice)
        excluded = frozenset(dice.sample(list(directory), 3))
        spoken_for = {each: dice.randint(1, 4) for each in dice.sample(list(directory), len(directory) // 5)}
        waited = timedelta(days=dice.choice([0, 0, 5, 21, 90]))
        search = search_for(case, THE_DAY, rules, excluded, spoken_for, waited=waited)
        found = explain(search, look(search, engine, rules), directory, rules)
        candidates = () if isinstance(found, NothingFound) else found.candidates
        wanted = oracle.shortlist(
            case.model_dump(mode="json"),
            described,
            THE_DAY,
            {str(each) for each in excluded},
            spoken_for={str(each): seats for each, seats in spoken_for.items()},
            prices={str(each): price for each, price in prices.items()},
            waited_days=waited.days,
        )

        assert [
            (
                str(each.therapist_id),
                each.score,
                str(each.variant),
                str(each.mode),
                [(reason.term, reason.field, reason.points) for reason in each.reasons],
                each.price,
            )
            for each in candidates
        ] == wanted
        assert [HELD_BACK in each.cautions for each in candidates] == [
            any(above[1] < each[1] for above in wanted[:place]) for place, each in enumerate(wanted)
        ]
        formats = {way.variant: way.format for way in found.pathways}
        met.update(word for each in candidates for word in (each.variant, each.mode, formats[each.variant]))
    return met


@pytest.fixture(scope="module")
def directory() -> dict[TherapistId, Therapist]:
    dice = Random(1)
    therapists = [random_therapist(dice) for _ in range(THERAPISTS)]
    return {therapist.id: therapist for therapist in therapists}


def some_prices(directory: dict[TherapistId, Therapist], dice: Random) -> dict[TherapistId, int]:
    return {each: dice.randint(1, 500) for each in dice.sample(list(directory), len(directory) // 2)}


def test_the_oracle_is_short_enough_to_be_read_at_a_sitting() -> None:
    assert len(Path(oracle.__file__).read_text(encoding="utf-8").splitlines()) <= 120


def test_the_engine_agrees_with_the_oracle(directory: dict[TherapistId, Therapist]) -> None:
    prices = some_prices(directory, Random(5))

    met = agree(engine_of(directory, prices), directory, Random(2), REQUESTS, prices=prices)

    assert met == {*Variant, Mode.ONLINE, Mode.IN_PERSON, *Format}


def test_it_agrees_where_outcomes_count(
    directory: dict[TherapistId, Therapist], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(oracle.POLICY["outcome"], "on", True)

    prices = some_prices(directory, Random(6))
    engine = engine_of(directory, prices, WITH_OUTCOMES)
    agree(engine, directory, Random(5), REQUESTS // 4, prices=prices, rules=WITH_OUTCOMES)


class Changing:
    """A directory and its prices, and an engine that is told of each change as it comes."""

    def __init__(self, directory: dict[TherapistId, Therapist], dice: Random) -> None:
        self.dice = dice
        self.directory = dict(directory)
        self.gone: list[Therapist] = []
        self.prices = some_prices(directory, dice)
        self.engine = engine_of(directory, self.prices)

    def change(self) -> str:
        """Changes something, and says what."""
        [kind] = self.dice.choices([*CHANGES], weights=[*CHANGES.values()])
        anybody = self.dice.choice([*self.directory.values()])
        match kind:
            case "an entry":
                self._list(random_therapist(self.dice, anybody.id))
            case "seats":
                free = self.dice.randint(0, anybody.seats_offered)
                self.directory[anybody.id] = replace(anybody, seats_free=free)
                self.engine.set_seats(anybody.id, free)
            case "prices":
                # Also of who has left, and may be back before the next ones.
                known = self.directory | {each.id: each for each in self.gone}
                self.prices = some_prices(known, self.dice)
                self.engine.set_prices(self.prices)
            case "leaves":
                leaving = {anybody.id, *self.dice.sample(list(self.directory), self.dice.randint(0, 2))}
                self.gone += [self.directory.pop(each) for each in leaving]
                self.engine.drop(leaving)
            case "is back" if self.gone:
                self._list(self.gone.pop(self.dice.randrange(len(self.gone))))
            case "is new":
                self._list(random_therapist(self.dice))
        return kind

    def _list(self, therapist: Therapist) -> None:
        self.directory[therapist.id] = therapist
        self.engine.put([entry_of(therapist)])


def test_it_still_agrees_after_thousands_of_changes(directory: dict[TherapistId, Therapist]) -> None:
    changing = Changing(directory, Random(3))
    met: set[str] = set()

    for requests in (REQUESTS // 8, REQUESTS // 8, REQUESTS):
        changes = Counter(changing.change() for _ in range(UPDATES // 3 + 1))
        assert changes.keys() == CHANGES.keys()
        assert len(changing.engine) == len(changing.directory)
        met |= agree(changing.engine, changing.directory, changing.dice, requests, prices=changing.prices)

    assert met == {*Variant, Mode.ONLINE, Mode.IN_PERSON, *Format}


def test_it_agrees_on_other_days(directory: dict[TherapistId, Therapist]) -> None:
    engine = engine_of(directory)
    described = [plain(therapist) for therapist in directory.values()]
    dice = Random(4)

    for days in (30, 400, -200, 0):
        on = THE_DAY.fromordinal(THE_DAY.toordinal() + days)
        for _ in range(50):
            case = random_case(dice)
            placed = engine.shortlist(search_for(case, on, RULES), 10)
            wanted = oracle.shortlist(
                case.model_dump(mode="json"), described, on, set(), spoken_for={}, prices={}, size=10
            )
            assert [(str(each.therapist_id), each.score) for each in placed] == [each[:2] for each in wanted]
