"""Whatever befalls one request, the others are seen to, and it is looked at again soon, by itself."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.matching import store
from services.matching.handlers.ranking import MOST_LOOKS
from services.matching.handlers.waiting import AGAIN_AFTER
from services.matching.store import State
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import MatchNotFound, MatchProposed
from shared.contract.vocabulary import Slot
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.errors import Contended
from tests.matching.builders import a_therapist
from tests.matching.gathering import RULE, a_choice, a_leader, in_directory, proposed_to, somebody
from tests.matching.processes import Process
from tests.matching.seated import state_of
from tests.support.builders import a_case, a_request

ADA = a_therapist("ada", seats_offered=1, seats_free=1)
BEN = a_therapist("ben", seats_offered=1, seats_free=1, languages=frozenset({"cy"}))

Trouble = Callable[[Database, Process, RequestSubmitted], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def unreadable(database: Database, _: Process, request: RequestSubmitted) -> AsyncIterator[None]:
    """One bit of the sealed details is not as it was."""
    flip = "UPDATE requests SET details = set_byte(details, 40, get_byte(details, 40) # 1) WHERE id = $1"
    await database.pool.execute(flip, request.request_id)
    yield
    await database.pool.execute(flip, request.request_id)


@asynccontextmanager
async def held(database: Database, _: Process, request: RequestSubmitted) -> AsyncIterator[None]:
    """Somebody has the request in hand, and does not let go of it."""
    async with database.transaction() as tx:
        await store.lock_request(tx, request.request_id)
        yield


@asynccontextmanager
async def out_of_step(database: Database, process: Process, __: RequestSubmitted) -> AsyncIterator[None]:
    """An entry was changed behind the back of whoever keeps the directory in memory."""
    async with database.transaction() as tx, process.matcher.directory.current(tx):
        pass
    await database.pool.execute("ALTER TABLE therapists DISABLE TRIGGER USER")
    change = "UPDATE therapists SET seats_offered = $1 WHERE id = $2"
    await database.pool.execute(change, 0, ADA.id)
    yield
    await database.pool.execute(change, 1, ADA.id)
    await database.pool.execute("ALTER TABLE therapists ENABLE TRIGGER USER")


@asynccontextmanager
async def never_still(database: Database, _: Process, request: RequestSubmitted) -> AsyncIterator[None]:
    """Whoever is found for the request has been changed by another before the entry is read."""
    lock, find, fee, in_hand = store.lock_request, store.find_therapists, ADA.fee_pence, None

    async def locked(tx: Any, request_id: Any) -> Any:
        nonlocal in_hand
        in_hand = request_id
        return await lock(tx, request_id)

    async def changed_before_it_is_found(tx: Any, ids: Any) -> Any:
        nonlocal fee
        if in_hand == request.request_id:
            fee -= 1
            async with database.transaction() as other:
                await store.save_therapist(other, replace(ADA, fee_pence=fee))
        return await find(tx, ids)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store, "lock_request", locked)
        patched.setattr(store, "find_therapists", changed_before_it_is_found)
        yield


@pytest.fixture
async def waiting(process: Process, clock: MovableClock) -> list[RequestSubmitted]:
    """Somebody who speaks English, and after them somebody who speaks Welsh."""
    requests = [a_request(), a_request(details=a_case(languages=("cy",)))]
    for request in requests:
        clock.move(timedelta(minutes=1))
        [said] = await process.hear(request)
        assert isinstance(said, MatchNotFound)
    await process.offer()
    return requests


@pytest.mark.parametrize("trouble", [unreadable, held, out_of_step, never_still])
async def test_whatever_befalls_one_who_waits_the_others_are_offered_and_they_are_a_minute_later(
    database: Database,
    process: Process,
    clock: MovableClock,
    waiting: list[RequestSubmitted],
    trouble: Trouble,
) -> None:
    english, welsh = waiting
    await in_directory(database, ADA, BEN)

    async with trouble(database, process, english):
        with capture_logs() as logged:
            assert await process.offer() == 1
        clock.move(AGAIN_AFTER)
        assert await process.offer() == 0
    clock.move(AGAIN_AFTER - timedelta(seconds=1))
    early = await process.offer()
    clock.move(timedelta(seconds=1))
    in_time = await process.offer()

    assert await proposed_to(database) == [str(welsh.request_id), str(english.request_id)]
    assert (early, in_time) == (0, 1)
    passed_over = [each for each in logged if each["event"] == "a waiting request was passed over"]
    assert [each["request_id"] for each in passed_over] == [str(english.request_id)]


async def test_who_was_passed_over_is_looked_at_by_themselves_and_who_was_not_found_anybody_is_not(
    database: Database,
    clock: MovableClock,
    waiting: list[RequestSubmitted],
    watched: tuple[Process, list[str]],
) -> None:
    passing, asked = watched
    await in_directory(database)

    async def looks() -> int:
        asked.clear()
        await passing.offer()
        return sum("FROM requests WHERE id = $1 FOR UPDATE" in each for each in asked)

    async with unreadable(database, passing, waiting[0]):
        whole, at_once = await looks(), await looks()
        clock.move(AGAIN_AFTER)
        later, then = await looks(), await looks()
    clock.move(AGAIN_AFTER)
    mended, afterwards = await looks(), await looks()

    assert (whole, at_once, later, then, mended, afterwards) == (2, 0, 1, 0, 1, 0)


async def test_a_newcomer_whom_others_beat_to_every_seat_is_served_when_they_are_heard_again(
    database: Database,
    process: Process,
    another: Process,
    waiting: list[RequestSubmitted],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seats = [a_therapist(f"ada {number}", seats_offered=1, seats_free=1) for number in range(MOST_LOOKS + 1)]
    await in_directory(database, *seats)
    assert await process.offer() == 1
    comes_first, asked = store.list_comes_first, 0
    beaten_by: list[MatchProposed] = []

    async def beaten(*args: Any) -> bool:
        # The second time that it is asked of a look, the newcomer has been found somebody.
        nonlocal asked
        asked += 1
        if asked % 2 == 0:
            with monkeypatch.context() as undone:
                undone.setattr(store, "list_comes_first", comes_first)
                [said] = await another.hear(a_request())
            assert isinstance(said, MatchProposed)
            beaten_by.append(said)
        return await comes_first(*args)

    newcomer = a_request()
    with monkeypatch.context() as patched:
        patched.setattr(store, "list_comes_first", beaten)
        with pytest.raises(Contended):
            await process.hear(newcomer)
    assert len(beaten_by) == MOST_LOOKS
    await in_directory(database, a_therapist("ben", seats_offered=1, seats_free=1))
    await process.offer()

    [said] = await process.hear(newcomer)

    assert isinstance(said, MatchProposed)


async def test_an_open_proposal_that_somebody_has_in_hand_holds_up_no_other_and_is_renewed_after_them(
    database: Database, process: Process
) -> None:
    await in_directory(database, replace(ADA, seats_offered=2))
    first, second = a_request(), a_request()
    await process.hear(first)
    await process.hear(second)
    await in_directory(database, replace(ADA, seats_offered=2, registration=None))

    async with held(database, process, first):
        during = await process.renew()
        assert await state_of(database, second.request_id) is State.WAITING
    after = await process.renew()

    assert (during, after) == (1, 1)
    assert await state_of(database, first.request_id) is State.WAITING


async def test_a_group_that_somebody_has_in_hand_holds_up_no_other_and_is_dissolved_after_them(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, a_leader("ada"), a_leader("ben", slots=frozenset({Slot.SAT_MORNING})))
    early, late = somebody(), somebody(availability=(Slot.SAT_MORNING,))
    for request in (early, late):
        [proposal] = await process.hear(request)
        assert isinstance(proposal, MatchProposed)
        await process.hear(a_choice(proposal))
    clock.move(timedelta(days=RULE.gathering.days))

    async with held(database, process, early):
        during = await process.dissolve()
    after = await process.dissolve()

    assert (during, after) == (1, 1)
