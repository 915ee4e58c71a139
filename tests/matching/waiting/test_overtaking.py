"""Nobody overtakes who waits: not who comes, not who is turned down, not who is renewed, not in between."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.matching import store
from shared.contract.event import Event
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import MatchNotFound, MatchProposed, SeatUnavailable
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import a_therapist
from tests.matching.gathering import in_directory, in_outbox, proposed_to
from tests.matching.processes import Process
from tests.support.builders import a_case, a_confirmation, a_rematch, a_request

ADA = a_therapist("ada", seats_offered=1, seats_free=1)
BEN = a_therapist("ben", seats_offered=1, seats_free=1, languages=frozenset({"cy"}))
CEM = a_therapist("cem", seats_offered=1, seats_free=1)


@pytest.fixture
async def older(process: Process, clock: MovableClock) -> RequestSubmitted:
    """Somebody who speaks English, and waits."""
    request = a_request()
    [said] = await process.hear(request)
    assert isinstance(said, MatchNotFound)
    clock.move(timedelta(minutes=1))
    return request


@pytest.fixture
async def younger(database: Database, process: Process, older: RequestSubmitted) -> MatchProposed:
    """Somebody who came later, speaks Welsh as well, and was proposed the one who does."""
    await in_directory(database, BEN)
    await process.offer()
    [said] = await process.hear(a_request(details=a_case(languages=("en", "cy"))))
    assert isinstance(said, MatchProposed)
    return said


async def turned_down(_: Database, process: Process, younger: MatchProposed) -> list[Event]:
    return await process.hear(a_rematch(younger, "ben"))


async def refused(database: Database, process: Process, younger: MatchProposed) -> list[Event]:
    await in_directory(database, replace(BEN, seats_offered=0))
    [refusal, *more] = await process.hear(a_confirmation(younger, "ben"))
    assert isinstance(refusal, SeatUnavailable)
    return more


async def renewed(database: Database, process: Process, _: MatchProposed) -> list[Event]:
    await in_directory(database, replace(BEN, registration=None))
    assert await process.renew() == 1
    return []


@pytest.mark.parametrize("happens", [turned_down, refused, renewed])
async def test_who_came_later_and_looks_again_is_not_offered_what_somebody_waits_for(
    database: Database, process: Process, older: RequestSubmitted, younger: MatchProposed, happens: Any
) -> None:
    await in_directory(database, CEM)

    assert await happens(database, process, younger) == []
    await process.offer()

    assert await proposed_to(database) == [str(older.request_id)]
    assert (str(younger.request_id), "match-not-found") in await in_outbox(database)


async def test_who_came_earlier_and_is_turned_down_while_others_wait_goes_before_them(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, ADA)
    first = a_request()
    [proposal] = await process.hear(first)
    assert isinstance(proposal, MatchProposed)
    await process.hear(a_confirmation(proposal, "ada"))
    clock.move(timedelta(minutes=1))
    [waits] = await process.hear(a_request())
    assert isinstance(waits, MatchNotFound)

    await in_directory(database, replace(ADA, seats_offered=0), CEM)
    await process.hear(a_rematch(proposal, "ada"))
    await process.offer()

    assert await proposed_to(database) == [str(first.request_id)]


@pytest.mark.parametrize("again", ["waits again", "lapsed"])
async def test_a_newcomer_leaves_alone_what_is_offered_to_who_was_on_the_list_again(
    database: Database, process: Process, clock: MovableClock, again: str
) -> None:
    await in_directory(database, ADA)
    [proposal] = await process.hear(a_request())
    assert isinstance(proposal, MatchProposed)
    if again == "waits again":
        await process.hear(a_rematch(proposal, "ada"))
    else:
        clock.move(timedelta(days=14))
        await process.lapse()
    await in_directory(database, replace(ADA, seats_offered=0, confirmed_on=clock.now().date()))
    await in_directory(database, replace(CEM, confirmed_on=clock.now().date()))
    assert await process.offer() == 1

    clock.move(timedelta(minutes=1))
    [said] = await process.hear(a_request())

    assert isinstance(said, MatchNotFound)


async def test_a_newcomer_leaves_alone_what_another_was_offered_while_somebody_waits_for_it(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, ADA)
    older, newer = a_request(), a_request()
    await process.hear(older)
    clock.move(timedelta(days=1))
    await process.hear(newer)
    clock.move(timedelta(days=13))
    # Both had been shown the one seat; it is kept for whose proposal is open still.
    assert await process.lapse() == 1
    assert await process.offer() == 0

    [said] = await process.hear(a_request())

    assert isinstance(said, MatchNotFound)


@pytest.mark.parametrize("seen", ["before", "meanwhile"])
async def test_what_a_pass_offers_while_a_newcomer_is_ranked_is_not_offered_to_both(  # noqa: PLR0917
    database: Database,
    process: Process,
    another: Process,
    older: RequestSubmitted,
    monkeypatch: pytest.MonkeyPatch,
    seen: str,
) -> None:
    comes_first, asked = store.list_comes_first, 0

    async def with_the_pass_in_between(*args: Any) -> bool:
        nonlocal asked
        asked += 1
        if seen == "meanwhile" and asked == 1:
            comes = await comes_first(*args)
            await in_directory(database, ADA)
            return comes
        if asked == 1 + (seen == "meanwhile"):
            assert await another.offer() == 1
        return await comes_first(*args)

    await process.offer()
    if seen == "before":
        await in_directory(database, ADA)
    monkeypatch.setattr(store, "list_comes_first", with_the_pass_in_between)

    [said] = await process.hear(a_request())

    assert isinstance(said, MatchNotFound)
    assert await proposed_to(database) == [str(older.request_id)]


async def test_a_newcomer_who_comes_behind_the_list_is_not_ranked_in_full(
    database: Database, older: RequestSubmitted, watched: tuple[Process, list[str]]
) -> None:
    await in_directory(database, ADA)
    coming, asked = watched

    assert await coming.hear(a_request()) == []

    assert not [each for each in asked if "WHERE t.id = ANY($1)" in each]
    assert not [each for each in asked if "INSERT INTO rankings" in each]
