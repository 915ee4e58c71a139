"""How long people wait is told from what happened lately, those who wait still among them, or not at all."""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain.waits import Wait, weeks_waited
from shared.contract.matching import WaitWeeks
from shared.contract.vocabulary import Mode
from tests.matching.builders import RULES

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
POLICY = RULES.policy.model_copy(update={"wait_history_days": 180, "wait_history_least": 20})
LEAST, WINDOW = POLICY.wait_history_least, POLICY.wait_history_days


def told(waits: Iterable[Wait], mode: Mode = Mode.ONLINE) -> tuple[int, int] | None:
    """What is told to somebody who begins to wait now."""
    weeks = weeks_waited(waits, mode, NOW, POLICY)
    return None if weeks is None else (weeks.least, weeks.most)


def found(days: float, *, ago: float = 10, mode: Mode = Mode.ONLINE) -> Wait:
    """A wait of so many days that ended with a shortlist, so many days ago."""
    ended_at = NOW - timedelta(days=ago)
    return Wait(mode, ended_at - timedelta(days=days), ended_at, found=True)


def given_up(days: float, *, ago: float = 10, mode: Mode = Mode.ONLINE) -> Wait:
    """A wait of so many days after which the client withdrew."""
    return replace(found(days, ago=ago, mode=mode), found=False)


def still_waiting(days: float, mode: Mode = Mode.ONLINE) -> Wait:
    """A wait of so many days so far."""
    return Wait(mode, NOW - timedelta(days=days))


ONE_TO_TWENTY_WEEKS = [found(7 * week) for week in range(1, 21)]
TWICE_AS_MANY = ONE_TO_TWENTY_WEEKS * 2


def test_a_range_is_the_middle_half_of_the_waits_in_whole_weeks() -> None:
    assert told(ONE_TO_TWENTY_WEEKS) == (5, 15)


def test_a_range_is_rounded_outwards() -> None:
    assert told([found(7 * week + 1) for week in range(1, 21)]) == (5, 16)
    assert told([found(7 * week - 1) for week in range(1, 21)]) == (4, 15)


