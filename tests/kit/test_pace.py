"""How fast programs may ask: so much at once, so much with time, and each for itself."""

from shared.kit.pace import MOST_REMEMBERED, Pace


def test_a_pace_is_given_back_with_time_and_never_more_than_at_once() -> None:
    pace = Pace(per_second=2, at_once=3)

    assert [pace.seconds_to_wait("a", 0) for _ in range(4)] == [0, 0, 0, 1]
    assert [pace.seconds_to_wait("a", 1) for _ in range(3)] == [0, 0, 1]
    assert [pace.seconds_to_wait("a", 1_000) for _ in range(4)] == [0, 0, 0, 1]
    assert pace.seconds_to_wait("a", 999) == 1
    assert pace.seconds_to_wait("b", 999) == 0


def test_what_costs_more_waits_for_more_and_takes_nothing_until_then() -> None:
    pace = Pace(per_second=2, at_once=10)

    assert [pace.seconds_to_wait("a", 0, cost) for cost in (6, 8, 4, 1)] == [0, 2, 0, 1]
    assert pace.seconds_to_wait("a", 4, 8) == 0


def test_what_costs_more_than_there_ever_is_at_once_is_served_from_a_full_bucket() -> None:
    pace = Pace(per_second=1, at_once=2)

    assert [pace.seconds_to_wait("a", now, 5) for now in (0, 1, 5)] == [0, 4, 0]


def test_whoever_asked_long_ago_is_forgotten_and_who_has_just_been_refused_is_not() -> None:
    pace = Pace(per_second=1, at_once=1)
    for number in range(MOST_REMEMBERED):
        pace.seconds_to_wait(str(number), 0)
    pace.seconds_to_wait("refused", 100)

    pace.seconds_to_wait("the last", 100)

    assert len(pace._left) == 2
    assert pace.seconds_to_wait("refused", 100) == 1
