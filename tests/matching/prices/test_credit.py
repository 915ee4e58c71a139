"""Prices order a list without touching its scores, and count the less the longer somebody has waited."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.matching.domain.engine import Engine, entry_of
from services.matching.domain.ranking import search_for
from shared.contract.ids import TherapistId
from shared.contract.vocabulary import ProblemArea
from tests.matching.builders import RULES, THE_DAY, a_therapist
from tests.support.builders import a_case

BETTER = a_therapist("zoe")
WORSE = a_therapist("abe", problem_areas=frozenset({ProblemArea.GRIEF}))
PER_WEEK, MOST = RULES.policy.prices.credit_per_week, RULES.policy.prices.most_credit


def engine(prices: dict[TherapistId, int]) -> Engine:
    engine = Engine(RULES.policy, RULES.places, THE_DAY)
    engine.put([entry_of(BETTER), entry_of(WORSE)])
    engine.set_prices(prices)
    return engine


def listed(engine: Engine, waited: timedelta = timedelta(0)) -> list[tuple[TherapistId, int]]:
    search = search_for(a_case(), THE_DAY, RULES, waited=waited)
    return [(each.therapist_id, each.score) for each in engine.best(search, 5)]


def test_a_price_changes_the_order_and_no_score() -> None:
    free, dear = listed(engine({})), listed(engine({BETTER.id: 300}))

    assert [who for who, _ in free] == [BETTER.id, WORSE.id]
    assert [who for who, _ in dear] == [WORSE.id, BETTER.id]
    assert dict(free) == dict(dear)


def test_who_has_waited_long_enough_gets_the_seat_that_was_held_back() -> None:
    gap = 200  # the points of the problem area
    dear = engine({BETTER.id: gap + 2 * PER_WEEK + 1})

    assert listed(dear)[0][0] == WORSE.id
    assert listed(dear, timedelta(weeks=2))[0][0] == WORSE.id
    assert listed(dear, timedelta(weeks=3))[0][0] == BETTER.id


def test_waiting_brings_no_advantage_beyond_the_price_itself() -> None:
    cheap = engine({WORSE.id: 10})

    assert listed(cheap, timedelta(weeks=50)) == listed(engine({}))


@pytest.mark.parametrize(
    ("days", "credit"),
    [(-3, 0), (0, 0), (6, PER_WEEK * 6 // 7), (7, PER_WEEK), (35, 5 * PER_WEEK), (9_999, MOST)],
)
def test_the_credit_grows_by_the_day_up_to_its_cap(days: int, credit: int) -> None:
    assert search_for(a_case(), THE_DAY, RULES, waited=timedelta(days=days)).credit == credit


def test_a_price_stays_with_its_therapist_and_does_not_pass_to_who_takes_their_row() -> None:
    dear = engine({BETTER.id: 300})

    dear.drop([BETTER.id])
    newcomer = replace(BETTER, id=a_therapist("newcomer").id)
    dear.put([entry_of(newcomer)])
    assert listed(dear)[0][0] == newcomer.id

    dear.put([entry_of(BETTER)])
    assert listed(dear)[-1][0] == BETTER.id
