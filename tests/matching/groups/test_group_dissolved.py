"""A group too small at its deadline is dissolved, and who waits is offered what it held."""

import asyncio
from datetime import timedelta

from services.matching.handlers import Matcher, dissolve_groups, offer_to_waiting
from shared.contract.matching import MatchNotFound
from shared.contract.vocabulary import Format, Therapy
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.gathering import (
    LEAST,
    RULE,
    Hear,
    a_leader,
    gather,
    groups,
    in_directory,
    in_outbox,
    proposed,
    seats_free,
    somebody,
)
from tests.matching.recorded import a_matcher
from tests.support.builders import a_request, a_withdrawal


async def test_a_group_too_small_at_its_deadline_is_dissolved_and_everybody_is_offered_anew(
    database: Database, hear: Hear, matcher: Matcher, clock: MovableClock
) -> None:
    await in_directory(database, a_leader())
    choices = await gather(hear, LEAST - 1)
    waits = await proposed(hear)

    clock.move(timedelta(days=RULE.gathering.days) - timedelta(seconds=1))
    assert await dissolve_groups(database, matcher) == 0
    clock.move(timedelta(seconds=1))
    dissolved = await asyncio.gather(
        dissolve_groups(database, matcher),
        dissolve_groups(database, a_matcher()),
    )

    assert sum(dissolved) == 1
    assert await groups(database) == [("dissolved", 0)]
    assert await seats_free(database) == 4
    said = await in_outbox(database)
    for choice in choices:
        about = [name for key, name in said if key == str(choice.request_id)]
        assert about == ["seat-unavailable", "match-proposed"]
    assert not [name for key, name in said if key == str(waits.request_id)]


async def test_the_old_decision_means_nothing_once_the_group_is_dissolved(
    database: Database, hear: Hear, matcher: Matcher, clock: MovableClock
) -> None:
    await in_directory(database, a_leader())
    [choice] = await gather(hear, 1)
    clock.move(timedelta(days=RULE.gathering.days))
    await dissolve_groups(database, matcher)

    assert await hear(choice) == []
    assert await groups(database) == [("dissolved", 0)]


async def test_who_waits_for_the_seat_of_a_group_gets_it_when_the_group_is_dissolved(
    database: Database, hear: Hear, matcher: Matcher, clock: MovableClock
) -> None:
    await in_directory(database, a_leader(seats_offered=1, seats_free=1))
    [choice] = await gather(hear, 1)
    adult = somebody(30, format=Format.GROUP, therapy=Therapy.IPT)
    assert [type(each) for each in await hear(adult)] == [MatchNotFound]

    await hear(a_withdrawal(a_request(request_id=choice.request_id)))
    await offer_to_waiting(database, matcher)

    said = await in_outbox(database)
    assert (str(adult.request_id), "match-proposed") in said
