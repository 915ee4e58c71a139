"""A group that gathers ends as soon as its leader may lead it no longer, and everybody in it hears of it."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.matching import store
from services.matching.domain.therapist import AgeGroup
from shared.contract.matching import MatchProposed, SeatRefusal, SeatUnavailable
from shared.contract.review import MatchConfirmed
from shared.contract.vocabulary import Format, Mode, Slot, Variant
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import RULES, THE_DAY, a_registration, an_accreditation
from tests.matching.gathering import LEAST, a_choice, a_leader, in_directory, in_outbox, somebody
from tests.matching.processes import Process
from tests.support.builders import a_withdrawal

ADA, BEN = a_leader("ada"), a_leader("ben")


async def gathered(process: Process, number: int) -> list[MatchConfirmed]:
    """The decisions by which so many have a place."""
    choices = []
    for _ in range(number):
        [proposal] = await process.hear(somebody())
        assert isinstance(proposal, MatchProposed)
        choices.append(a_choice(proposal))
        await process.hear(choices[-1])
    return choices


async def said_of(database: Database, choice: MatchConfirmed) -> list[str]:
    return [name for key, name in await in_outbox(database) if key == str(choice.request_id)]


async def groups(database: Database) -> list[tuple[str, str | None]]:
    rows = await database.pool.fetch("SELECT state, dissolved_because FROM groups ORDER BY opened_at, id")
    return [(row["state"], row["dissolved_because"]) for row in rows]


@pytest.mark.parametrize(
    "change",
    [
        {"registration": None},
        {"registration": a_registration(expires_on=THE_DAY - timedelta(days=1))},
        {"accreditations": (an_accreditation(Variant.IPT_G),)},
        {"accreditations": (an_accreditation(Variant.IPT_AST, expires_on=date(2026, 1, 1)),)},
        {"seats_offered": 0, "seats_free": 0},
        {"formats": frozenset({Format.INDIVIDUAL})},
        {"modes": frozenset({Mode.IN_PERSON})},
        {"languages": frozenset({"pl"})},
        {"age_groups": frozenset({AgeGroup.ADULTS})},
        {"free_from": THE_DAY + timedelta(weeks=RULES.policy.latest_start_weeks, days=1)},
    ],
    ids=[
        *("unregistered", "lapsed", "unaccredited", "out of it", "left"),
        *("format", "mode", "language", "age", "begins late"),
    ],
)
async def test_a_group_ends_as_soon_as_its_leaders_entry_says_that_they_cannot_lead_it(
    database: Database, process: Process, change: dict[str, Any]
) -> None:
    await in_directory(database, ADA)
    choices = await gathered(process, LEAST - 1)
    assert await process.dissolve() == 0

    await in_directory(database, replace(ADA, **change), BEN)
    dissolved = await asyncio.gather(process.dissolve(), process.dissolve())

    assert sum(dissolved) == 1
    assert await groups(database) == [("dissolved", "its leader may lead it no longer")]
    for choice in choices:
        assert await said_of(database, choice) == ["seat-unavailable", "match-proposed"]
    taken = await database.pool.fetchval("SELECT sum(seats_taken) FROM therapists")
    assert taken == 0


async def test_a_leader_whose_registration_runs_out_leads_no_group_on_the_day_after(
    database: Database, process: Process, clock: MovableClock
) -> None:
    await in_directory(database, replace(ADA, registration=a_registration(expires_on=THE_DAY)))
    [choice] = await gathered(process, 1)
    assert await process.dissolve() == 0

    clock.move(timedelta(days=1))

    assert await process.dissolve() == 1
    assert await said_of(database, choice) == ["seat-unavailable", "match-not-found"]


async def test_a_leader_whom_nobody_has_confirmed_for_too_long_leads_no_group(
    database: Database, process: Process, clock: MovableClock
) -> None:
    long_ago = THE_DAY - timedelta(days=RULES.policy.fresh_days)
    await in_directory(database, replace(ADA, confirmed_on=long_ago))
    await gathered(process, 1)
    assert await process.dissolve() == 0

    clock.move(timedelta(days=1))

    assert await process.dissolve() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"slots": frozenset({Slot.SAT_MORNING})},
        {"seats_offered": 1, "seats_free": 0},
        {"fee_pence": 20_000},
        {"age_groups": frozenset({AgeGroup.ADOLESCENTS})},
    ],
    ids=["the time is taken by the group", "no further seat", "dearer", "its own age"],
)
async def test_a_group_goes_on_whatever_else_its_leader_changes(
    database: Database, process: Process, change: dict[str, Any]
) -> None:
    await in_directory(database, ADA)
    await gathered(process, 1)

    await in_directory(database, replace(ADA, **change))

    assert await process.dissolve() == 0
    assert await groups(database) == [("gathering", None)]


async def test_a_formed_group_is_for_people_to_decide_about(database: Database, process: Process) -> None:
    await in_directory(database, ADA)
    await gathered(process, LEAST)

    await in_directory(database, replace(ADA, registration=None))

    assert await process.dissolve() == 0
    assert await groups(database) == [("formed", None)]


async def test_nobody_comes_into_a_group_whose_leader_has_just_left(
    database: Database, process: Process
) -> None:
    await in_directory(database, ADA)
    await gathered(process, 1)
    [late] = await process.hear(somebody())
    assert isinstance(late, MatchProposed)

    await in_directory(database, replace(ADA, seats_offered=0))
    [refused, *_] = await process.hear(a_choice(late))

    assert isinstance(refused, SeatUnavailable)
    assert refused.reason is SeatRefusal.GROUP_GONE


async def test_a_group_is_looked_at_once_a_day_and_when_its_leader_changes_and_not_at_every_turn(
    watched: tuple[Process, list[str]], database: Database, clock: MovableClock
) -> None:
    process, asked = watched

    async def looks() -> int:
        asked.clear()
        await process.dissolve()
        return sum("UPDATE groups SET looked_on" in each for each in asked)

    await in_directory(database, ADA)
    await gathered(process, 1)

    first, again = await looks(), await looks()
    await gathered(process, 1)
    another_member = await looks()
    await in_directory(database, replace(ADA, fee_pence=9000))
    changed, after_that = await looks(), await looks()
    clock.move(timedelta(days=1))

    assert (first, again, another_member, changed, after_that) == (1, 0, 0, 1, 0)
    assert await looks() == 1


async def test_whoever_comes_while_a_group_is_being_dissolved_is_offered_anew_as_well(
    database: Database, process: Process, another: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    await in_directory(database, ADA)
    await gathered(process, 1)
    [late] = await another.hear(somebody())
    assert isinstance(late, MatchProposed)
    await in_directory(database, replace(ADA, fee_pence=7000))
    choice, members_of = a_choice(late), store.members_of

    async def members_of_and_overtaken(*arguments: Any) -> Any:
        found = await members_of(*arguments)
        monkeypatch.undo()
        await another.take(choice)
        await in_directory(database, replace(ADA, registration=None))
        return found

    monkeypatch.setattr(store, "members_of", members_of_and_overtaken)
    with capture_logs() as logged:
        assert await process.dissolve() == 0
    assert logged == [], "it is left to the next look, and nothing fails"
    assert await process.dissolve() == 1

    assert (await said_of(database, choice))[:2] == ["group-place-held", "seat-unavailable"]
    held = await database.pool.fetchval("SELECT count(*) FROM group_places WHERE freed_at IS NULL")
    assert held == 0


async def test_a_leader_may_change_while_members_leave(database: Database, process: Process) -> None:
    await in_directory(database, ADA)
    [one, other] = await gathered(process, 2)
    await in_directory(database, replace(ADA, registration=None))

    left = somebody().model_copy(update={"request_id": one.request_id})
    await asyncio.gather(process.dissolve(), process.hear(a_withdrawal(left)))
    await process.dissolve()

    assert await groups(database) == [("dissolved", "its leader may lead it no longer")]
    assert "seat-unavailable" in await said_of(database, other)
