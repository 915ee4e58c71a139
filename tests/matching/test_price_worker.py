"""Prices on a real database: one process works them out, all rank by the newest, and a restart keeps them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.matching import store
from services.matching.domain.policy import Policy
from services.matching.domain.ranking import Rules
from services.matching.domain.therapist import Therapist
from services.matching.handlers import Matcher, pricing, pricing_worker, refresh_prices
from services.matching.handlers.events import propose_match
from services.matching.settings import Settings
from services.matching.store.prices import KEPT_FOR
from shared.contract.ids import SubjectId, TherapistId
from shared.contract.intake import CaseDetails
from shared.contract.matching import MatchProposed
from shared.contract.sealing import Purpose, opened
from shared.contract.vocabulary import ProblemArea
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.keyring import Keyring
from shared.kit.testing import eventually, recording
from tests.matching.builders import RULES, a_therapist, an_accreditation, born
from tests.matching.processes import a_service
from tests.support.builders import a_case, a_request
from tests.support.keys import Counted

# The specialist suits everybody best; adolescents have nobody else.
SPECIALIST = a_therapist("cleo", seats_offered=2, seats_free=2)
GENERALIST = a_therapist(
    "abe",
    seats_offered=400,
    seats_free=400,
    problem_areas=frozenset({ProblemArea.GRIEF}),
    accreditations=(an_accreditation(),),
)
ANYBODY = a_case()
ONLY_THERE = a_case(date_of_birth=born(15), attending_adult=True)


def a_matcher(**prices: Any) -> Matcher:
    """What a process has for ranking when it has just begun; a few requests are history enough."""
    changed = RULES.policy.prices.model_copy(update={"least_requests": 10, **prices})
    policy: Policy = RULES.policy.model_copy(update={"prices": changed})
    rules = Rules(policy, RULES.places)
    return Matcher(rules, store.DirectoryInMemory(rules))


async def came(database: Database, case: CaseDetails, times: int) -> list[SubjectId]:
    """So many submitted such a request on days before today."""
    subjects = []
    for number in range(times):
        request = a_request(details=case)
        async with recording(database) as tx:
            sealed = await tx.seal(request.subject_id, Purpose.CLINICAL, case.model_dump_json().encode())
            submitted_at = tx.now - timedelta(days=28 - number)
            await store.add_request(tx, request.request_id, request.subject_id, sealed, submitted_at)
        subjects.append(request.subject_id)
    return subjects


async def directory(database: Database, *therapists: Therapist) -> None:
    async with database.transaction() as tx:
        for therapist in therapists:
            await store.save_therapist(tx, therapist)


async def proposed(database: Database, matcher: Matcher, case: CaseDetails) -> list[TherapistId]:
    """The shortlist for a new request."""
    async with recording(database) as tx:
        await propose_match(a_request(details=case), tx, matcher)
    [said] = [event for event in tx.published if isinstance(event, MatchProposed)]
    return [candidate.therapist_id for candidate in opened(said.shortlist).candidates]


@asynccontextmanager
async def working(matcher: Matcher, database: Database, settings: Settings) -> AsyncIterator[None]:
    """The worker of a service that runs, every few milliseconds."""
    task = asyncio.ensure_future(pricing_worker(matcher, 0.05)(a_service(database, settings)))
    try:
        yield
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def newest(database: Database) -> store.Prices:
    async with database.transaction() as tx:
        prices = await store.newest_prices(tx)
    assert prices is not None
    return prices


@pytest.fixture
async def busy(database: Database) -> None:
    """A clinic where more adolescents ask than the only one for them has seats."""
    await directory(database, SPECIALIST, GENERALIST)
    await came(database, ONLY_THERE, 14)
    await came(database, ANYBODY, 14)


async def test_seats_cost_more_once_too_few_of_them_are_free_today(database: Database) -> None:
    # Within a course 56 are expected, and 60 seats come free: enough for all, if some are free today.
    await directory(database, replace(SPECIALIST, seats_offered=60), GENERALIST)
    await came(database, ANYBODY, 14)
    matcher, costs = a_matcher(least_requests=5, settled_within=0), []
    for taken in (0, 30, 60):
        async with database.transaction() as tx:
            await tx.execute("UPDATE therapists SET seats_taken = $2 WHERE id = $1", SPECIALIST.id, taken)
        await refresh_prices(database, matcher)
        async with database.transaction() as tx:
            prices = await store.newest_prices(tx)
        costs.append(prices.points.get(SPECIALIST.id, 0) if prices else 0)
    assert costs[0] == 0
    assert all(costs[1:])


@pytest.mark.usefixtures("busy")
async def test_what_came_lately_keeps_the_specialist_for_whom_nobody_else_can_serve(
    database: Database,
) -> None:
    matcher = a_matcher()
    assert (await proposed(database, matcher, ANYBODY))[0] == SPECIALIST.id

    assert await refresh_prices(database, matcher) is not None

    assert (await newest(database)).points.keys() == {SPECIALIST.id}
    assert (await proposed(database, matcher, ANYBODY))[0] == GENERALIST.id
    assert await proposed(database, matcher, ONLY_THERE) == [SPECIALIST.id]


@pytest.mark.usefixtures("busy")
async def test_two_processes_rank_alike_and_one_that_starts_later_does_too(database: Database) -> None:
    one, two = a_matcher(), a_matcher()
    before = await proposed(database, two, ANYBODY)

    version = await refresh_prices(database, one)

    lists = [await proposed(database, each, ANYBODY) for each in (one, two, a_matcher())]
    assert lists[0] == lists[1] == lists[2] != before
    async with database.transaction() as tx:
        rows = await tx.fetch(
            """
            SELECT price_version FROM rankings LEFT JOIN ranked_by_prices ON ranking_id = rankings.id
            WHERE proposal_id IS NOT NULL ORDER BY rankings.id
            """
        )
    assert [row["price_version"] for row in rows] == [None, version, version, version]


@pytest.mark.usefixtures("busy")
async def test_prices_that_are_the_same_are_no_new_version(database: Database) -> None:
    matcher = a_matcher(least_requests=1_000)

    assert await refresh_prices(database, matcher) is None

    await directory(database, replace(SPECIALIST, seats_offered=3))
    async with database.transaction() as tx:
        await tx.execute("UPDATE therapists SET seats_taken = 2 WHERE id = $1", SPECIALIST.id)
    first = await refresh_prices(database, matcher)
    assert first is not None
    assert await refresh_prices(database, matcher) is None
    scarcity = RULES.policy.prices.scarcity
    assert await newest(database) == store.Prices(first, {SPECIALIST.id: scarcity * 4 // 9})


@pytest.mark.usefixtures("busy")
async def test_prices_of_which_none_would_change_by_enough_stay(database: Database) -> None:
    within = RULES.policy.prices.settled_within
    first = await refresh_prices(database, a_matcher())
    dear = (await newest(database)).points[SPECIALIST.id]
    near = {SPECIALIST.id: dear - within // 3, GENERALIST.id: within // 3}
    far = {SPECIALIST.id: dear + 20 * within}

    async with database.transaction() as tx:
        await store.add_prices(tx, "2026-11", near)
    stayed = await refresh_prices(database, a_matcher())
    async with database.transaction() as tx:
        await store.add_prices(tx, "2026-11", far)
    changed = await refresh_prices(database, a_matcher())

    assert first is not None
    assert stayed is None
    assert changed is not None


@pytest.mark.usefixtures("busy")
async def test_the_keys_of_all_who_came_lately_are_asked_for_in_few_looks(database: Database) -> None:
    keys = Counted(database.keys)
    counting = Database(database.pool, service="matching", keys=keys, clock=database.clock)

    for _ in range(2):
        await refresh_prices(counting, a_matcher())

    assert (keys.single, keys.looks) == (0, 2)


@pytest.mark.usefixtures("busy")
async def test_a_request_that_cannot_be_read_is_left_out_by_id_and_holds_up_no_prices(
    database: Database,
) -> None:
    broken = a_request(details=ONLY_THERE)
    old = a_request(details=ONLY_THERE)
    async with recording(database) as tx:
        for request, words in ((broken, b"{}"), (old, b'{"kept": "by another build"}')):
            sealed = await tx.seal(request.subject_id, Purpose.CLINICAL, words)
            await store.add_request(tx, request.request_id, request.subject_id, sealed, tx.now)
        await tx.execute(
            "UPDATE requests SET details = set_byte(details, 40, get_byte(details, 40) # 1) WHERE id = $1",
            broken.request_id,
        )

    with capture_logs() as said:
        version = await refresh_prices(database, a_matcher())

    assert version is not None
    assert (await newest(database)).points.keys() == {SPECIALIST.id}
    assert {(each["event"], each["request_id"]) for each in said} == {
        ("a request was left out of the prices", str(each.request_id)) for each in (broken, old)
    }
    assert "another build" not in str(said)


@pytest.mark.usefixtures("busy")
async def test_one_process_at_a_time_works_prices_out(database: Database) -> None:
    async with database.turn(pricing.TURN) as turn:
        assert turn
        assert await refresh_prices(database, a_matcher()) is None

    assert await refresh_prices(database, a_matcher()) is not None


async def test_who_was_erased_is_no_longer_part_of_what_prices_are_worked_out_from(
    database: Database,
) -> None:
    await directory(database, SPECIALIST, GENERALIST)
    adolescents = await came(database, ONLY_THERE, 14)
    await came(database, ANYBODY, 14)
    await refresh_prices(database, a_matcher())
    dear = (await newest(database)).points[SPECIALIST.id]

    assert isinstance(database.keys, Keyring)
    for subject in adolescents:
        await database.keys.destroy(subject)
    for _ in range(3):
        await refresh_prices(database, a_matcher())

    # What is left would do nearly as well with the other: only those who were erased made it so dear.
    assert (await newest(database)).points[SPECIALIST.id] <= dear / 2


@pytest.mark.usefixtures("busy")
async def test_old_versions_go_unless_somebody_was_ranked_by_them(
    database: Database, clock: MovableClock
) -> None:
    async with database.transaction() as tx:
        named = await store.add_prices(tx, "2026-11", {SPECIALIST.id: 1})
    await proposed(database, a_matcher(), ANYBODY)
    async with database.transaction() as tx:
        unnamed = await store.add_prices(tx, "2026-11", {SPECIALIST.id: 2})

    for points in (3, 4):
        clock.move(2 * KEPT_FOR)
        async with database.transaction() as tx:
            last = await store.add_prices(tx, "2026-11", {SPECIALIST.id: points})
    async with database.transaction() as tx:
        rows = await tx.fetch("SELECT version FROM prices ORDER BY version")

    assert [row["version"] for row in rows] == [named, last - 1, last]
    assert named < unnamed < last - 1


@pytest.mark.usefixtures("busy")
async def test_a_policy_without_prices_orders_by_score_alone(database: Database) -> None:
    await refresh_prices(database, a_matcher())

    assert (await proposed(database, a_matcher(on=False), ANYBODY))[0] == SPECIALIST.id


@pytest.mark.usefixtures("busy")
async def test_a_worker_that_fails_says_so_without_data_and_tries_again(
    database: Database, settings: Settings
) -> None:
    async with database.transaction() as tx:
        await tx.execute("ALTER TABLE prices RENAME TO prices_away")

    with capture_logs() as said:
        async with working(a_matcher(), database, settings):
            await eventually(lambda: said, what="a warning")
            async with database.transaction() as tx:
                await tx.execute("ALTER TABLE prices_away RENAME TO prices")
            prices = await eventually(lambda: newest(database), within=30, what="the prices")

    assert prices.points.keys() == {SPECIALIST.id}
    assert said[0]["event"] == "prices not refreshed, will try again"
    assert said[0]["error"] == "asyncpg.exceptions.UndefinedTableError"
    assert not any(word in str(said) for word in (SPECIALIST.name, "hardly know myself"))


@pytest.mark.usefixtures("busy")
async def test_a_worker_that_is_stopped_leaves_the_directory_to_nobody_else_before_it_is_done(
    database: Database,
) -> None:
    matcher = a_matcher()
    alone = await proposed(database, a_matcher(), ANYBODY)

    for turns in range(40):
        task = asyncio.create_task(refresh_prices(database, matcher))
        for _ in range(turns * 5):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        async with database.transaction() as tx:
            await tx.execute("DELETE FROM prices")
        assert await proposed(database, matcher, ANYBODY) == alone
