"""Matching keeps how long people waited and tells it to those who wait, on a real database."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from services.matching import store
from services.matching.domain.waits import Wait
from services.matching.handlers import Matcher, begin_day, offer_to_waiting
from shared.contract.event import Event
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import MatchNotFound, MatchProposed, Shortfall, WaitWeeks
from shared.contract.vocabulary import Format, Mode, Therapy
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import RULES, a_therapist, born
from tests.matching.recorded import hear
from tests.support.builders import a_case, a_decline, a_proposal, a_rematch, a_request, a_withdrawal

LEAST = RULES.policy.wait_history_least
WEEKS = timedelta(weeks=1)


def in_welsh(**changes: Any) -> RequestSubmitted:
    """A request for which nobody is found, whoever else is."""
    return a_request(details=a_case(languages=("cy",), **changes))


async def seats_for(database: Database, matcher: Matcher, number: int) -> int:
    """So many places become free and are offered; returns how many were proposed to."""
    async with database.transaction() as tx:
        await store.save_therapist(tx, a_therapist("ada", seats_offered=number, seats_free=number))
        await store.want_reoffer(tx, "test")
    return await offer_to_waiting(database, matcher)


async def found_after(
    wait: timedelta, database: Database, matcher: Matcher, clock: MovableClock, number: int = LEAST
) -> None:
    """So many begin to wait, and are found after that long."""
    await hear(database, matcher, *[a_request() for _ in range(number)])
    clock.move(wait)
    assert await seats_for(database, matcher, number) == number


async def told_to(database: Database, matcher: Matcher, request: RequestSubmitted) -> WaitWeeks | None:
    """What somebody who begins to wait is told."""
    [said] = await hear(database, matcher, request)
    assert isinstance(said, MatchNotFound)
    return said.wait_weeks


async def waits(database: Database) -> list[Wait]:
    """Every wait that is kept."""
    async with database.transaction() as tx:
        return await store.waits_since(tx, tx.now - timedelta(days=10_000))


async def said_to_waiting(database: Database) -> list[dict[str, int] | None]:
    """The range in each `MatchNotFound` that a pass over the waiting list said."""
    rows = await database.pool.fetch("SELECT payload FROM outbox ORDER BY id")
    documents = [json.loads(row["payload"]) for row in rows]
    return [each["wait_weeks"] for each in documents if "wait_weeks" in each]


async def test_a_wait_that_ends_with_a_shortlist_is_kept(
    database: Database, matcher: Matcher, clock: MovableClock
) -> None:
    began = clock.now()
    await hear(database, matcher, a_request(details=a_case(mode=Mode.EITHER)))
    clock.move(3 * WEEKS)

    assert await waits(database) == [Wait(Mode.EITHER, began)]
    assert await seats_for(database, matcher, 1) == 1

    assert await waits(database) == [Wait(Mode.EITHER, began, clock.now(), found=True)]


@pytest.mark.parametrize("end", [a_withdrawal, a_decline])
async def test_a_wait_that_ends_otherwise_is_kept_as_such(
    database: Database,
    matcher: Matcher,
    clock: MovableClock,
    end: Callable[[RequestSubmitted], Event],
) -> None:
    began, request = clock.now(), a_request()
    await hear(database, matcher, request)
    clock.move(WEEKS)

    await hear(database, matcher, end(request))
    clock.move(WEEKS)
    await hear(database, matcher, end(request))

    assert await waits(database) == [Wait(Mode.ONLINE, began, began + WEEKS, found=False)]


async def test_who_is_found_at_once_has_not_waited(database: Database, matcher: Matcher) -> None:
    await seats_for(database, matcher, 1)

    await hear(database, matcher, a_request())

    assert await waits(database) == []


async def test_who_waits_only_after_a_shortlist_is_not_counted(
    database: Database, matcher: Matcher, clock: MovableClock
) -> None:
    await seats_for(database, matcher, 1)
    [proposal] = await hear(database, matcher, a_request())
    assert isinstance(proposal, MatchProposed)
    clock.move(WEEKS)

    [again] = await hear(database, matcher, a_rematch(proposal, "ada"))

    assert isinstance(again, MatchNotFound)
    assert await waits(database) == []


async def test_only_the_first_wait_of_a_request_is_kept(
    database: Database, matcher: Matcher, clock: MovableClock
) -> None:
    request = a_request()
    await hear(database, matcher, request)
    clock.move(WEEKS)
    await seats_for(database, matcher, 1)
    [first] = await waits(database)
    async with database.transaction() as tx:
        kept = await store.lock_request(tx, request.request_id)
    assert kept is not None
    assert kept.proposal_id is not None
    proposal = a_proposal(request, proposal_id=kept.proposal_id)
    clock.move(WEEKS)

    [again] = await hear(database, matcher, a_rematch(proposal, "ada"))
    clock.move(WEEKS)
    await hear(database, matcher, a_withdrawal(request))

    assert isinstance(again, MatchNotFound)
    assert await waits(database) == [first]


async def test_how_long_it_takes_is_told_once_enough_have_waited(
    database: Database, matcher: Matcher, clock: MovableClock
) -> None:
    assert await told_to(database, matcher, a_request()) is None
    await found_after(3 * WEEKS, database, matcher, clock, LEAST - 1)
    assert await told_to(database, matcher, in_welsh()) is None

    await seats_for(database, matcher, LEAST)

    assert await told_to(database, matcher, in_welsh()) == WaitWeeks(least=3, most=4)


async def test_who_waited_before_waits_were_kept_is_not_counted_from_the_day_that_they_are_told_of_others(
    database: Database, matcher: Matcher, clock: MovableClock
) -> None:
    await hear(database, matcher, in_welsh())
    await database.pool.execute("DELETE FROM waits")
    await found_after(3 * WEEKS, database, matcher, clock)
    yesterday = clock.now().date()
    clock.move(timedelta(days=1))

    await begin_day(database, clock.now().date(), yesterday)
    await offer_to_waiting(database, matcher)

    assert await said_to_waiting(database) == [{"least": 3, "most": 4}]
    assert [each for each in await waits(database) if not each.found] == []


async def test_those_who_wait_still_are_not_left_out(
    database: Database, matcher: Matcher, clock: MovableClock
) -> None:
    await hear(database, matcher, *[in_welsh() for _ in range(LEAST)])

    await found_after(3 * WEEKS, database, matcher, clock)
    clock.move(10 * WEEKS)

    assert await told_to(database, matcher, in_welsh()) is None


async def test_what_people_waited_long_ago_is_no_longer_told(
    database: Database, matcher: Matcher, clock: MovableClock
) -> None:
    await found_after(3 * WEEKS, database, matcher, clock)

    clock.move(timedelta(days=RULES.policy.wait_history_days - 1))
    assert await told_to(database, matcher, in_welsh()) == WaitWeeks(least=3, most=4)
    clock.move(timedelta(days=1))

    assert await told_to(database, matcher, in_welsh()) is None


async def test_who_no_way_fits_waits_for_nothing_and_is_not_counted_until_one_does(
    database: Database, matcher: Matcher, clock: MovableClock
) -> None:
    await found_after(3 * WEEKS, database, matcher, clock)
    before = await waits(database)
    today = clock.now().date()
    turns_18 = a_case(
        date_of_birth=born(18, today + WEEKS), therapy=Therapy.IPT, format=Format.COUPLE, languages=("cy",)
    )

    [said] = await hear(database, matcher, a_request(details=turns_18))
    assert isinstance(said, MatchNotFound)
    assert (said.shortfall, said.wait_weeks) == (Shortfall.NO_WAY_FITS, None)
    assert await waits(database) == before
    clock.move(WEEKS)
    await begin_day(database, today + WEEKS, today)
    await offer_to_waiting(database, matcher)

    assert [each for each in await waits(database) if not each.found] == [Wait(Mode.ONLINE, clock.now())]
    assert await said_to_waiting(database) == [{"least": 3, "most": 4}]


async def test_a_wait_ends_when_no_way_fits_any_more_and_is_not_begun_again(
    database: Database, matcher: Matcher, clock: MovableClock
) -> None:
    began, request = clock.now(), a_request()
    await hear(database, matcher, request)

    for shortfall in (Shortfall.NO_WAY_FITS, Shortfall.NOBODY_FREE, Shortfall.NO_WAY_FITS):
        clock.move(WEEKS)
        async with database.transaction() as tx:
            kept = await store.lock_request(tx, request.request_id)
            assert kept is not None
            await store.wait(tx, kept, Mode.ONLINE, store.Told(shortfall, None))

    assert await waits(database) == [Wait(Mode.ONLINE, began, began + WEEKS, found=False)]


async def test_who_waits_is_told_anew_when_it_has_changed_and_at_most_once_a_day(
    database: Database, matcher: Matcher, clock: MovableClock
) -> None:
    await hear(database, matcher, in_welsh())
    await hear(database, matcher, *[a_request() for _ in range(LEAST)])
    clock.move(3 * WEEKS)

    # The first look of this day comes before anybody is found; the second changes nothing for who waits.
    await begin_day(database, clock.now().date(), None)
    await offer_to_waiting(database, matcher)
    assert await seats_for(database, matcher, LEAST) == LEAST
    assert await said_to_waiting(database) == []

    for _ in range(3):
        yesterday = clock.now().date()
        clock.move(timedelta(days=1))
        await begin_day(database, clock.now().date(), yesterday)
        await offer_to_waiting(database, matcher)

    assert await said_to_waiting(database) == [{"least": 3, "most": 4}]
