"""How old a client is and where they live."""

from datetime import UTC, datetime, timedelta

import pytest

from services.intake.domain import Accepted, Refused, take
from tests.intake.builders import MISSING, NOW, RULEBOOK, a_body, from_a_parent, taken


def test_ages_are_counted_on_the_day_in_london() -> None:
    # In summer it is a day later there for the hour after midnight.
    turns_seven = {"client.date_of_birth": "2018-06-02", "looking_for.attending_adult": True}
    late = datetime(2025, 6, 1, 23, 30, tzinfo=UTC)

    assert isinstance(take(a_body(turns_seven), late, RULEBOOK), Accepted)
    assert isinstance(take(a_body(turns_seven), late - timedelta(hours=1), RULEBOOK), Refused)


@pytest.mark.parametrize(
    ("postcode", "outcode"),
    [
        ("E1 6AN", "E1"),
        ("e16an", "E1"),
        ("E1", "E1"),
        ("E16", "E16"),
        ("W1A 1AA", "W1A"),
        ("W1T", "W1T"),
        ("EC1A1BB", "EC1A"),
        ("sw1a 2aa", "SW1A"),
        ("SE10 9NF", "SE10"),
        ("LS1 4AP", "LS1"),
        ("M1 1AE", "M1"),
        ("CF10", "CF10"),
    ],
)
def test_only_the_first_half_of_a_postcode_is_kept(postcode: str, outcode: str) -> None:
    assert taken({"client.postcode": postcode}).details.outcode == outcode


def test_every_london_outcode_is_taken_for_sessions_in_person() -> None:
    for outcode in sorted(RULEBOOK.outcodes.london):
        assert taken({"client.postcode": outcode, "looking_for.mode": "in_person"}).details.outcode == outcode


@pytest.mark.parametrize("mode", ["online", "either"])
def test_somebody_outside_london_can_have_sessions_online(mode: str) -> None:
    assert taken({"client.postcode": "LS1 4AP", "looking_for.mode": mode}).details.outcode == "LS1"


def test_online_sessions_need_no_postcode() -> None:
    assert taken({"client.postcode": MISSING}).details.outcode is None


@pytest.mark.parametrize(
    ("born", "today"),
    [("2018-06-02", "2025-06-02"), ("2020-02-29", "2027-03-01"), ("1905-06-03", "2025-06-02")],
)
def test_ages_are_counted_to_the_day(born: str, today: str) -> None:
    now = datetime.fromisoformat(today).replace(tzinfo=UTC)

    assert isinstance(take(a_body({"client.date_of_birth": born}), now, RULEBOOK), Accepted)


def test_a_child_that_no_therapy_serves_is_told_where_to_turn() -> None:
    answer = take(a_body(from_a_parent({"client.date_of_birth": "2020-01-01"})), NOW, RULEBOOK)

    assert isinstance(answer, Refused)
    assert [fault.field for fault in answer.faults] == ["client.date_of_birth"]
    assert answer.onward_route is not None
    for where in ("GP", "NHS 111", "CAMHS", "999"):
        assert where in answer.onward_route


def test_nobody_else_is_sent_elsewhere() -> None:
    answer = take(a_body({"client.date_of_birth": "2031-01-01"}), NOW, RULEBOOK)

    assert isinstance(answer, Refused)
    assert answer.onward_route is None
