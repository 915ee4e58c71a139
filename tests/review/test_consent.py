"""Who consents is asked of the same people by matching's caution and by review's form: those under 16."""

from datetime import date

import pytest

from services.matching.domain.pathways import pathways_of
from services.review.domain.deciding import Refused, act
from services.review.domain.wishes import Confirm
from tests.matching.builders import RULES
from tests.review.builders import a_review_case, reviewing
from tests.support.builders import a_case

TODAY = date(2026, 11, 24)


def is_warned_of(born: date) -> bool:
    found = pathways_of(a_case(date_of_birth=born), TODAY, RULES.policy)
    return all("consent" in {caution.code for caution in pathway.cautions} for pathway in found.fitting)


def is_needed_for(born: date) -> bool:
    try:
        act(a_review_case(), Confirm(version=2), reviewing(date_of_birth=born, today=TODAY))
    except Refused as refused:
        return [fault.field for fault in refused.faults] == ["under_16_basis", "under_16_note"]
    return False


@pytest.mark.parametrize(
    ("born", "asked"),
    [
        (date(2013, 3, 1), True),
        (date(2010, 11, 25), True),
        (date(2010, 11, 24), False),
        (date(2009, 11, 24), False),
        (date(2008, 11, 24), False),
    ],
    ids=["13", "16 tomorrow", "16 today", "17", "18"],
)
def test_both_ask_until_the_sixteenth_birthday_and_neither_from_then_on(born: date, asked: bool) -> None:
    assert (is_warned_of(born), is_needed_for(born)) == (asked, asked)
