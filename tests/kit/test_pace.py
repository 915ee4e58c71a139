"""How fast programs may ask: so much at once, so much with time, and each for itself."""

from shared.kit.pace import Pace


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
    pace = Pace(per_second=1, at_once=10)
    for number in range(20_000):
        pace.seconds_to_wait(str(number), 100)
    assert len(pace) == 20_000

    for now in (109, 119):
        assert pace.seconds_to_wait("greedy", now, 10) == 0
    for now in (120, 129):
        assert pace.seconds_to_wait("greedy", now, 10) == 129 - now

    assert len(pace) == 1


def test_nobody_gains_by_being_forgotten() -> None:
    forgetful, patient = Pace(per_second=1, at_once=3), Pace(per_second=1, at_once=3)
    patient._full_after = float("inf")

    for now in [0, 0, 1, 2.9, 3, 3, 3.1, 5.9, 6, 6, 8.9, 9, 9, 11.9, 20, 20, 20, 20]:
        assert forgetful.seconds_to_wait("a", now, 2) == patient.seconds_to_wait("a", now, 2)
