"""What prices do to shortlists: the same in every process, and new only where they change by enough."""

from dataclasses import replace

import pytest

from services.matching import store
from services.matching.handlers import refresh_prices
from shared.kit.database import Database
from tests.matching.builders import RULES
from tests.matching.prices.priced import (
    ANYBODY,
    GENERALIST,
    ONLY_THERE,
    SPECIALIST,
    a_pricing_matcher,
    came,
    newest,
    proposed,
)
from tests.matching.recorded import in_directory


async def test_seats_cost_more_once_too_few_of_them_are_free_today(database: Database) -> None:
    # Within a course 56 are expected, and 60 seats come free: enough for all, if some are free today.
    await in_directory(database, replace(SPECIALIST, seats_offered=60), GENERALIST)
    await came(database, ANYBODY, 14)
    matcher, costs = a_pricing_matcher(least_requests=5, settled_within=0), []
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
    matcher = a_pricing_matcher()
    assert (await proposed(database, matcher, ANYBODY))[0] == SPECIALIST.id

    assert await refresh_prices(database, matcher) is not None

    assert (await newest(database)).points.keys() == {SPECIALIST.id}
    assert (await proposed(database, matcher, ANYBODY))[0] == GENERALIST.id
    assert await proposed(database, matcher, ONLY_THERE) == [SPECIALIST.id]


@pytest.mark.usefixtures("busy")
async def test_two_processes_rank_alike_and_one_that_starts_later_does_too(database: Database) -> None:
    one, two = a_pricing_matcher(), a_pricing_matcher()
    before = await proposed(database, two, ANYBODY)

    version = await refresh_prices(database, one)

    lists = [await proposed(database, each, ANYBODY) for each in (one, two, a_pricing_matcher())]
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
    matcher = a_pricing_matcher(least_requests=1_000)

    assert await refresh_prices(database, matcher) is None

    await in_directory(database, replace(SPECIALIST, seats_offered=3))
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
    first = await refresh_prices(database, a_pricing_matcher())
    dear = (await newest(database)).points[SPECIALIST.id]
    near = {SPECIALIST.id: dear - within // 3, GENERALIST.id: within // 3}
    far = {SPECIALIST.id: dear + 20 * within}

    async with database.transaction() as tx:
        await store.add_prices(tx, "2026-11", near)
    stayed = await refresh_prices(database, a_pricing_matcher())
    async with database.transaction() as tx:
        await store.add_prices(tx, "2026-11", far)
    changed = await refresh_prices(database, a_pricing_matcher())

    assert first is not None
    assert stayed is None
    assert changed is not None


@pytest.mark.usefixtures("busy")
async def test_a_policy_without_prices_orders_by_score_alone(database: Database) -> None:
    await refresh_prices(database, a_pricing_matcher())

    assert (await proposed(database, a_pricing_matcher(on=False), ANYBODY))[0] == SPECIALIST.id
