"""Prices keep a seat for whom only it can serve; where little is known, they grow as seats become few."""

from datetime import timedelta
from math import inf
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.engine import Engine, Seats, entry_of
from services.matching.domain.gates import Search
from services.matching.domain.pricing import Edges, by_demand, by_inventory, seats_ahead, settled
from services.matching.domain.ranking import search_for
from services.matching.domain.therapist import Therapist
from shared.contract.ids import TherapistId
from shared.contract.vocabulary import ProblemArea
from tests.matching.builders import RULES, THE_DAY, a_therapist, an_accreditation, born
from tests.support.builders import a_case

ITERATIONS, MOST = RULES.policy.prices.iterations, RULES.policy.prices.most_credit
SCARCE, PLENTY, IDLE = 1, 2, 3

# Half of all can only go to the scarce one; the others gain a little there and do nearly as well elsewhere.
CHOICES = [[(SCARCE, 600)], [(SCARCE, 650), (PLENTY, 600)]] * 20
SEATS = {SCARCE: 20.0, PLENTY: 60.0, IDLE: 5.0}


def prices(expected: float = 40, seats: dict[int, float] | None = None) -> dict[int, int]:
    return by_demand(Edges(CHOICES), seats or SEATS, expected, {}, ITERATIONS, most=MOST)


def test_who_is_scarce_and_wanted_costs_what_others_gain_there_over_their_next_best() -> None:
    found = prices()

    assert found.keys() == {SCARCE}
    assert 50 <= found[SCARCE] <= 70


def test_who_has_more_seats_than_anybody_wants_costs_nothing() -> None:
    assert prices(seats={SCARCE: 1000, PLENTY: 1000}) == {}


def test_the_more_are_expected_the_dearer_the_scarce_one_becomes() -> None:
    few, some, many = (prices(expected).get(SCARCE, 0) for expected in (10, 40, 400))

    assert few == 0 < some < many


def test_no_seat_is_held_back_from_who_has_waited_longest_however_many_want_it() -> None:
    found = by_demand(Edges([[(SCARCE, 900)]] * 40), {SCARCE: 1.0}, 400, {SCARCE: 900}, ITERATIONS, most=MOST)
    waited = timedelta(weeks=52)

    assert found == {SCARCE: MOST}
    assert search_for(a_case(), THE_DAY, RULES, waited=waited).credit >= found[SCARCE]


def test_prices_come_down_again_from_where_they_were_once_nobody_is_scarce() -> None:
    dear = {SCARCE: 80}
    plenty = {SCARCE: 1000.0, PLENTY: 1000.0}
    for _ in range(20):
        dear = by_demand(Edges(CHOICES), plenty, 40, dear, ITERATIONS, most=MOST)

    assert dear == {}


def test_prices_that_circle_around_their_answer_settle() -> None:
    dice = Random(7)
    seats = {number: float(dice.choice((1, 2, 3, 4, 6))) for number in range(60)}
    choices = [
        sorted(
            ((each, dice.randint(200, 800)) for each in dice.sample(range(60), 12)), key=lambda edge: -edge[1]
        )
        for _ in range(300)
    ]
    edges, expected = Edges(choices), sum(seats.values())
    kept: dict[int, int] = {}
    versions = []
    for turn in range(30):
        found = by_demand(edges, seats, expected, kept, ITERATIONS, most=MOST)
        if not settled(found, kept, RULES.policy.prices.settled_within):
            kept = found
            versions.append(turn)

    assert kept
    # They differ still, but by nothing that matters.
    assert by_demand(edges, seats, expected, kept, ITERATIONS, most=MOST) != kept
    assert versions[-1] < 20


def test_a_price_that_rises_or_falls_by_enough_unsettles_them_all() -> None:
    last = {SCARCE: 80, PLENTY: 4}

    assert settled({SCARCE: 90}, last, 10)
    assert not settled({SCARCE: 91}, last, 10)
    assert not settled({PLENTY: 4}, last, 10)
    assert not settled({SCARCE: 80, IDLE: 11}, last, 10)


def test_without_any_past_nothing_has_a_price() -> None:
    assert by_demand(Edges([]), SEATS, 10, {}, ITERATIONS, most=MOST) == {}
    assert by_demand(Edges([[], []]), SEATS, 10, {}, ITERATIONS, most=MOST) == {}


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_prices_are_whole_never_negative_and_always_the_same(seed: int) -> None:
    dice = Random(seed)
    therapists = range(12)
    choices = [
        [(who, dice.randint(0, 900)) for who in dice.sample(therapists, dice.randint(0, 6))]
        for _ in range(40)
    ]
    seats = {who: float(dice.choice([0, 1, 1, 2, 5])) for who in therapists}
    last = {who: dice.randint(0, 500) for who in therapists if dice.random() < 0.3}

    expected = dice.uniform(1, 80)

    found = by_demand(Edges(choices), seats, expected, last, ITERATIONS, most=MOST)

    assert all(isinstance(points, int) and 0 < points <= MOST for points in found.values())
    assert found.keys() <= {who for row in choices for who, _ in row}
    assert found == by_demand(Edges(choices), seats, expected, last, ITERATIONS, most=MOST)