@pytest.mark.parametrize("number", range(28, 169, 28))
def test_a_quarter_is_a_quarter_however_many_there_are(number: int) -> None:
    assert told([found(days) for days in range(1, number + 1)]) == (number // 28, 3 * number // 28)


@pytest.mark.parametrize(("days", "weeks"), [(0, (0, 1)), (3, (0, 1)), (21, (3, 4)), (22, (3, 4))])
def test_waits_of_one_length_are_told_as_a_range_all_the_same(days: float, weeks: tuple[int, int]) -> None:
    assert told([found(days)] * LEAST) == weeks


def test_too_few_waits_that_ended_tell_nothing() -> None:
    assert told(ONE_TO_TWENTY_WEEKS[1:]) is None
    assert told([]) is None


def test_waits_that_ended_without_a_shortlist_do_not_make_up_the_number() -> None:
    assert told([*ONE_TO_TWENTY_WEEKS[1:], given_up(7)]) is None


def test_what_ended_before_the_days_of_the_policy_does_not_count() -> None:
    assert told([found(7 * week, ago=WINDOW) for week in range(1, 21)]) is None
    assert told([*ONE_TO_TWENTY_WEEKS, *[found(1, ago=WINDOW)] * 100]) == (5, 15)


def test_a_range_that_only_the_quick_have_reached_is_not_told() -> None:
    quick = [found(7)] * LEAST

    assert told(quick) == (1, 2)
    assert told([*quick, *[still_waiting(70)] * LEAST]) is None


def test_who_waits_still_makes_the_range_longer() -> None:
    assert told(TWICE_AS_MANY) == (5, 15)
    assert told([*TWICE_AS_MANY, *[still_waiting(100)] * 10]) == (7, 17)


def test_who_gave_up_counts_for_as_long_as_they_waited() -> None:
    assert told([*TWICE_AS_MANY, *[given_up(100)] * 10]) == (7, 17)
    assert told([*TWICE_AS_MANY, *[given_up(1)] * 10]) == (5, 15)


def test_who_has_just_begun_to_wait_changes_nothing() -> None:
    assert told([*ONE_TO_TWENTY_WEEKS, *[still_waiting(0)] * 50]) == (5, 15)


def test_a_wait_from_before_the_days_of_the_policy_says_nothing_about_short_ones() -> None:
    long_since = [found(2 * WINDOW)] * 4

    # Whoever came with them and waited for less is not known any more.
    assert told([*ONE_TO_TWENTY_WEEKS, *long_since]) == (5, 15)


def test_a_few_recent_waits_beside_many_old_ones_do_not_tell_how_soon_people_are_found() -> None:
    old = [found(WINDOW + 10 * number, ago=1) for number in range(1, 41)]

    assert told([*old, *[found(1)] * 3]) is None


def came_daily(wait_of: Callable[[int], float], number_on: Callable[[int], int]) -> list[Wait]:
    """So many people on each of the last 400 days, who are found after so many days if that has come."""
    came = [ago for ago in range(400) for _ in range(number_on(ago))]
    return [
        found(wait_of(person), ago=ago - wait_of(person)) if wait_of(person) <= ago else still_waiting(ago)
        for person, ago in enumerate(came)
    ]


@pytest.mark.parametrize("number_on", [lambda _: 3, lambda ago: 5 - ago // 80, lambda ago: 1 + ago // 80])
def test_the_range_is_true_whether_ever_more_people_come_or_ever_fewer(
    number_on: Callable[[int], int],
) -> None:
    # As many wait 20 days as 21 and so on to 159: a quarter wait less than 55, three quarters less than 125.
    everyone = came_daily(lambda person: 20 + person * 37 % 140, number_on)

    weeks = told(everyone)

    assert weeks is not None
    assert abs(weeks[0] - 55 / 7) <= 1
    assert abs(weeks[1] - 125 / 7) <= 1.2


def test_when_people_begin_to_wait_in_vain_the_range_is_soon_no_longer_told() -> None:
    steady = came_daily(lambda _: 30, lambda _: 1)
    before = [each for each in steady if each.since < NOW - timedelta(days=90)]

    assert told(steady) == told(before) == (4, 5)
    assert told([*before, *map(still_waiting, range(90))]) is None


def test_enough_waits_of_the_same_mode_speak_for_themselves() -> None:
    near = [found(7 * week, mode=Mode.IN_PERSON) for week in range(11, 31)]
    everyone = [*ONE_TO_TWENTY_WEEKS, *near]

    assert told(everyone) == (5, 15)
    assert told(everyone, Mode.IN_PERSON) == (15, 25)
    assert told(everyone, Mode.EITHER) == (10, 20)


def test_a_mode_in_which_many_wait_in_vain_is_not_told_what_others_wait() -> None:
    in_vain = [still_waiting(150, Mode.IN_PERSON) for _ in range(LEAST)]

    assert told([*ONE_TO_TWENTY_WEEKS, *in_vain], Mode.IN_PERSON) is None


DAYS = st.integers(0, 3 * WINDOW)
WAITS = st.one_of(
    st.builds(found, DAYS, ago=DAYS), st.builds(given_up, DAYS, ago=DAYS), st.builds(still_waiting, DAYS)
)
MANY = st.lists(WAITS, min_size=LEAST, max_size=120) | st.lists(
    st.builds(found, st.integers(0, 100), ago=st.integers(0, 30)), min_size=LEAST, max_size=60
)


def share_by_hand(waits: Iterable[Wait], length: timedelta) -> float:
    """The share still waiting after that long, day by day and without anything clever."""
    begin, share = NOW - timedelta(days=WINDOW), 1.0
    for days in range(length.days + 1):
        then = timedelta(days=days)
        there = [
            each
            for each in waits
            if each.since + then <= (each.ended_at or NOW)
            and each.since + then >= begin
            and (each.ended_at is None or each.ended_at > begin)
        ]
        gone = [each for each in there if each.found and each.ended_at == each.since + then]
        share *= 1 - len(gone) / len(there) if there else 1
    return share


@given(MANY)
def test_at_either_end_of_a_range_so_many_were_found_as_it_says(waits: list[Wait]) -> None:
    weeks = told(waits)
    if weeks is None:
        return
    least, most = weeks

    assert 0 <= least < most
    assert share_by_hand(waits, timedelta(weeks=least + 1)) <= 0.75 + 1e-9
    assert least == 0 or share_by_hand(waits, timedelta(weeks=least, days=-1)) > 0.75 - 1e-9
    assert share_by_hand(waits, timedelta(weeks=most)) <= 0.25 + 1e-9


@given(MANY, st.lists(st.builds(still_waiting, DAYS), max_size=40))
def test_people_who_wait_still_never_make_the_range_rosier(waits: list[Wait], more: list[Wait]) -> None:
    before, after = told(waits), told([*waits, *more])

    if before is not None and after is not None:
        assert after[0] >= before[0]
        assert after[1] >= before[1]


@given(MANY, st.randoms(use_true_random=False))
def test_the_order_of_the_waits_does_not_matter(waits: list[Wait], chance: random.Random) -> None:
    shuffled = list(waits)
    chance.shuffle(shuffled)

    assert told(waits) == told(shuffled)


def test_a_range_reads_back_as_it_was_said() -> None:
    weeks = weeks_waited(ONE_TO_TWENTY_WEEKS, Mode.ONLINE, NOW, POLICY)

    assert weeks == WaitWeeks(least=5, most=15)
    assert WaitWeeks.model_validate_json(weeks.model_dump_json()) == weeks
