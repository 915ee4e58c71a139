"""The engine agrees with the rules said plainly: on who, how many points, and why."""

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


def test_it_still_agrees_after_thousands_of_changes(directory: dict[TherapistId, Therapist]) -> None:
    dice, changed = Random(3), dict(directory)
    prices = some_prices(directory, dice)
    engine = engine_of(changed, prices)

    for _ in range(UPDATES):
        if dice.random() < 0.02:
            gone = dice.choice(list(changed))
            del changed[gone]
            engine.drop([gone])
        known = dice.choice(list(changed)) if dice.random() < 0.95 else None
        therapist = random_therapist(dice, known)
        changed[therapist.id] = therapist
        engine.put([entry_of(therapist)])

    assert len(engine) == len(changed)
    met = agree(engine, changed, dice, REQUESTS, prices=prices)
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