def test_while_little_is_known_seats_grow_dearer_as_fewer_are_free() -> None:
    found = by_inventory([Seats(free, free, 4) for free in range(5)] + [Seats(9, 0, 0), Seats(8, 6, 4)], 300)

    assert [found.get(free, 0) for free in range(5)] == [300, 168, 75, 18, 0]
    assert 9 not in found
    assert 8 not in found


def test_a_specialist_is_kept_for_whom_only_they_can_serve() -> None:
    # The specialist suits everybody a little better, and adolescents have nobody else.
    specialist = a_therapist("cleo", seats_offered=1, seats_free=1)
    generalist = a_therapist(
        "abe",
        seats_offered=1,
        seats_free=1,
        problem_areas=frozenset({ProblemArea.GRIEF}),
        accreditations=(an_accreditation(),),
    )
    anybody = search_for(a_case(), THE_DAY, RULES)
    only_there = search_for(a_case(date_of_birth=born(15), attending_adult=True), THE_DAY, RULES)
    engine = a_directory(specialist, generalist)

    assert served(engine, [anybody, only_there]) == [specialist.id, None]

    past = Edges(
        [(each.number, each.score) for each in engine.qualified(search, 10)]
        for search in (anybody, only_there)
    )
    prices = by_demand(
        past, {each.id.int: 1.0 for each in (specialist, generalist)}, 2, {}, ITERATIONS, most=MOST
    )
    engine.set_prices({TherapistId(UUID(int=number)): points for number, points in prices.items()})

    assert served(engine, [anybody, only_there]) == [generalist.id, specialist.id]


def test_who_would_be_asked_is_found_whether_or_not_a_seat_is_free_and_whatever_they_cost() -> None:
    full = a_therapist("ada", seats_offered=2, seats_free=0)
    dear = a_therapist("ben", seats_offered=2, seats_free=2)
    gone = a_therapist("cleo", accreditations=())
    engine = a_directory(full, dear, gone)
    engine.set_prices({dear.id: 5_000})
    search = search_for(a_case(), THE_DAY, RULES)

    assert [each.therapist_id for each in engine.best(search, 5)] == [dear.id]
    assert {each.therapist_id for each in engine.qualified(search, 5)} == {full.id, dear.id}
    assert all(each.order == each.score for each in engine.qualified(search, 5))
    assert sorted(engine.seats()) == sorted(
        [Seats(full.id.int, 0, 2), Seats(dear.id.int, 2, 2), Seats(gone.id.int, 4, 4)]
    )

    engine.set_seats(full.id, 1)
    assert {each.therapist_id for each in engine.best(search, 5)} == {full.id, dear.id}


def a_directory(*therapists: Therapist) -> Engine:
    engine = Engine(RULES.policy, RULES.places, THE_DAY)
    engine.put([entry_of(therapist) for therapist in therapists])
    return engine


def served(engine: Engine, searches: list[Search]) -> list[TherapistId | None]:
    """Whom each gets when they come one after the other; the seats are free again afterwards."""
    got = []
    for search in searches:
        first = next(iter(engine.best(search, 1)), None)
        got.append(first and first.therapist_id)
        if first:
            engine.set_seats(first.therapist_id, 0)
    for therapist_id in filter(None, got):
        engine.set_seats(therapist_id, 1)
    return got


def test_seats_that_are_free_today_count_for_more_and_all_together_for_as_many() -> None:
    seats = [Seats(number, free, 4) for number, free in enumerate((4, 3, 1, 0))]
    ahead = seats_ahead(seats, days=112, course_days=112, free_today=30)
    assert sum(ahead.values()) == pytest.approx(16)
    assert ahead[0] > ahead[1] > ahead[2] > ahead[3] > 0


def test_where_hardly_any_seat_is_free_today_it_does_not_stand_for_all() -> None:
    seats = [Seats(0, 1, 4), *(Seats(number, 0, 4) for number in range(1, 100))]
    assert seats_ahead(seats, days=112, course_days=112, free_today=30)[0] < 4
    assert seats_ahead(seats[1:], days=112, course_days=112, free_today=30)[1] == pytest.approx(0.7 * 4)


def test_what_never_comes_back_counts_as_it_is_free() -> None:
    seats = [Seats(0, 1, 4), Seats(1, 0, 4), Seats(2, 3, 4)]
    ahead = seats_ahead(seats, days=112, course_days=inf, free_today=30)
    assert ahead == pytest.approx({0: 1, 1: 0, 2: 3})
