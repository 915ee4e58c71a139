"""A formed group that becomes too small, or whose leader lapses, is put before staff once, and goes on."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.matching import store
from services.matching.domain.therapist import AgeGroup
from shared.contract.event import Event
from shared.contract.matching import GroupDoubt, GroupInDoubt, SeatReserved
from shared.contract.review import MatchConfirmed
from shared.contract.vocabulary import Format, Mode, Slot, Variant
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.testing import recording
from tests.matching.builders import THE_DAY, a_registration, an_accreditation
from tests.matching.gathering import LEAST, RULE, a_leader, gather, groups, in_directory, in_outbox
from tests.matching.processes import Process
from tests.support.builders import a_request, a_withdrawal, id_of

ADA = a_leader("ada")
LAPSED = replace(ADA, registration=a_registration(expires_on=THE_DAY - timedelta(days=1)))
TO_THE_END = timedelta(days=RULE.starting.days, weeks=RULE.course.sessions)


async def formed(database: Database, process: Process, number: int = LEAST) -> list[MatchConfirmed]:
    await in_directory(database, ADA)
    return await gather(process.hear, number)


async def leaves(process: Process, choice: MatchConfirmed) -> list[Event]:
    return await process.hear(a_withdrawal(a_request(request_id=choice.request_id)))


async def doubts_of(database: Database) -> list[str]:
    """Whose places were said to be in doubt."""
    return [key for key, name in await in_outbox(database) if name == "group-in-doubt"]


def keys(choices: list[MatchConfirmed]) -> list[str]:
    return sorted(str(each.request_id) for each in choices)


async def test_whoever_stays_in_a_group_that_became_too_small_is_put_before_staff_and_keeps_the_place(
    database: Database, process: Process
) -> None:
    first, *others = await formed(database, process)
    seats = {each.request_id: each for each in process.said if isinstance(each, SeatReserved)}

    said = await leaves(process, first)

    assert said == [
        GroupInDoubt(
            request_id=each.request_id,
            decision_id=each.decision_id,
            seat_id=seats[each.request_id].seat_id,
            therapist_id=ADA.id,
            doubt=GroupDoubt.TOO_FEW,
        )
        for each in sorted(others, key=lambda each: each.request_id)
    ]
    assert await groups(database) == [("formed", LEAST - 1)]


async def test_a_group_that_stays_large_enough_is_in_no_doubt(database: Database, process: Process) -> None:
    first, *_ = await formed(database, process, LEAST + 1)

    assert await leaves(process, first) == []


async def test_a_group_that_still_gathers_is_in_no_doubt(database: Database, process: Process) -> None:
    first, *_ = await formed(database, process, LEAST - 1)

    assert await leaves(process, first) == []


async def test_everybody_who_leaves_a_group_that_is_too_small_puts_it_before_staff_again(
    database: Database, process: Process
) -> None:
    first, second, *others = await formed(database, process)
    await leaves(process, first)

    again = await leaves(process, second)
    replayed = await leaves(process, second)

    assert [str(each.request_id) for each in again if isinstance(each, GroupInDoubt)] == keys(others)
    assert replayed == []


async def test_the_last_who_leaves_puts_nobody_before_staff(database: Database, process: Process) -> None:
    *_, last = choices = await formed(database, process)
    for each in choices[:-1]:
        await leaves(process, each)

    assert await leaves(process, last) == []
    assert await groups(database) == [("dissolved", 0)]


async def test_of_two_who_leave_at_once_each_puts_only_those_before_staff_who_stay(
    database: Database, process: Process, another: Process
) -> None:
    first, second, *others = await formed(database, process, LEAST + 1)
    withdrawals = [a_withdrawal(a_request(request_id=each.request_id)) for each in (first, second)]

    await asyncio.gather(process.take(withdrawals[0]), another.take(withdrawals[1]))

    assert await doubts_of(database) == keys(others)


async def test_members_hear_of_it_until_the_course_is_over_and_not_after(
    database: Database, process: Process, clock: MovableClock
) -> None:
    first, second, *_ = await formed(database, process)

    clock.move(TO_THE_END - timedelta(seconds=1))
    before = await leaves(process, first)
    clock.move(timedelta(seconds=1))
    after = await leaves(process, second)
    await in_directory(database, LAPSED)

    assert len(before) == LEAST - 1
    assert after == []
    assert await process.doubt() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"registration": None},
        {"registration": a_registration(expires_on=THE_DAY - timedelta(days=1))},
        {"accreditations": (an_accreditation(Variant.IPT_G),)},
        {"accreditations": (an_accreditation(Variant.IPT_AST, expires_on=date(2026, 1, 1)),)},
    ],
    ids=["unregistered", "lapsed", "unaccredited", "out of it"],
)
async def test_members_of_a_leader_who_lapses_are_put_before_staff_once_by_any_number_of_processes(
    database: Database, process: Process, another: Process, change: dict[str, Any]
) -> None:
    choices = await formed(database, process)
    assert await process.doubt() == 0

    await in_directory(database, replace(ADA, **change))
    doubted = await asyncio.gather(process.doubt(), another.doubt(), process.doubt())
    await in_directory(database, replace(ADA, fee_pence=9000, **change))

    assert sum(doubted) == 1
    assert await process.doubt() == await process.dissolve() == 0
    assert await doubts_of(database) == keys(choices)
    assert await groups(database) == [("formed", LEAST)]


async def test_it_says_which_match_it_is_and_that_the_leader_has_lapsed(
    database: Database, process: Process
) -> None:
    await formed(database, process)
    seats = [each for each in process.said if isinstance(each, SeatReserved)]
    async with database.transaction() as tx:
        [group_id] = await store.formed_to_look_at(tx, THE_DAY)

    async with recording(database) as tx:
        await store.say_in_doubt(tx, group_id, GroupDoubt.LEADER_LAPSED)

    assert tx.published == [
        GroupInDoubt(
            request_id=each.request_id,
            decision_id=each.decision_id,
            seat_id=each.seat_id,
            therapist_id=ADA.id,
            doubt=GroupDoubt.LEADER_LAPSED,
        )
        for each in sorted(seats, key=lambda each: each.request_id)
    ]


async def test_a_registration_that_runs_out_puts_members_before_staff_on_the_day_after(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, replace(ADA, registration=a_registration(expires_on=THE_DAY)))
    choices = await gather(process.hear, LEAST)
    assert await process.doubt() == 0

    clock.move(timedelta(days=1))

    assert await process.doubt() == 1
    clock.move(timedelta(days=1))
    assert await process.doubt() == 0
    assert await doubts_of(database) == keys(choices)


async def test_a_leader_who_lapses_another_time_puts_members_before_staff_another_time(
    database: Database, process: Process
) -> None:
    await formed(database, process)
    doubted = []
    for entry in (LAPSED, ADA, LAPSED):
        await in_directory(database, entry)
        doubted.append(await process.doubt())

    assert doubted == [1, 0, 1]


@pytest.mark.parametrize(
    "change",
    [
        {"seats_offered": 0, "seats_free": 0},
        {"confirmed_on": date(2026, 1, 1)},
        {"slots": frozenset({Slot.SAT_MORNING})},
        {"formats": frozenset({Format.INDIVIDUAL})},
        {"modes": frozenset({Mode.IN_PERSON})},
        {"languages": frozenset({"pl"})},
        {"age_groups": frozenset({AgeGroup.ADULTS})},
    ],
    ids=["retires with their clients", "unconfirmed", "time", "format", "mode", "language", "age"],
)
async def test_what_a_leader_offers_to_new_clients_puts_no_formed_group_in_doubt(
    database: Database, process: Process, change: dict[str, Any]
) -> None:
    await formed(database, process)

    await in_directory(database, replace(ADA, **change))

    assert await process.doubt() == 0


async def test_a_leader_who_is_removed_is_told_of_once_and_as_gone(
    database: Database, process: Process, clock: MovableClock
) -> None:
    choices = await formed(database, process)

    async with database.transaction() as tx:
        await store.remove_therapist(tx, id_of("ada"))
    doubted = [await process.doubt()]
    clock.move(timedelta(days=1))
    doubted += [await process.doubt(), await process.doubt()]

    said = await in_outbox(database)
    assert doubted == [0, 0, 0]
    assert sorted(key for key, name in said if name == "therapist-gone") == keys(choices)
    assert await doubts_of(database) == []


async def test_a_formed_group_is_looked_at_once_a_day_and_when_its_leader_changes_and_not_at_every_turn(
    watched: tuple[Process, list[str]], database: Database, clock: MovableClock
) -> None:
    process, asked = watched

    async def looks() -> int:
        asked.clear()
        await process.doubt()
        return sum("UPDATE groups SET leader_lapsed" in each for each in asked)

    await formed(database, process)
    first, again = await looks(), await looks()
    await in_directory(database, replace(ADA, fee_pence=9000))
    changed, after_that = await looks(), await looks()
    async with database.transaction() as tx:
        await store.remove_therapist(tx, id_of("ada"))
    gone = await looks()
    clock.move(timedelta(days=1))

    assert (first, again, changed, after_that, gone) == (1, 0, 1, 0, 0)
    assert (await looks(), await looks()) == (1, 0)
