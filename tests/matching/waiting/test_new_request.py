"""A new request gets a shortlist, or waits and is told what for."""

from datetime import UTC, date, datetime

import pytest

from shared.contract.intake import CaseDetails
from shared.contract.matching import MatchNotFound, MatchProposed, Shortfall
from shared.contract.sealing import opened
from shared.contract.vocabulary import Format, Variant
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.answers import PAIR, candidates, one, waiting
from tests.matching.builders import RULES, a_therapist, born
from tests.matching.gathering import Hear, in_directory
from tests.support.builders import a_case, a_request


async def test_a_request_gets_a_shortlist(database: Database, hear: Hear) -> None:
    await in_directory(database, *PAIR)
    request = a_request()

    proposal = one(await hear(request), MatchProposed)

    assert proposal.request_id == request.request_id
    assert proposal.subject_id == request.subject_id
    assert proposal.policy_version == RULES.policy.version
    assert sorted(candidates(proposal)) == sorted(each.id for each in PAIR)


async def test_a_birthday_begins_at_midnight_in_london(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    clock.move(datetime(2027, 6, 30, 23, 30, tzinfo=UTC) - clock.now())
    await in_directory(database, a_therapist(confirmed_on=date(2027, 6, 30)))
    turns_18 = a_request(details=a_case(date_of_birth=date(2009, 7, 1)))

    proposal = one(await hear(turns_18), MatchProposed)

    assert Variant.IPT in {each.variant for each in opened(proposal.shortlist).pathways}


async def test_a_request_heard_twice_is_answered_once(database: Database, hear: Hear) -> None:
    await in_directory(database, *PAIR)
    request = a_request()
    await hear(request)

    assert await hear(request) == []


async def test_a_request_for_which_nobody_is_found_waits(database: Database, hear: Hear) -> None:
    await in_directory(database, *PAIR)
    request = a_request(details=a_case(languages=("cy",)))

    said = one(await hear(request), MatchNotFound)

    assert opened(said.findings).gates[0].gate == "language"
    assert await waiting(database) == [request.request_id]


async def test_a_request_in_a_language_that_no_door_would_take_today_is_read_all_the_same(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, *PAIR)

    proposed = one(await hear(a_request(details=a_case(languages=("zz", "en")))), MatchProposed)
    not_found = one(await hear(a_request(details=a_case(languages=("zz",)))), MatchNotFound)

    assert opened(not_found.findings).gates[0].gate == "language"
    assert sorted(candidates(proposed)) == sorted(each.id for each in PAIR)


@pytest.mark.parametrize(
    "case",
    [
        a_case(date_of_birth=born(8)),
        a_case(date_of_birth=born(10)),
        a_case(date_of_birth=born(14), format=Format.COUPLE),
    ],
)
async def test_a_request_that_no_way_fits_is_not_said_to_wait_for_a_place(
    database: Database, hear: Hear, case: CaseDetails
) -> None:
    await in_directory(database, *PAIR)

    said = one(await hear(a_request(details=case)), MatchNotFound)

    assert opened(said.findings).pathways == ()
    assert said.shortfall is Shortfall.NO_WAY_FITS


async def test_a_request_that_somebody_may_fit_later_is_said_to_wait(database: Database, hear: Hear) -> None:
    said = one(await hear(a_request()), MatchNotFound)

    assert said.shortfall is Shortfall.NOBODY_FREE
