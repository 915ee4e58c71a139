"""Whatever happens at once in two processes: places and seats are conserved, and what is said is true."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from services.matching.settings import Settings
from shared.contract.event import Event
from shared.contract.ids import DecisionId
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import STREAM, GroupPlaceHeld, MatchProposed, SeatReserved
from shared.contract.vocabulary import Slot
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.testing import service_database
from tests.matching.gathering import RULE, a_choice, a_leader, assert_places_add_up, in_directory, somebody
from tests.matching.processes import Process
from tests.support.builders import a_decline, a_rematch, a_withdrawal

AT_ONCE = 6
FATES = ("stay", "stay", "stay", "wait", "withdraw", "decline", "rematch")
TIMES = ((Slot.TUE_EVENING,), (Slot.WED_MORNING,), (Slot.TUE_EVENING, Slot.WED_MORNING))


@pytest.fixture
async def processes(
    database: Database, settings: Settings, clock: MovableClock
) -> AsyncIterator[tuple[Process, Process]]:
    """Two of them on one database."""
    said: list[Event] = []
    async with service_database("matching", settings, clock) as another:
        yield Process(database, said), Process(another, said)


@dataclass(slots=True)
class World:
    """Everybody who asks, and what was decided for them."""

    processes: tuple[Process, Process]
    dice: Random
    decided: set[DecisionId] = field(default_factory=set)
    undecided: set[str] = field(default_factory=set)

    def life(self) -> Coroutine[Any, Any, None]:
        """Somebody asks; what becomes of them was cast before anything began."""
        request = somebody(self.dice.choice((13, 14, 16)), availability=self.dice.choice(TIMES))
        one, other = self.dice.sample(self.processes, 2)
        return self._live(request, self.dice.choice(FATES), one, other)

    async def _live(self, request: RequestSubmitted, fate: str, one: Process, other: Process) -> None:
        found = [each for each in await one.hear(request) if isinstance(each, MatchProposed)]
        if fate == "wait" or not found:
            self.undecided.add(str(request.request_id))
            return
        choice = a_choice(found[0])
        self.decided.add(choice.decision_id)
        # Delivered again by another process, while the first is at it.
        await asyncio.gather(one.hear(choice), other.hear(choice))
        if fate == "withdraw":
            await asyncio.gather(one.hear(a_withdrawal(request)), other.hear(a_withdrawal(request)))
        elif fate == "decline":
            await asyncio.gather(one.hear(a_decline(request)), other.hear(a_withdrawal(request)))
        elif fate == "rematch":
            await other.hear(a_rematch(found[0]))


@pytest.mark.parametrize("seed", range(3))
async def test_places_and_seats_are_conserved_under_any_interleaving(
    database: Database, processes: tuple[Process, Process], clock: MovableClock, seed: int
) -> None:
    await in_directory(
        database, a_leader("ada", seats_offered=2), a_leader("ben", seats_offered=1, seats_free=1)
    )
    world = World(processes, Random(seed))
    turn = asyncio.Semaphore(AT_ONCE)

    async def in_turn(step: Coroutine[Any, Any, Any]) -> None:
        async with turn:
            await step

    async def time_passes() -> None:
        clock.move(timedelta(days=RULE.gathering.days))

    steps: list[Coroutine[Any, Any, Any]] = [world.life() for _ in range(24)]
    steps += [step() for each in processes for step in (each.dissolve, each.lapse, each.renew) * 3]
    world.dice.shuffle(steps)
    steps.insert(len(steps) // 2, time_passes())
    await asyncio.gather(*map(in_turn, steps))
    await processes[0].offer()
    await assert_conserved(database, world)

    await time_passes()
    await asyncio.gather(*(each.dissolve() for each in processes))
    await processes[1].offer()

    await assert_conserved(database, world)
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM groups WHERE state = 'gathering'") == 0
        assert await tx.fetchval("SELECT count(*) FROM group_places") > 0
        formed = await tx.fetchval("SELECT count(*) FROM groups WHERE state = 'formed'")

    clock.move(timedelta(days=RULE.starting.days, weeks=RULE.course.sessions))
    ended = await asyncio.gather(*(each.end() for each in processes * 2))

    assert sum(ended) == formed
    await assert_conserved(database, world)
    assert await database.pool.fetchval("SELECT sum(seats_taken) FROM therapists") == 0


async def assert_conserved(database: Database, world: World) -> None:
    """Nothing was taken twice, given back twice or promised to two; nobody is in a group undecided."""
    async with database.transaction() as tx:
        await assert_places_add_up(tx)
        therapists = await tx.fetch(
            """
            SELECT seats_taken, seats_offered,
                   (SELECT count(*) FROM seats s WHERE s.therapist_id = t.id AND s.freed_at IS NULL)
                   + (SELECT count(*) FROM groups g WHERE g.therapist_id = t.id AND g.state <> 'dissolved')
                   AS held
            FROM therapists t
            """
        )
        places = await tx.fetch(
            """
            SELECT p.decision_id, p.request_id, p.freed_at, p.freed_because, r.state AS request, g.state
            FROM group_places p JOIN requests r ON r.id = p.request_id LEFT JOIN groups g ON g.id = p.group_id
            """
        )
        outbox = await tx.fetch(
            "SELECT key, payload, header_names, header_values FROM outbox WHERE stream = $1 ORDER BY id",
            STREAM,
        )
    for therapist in therapists:
        assert therapist["seats_taken"] == therapist["held"] <= therapist["seats_offered"]
    for place in places:
        assert place["decision_id"] in world.decided
        assert str(place["request_id"]) not in world.undecided
        assert place["freed_at"] is not None or place["request"] == "seated"

    held = Counter(each.decision_id for each in world.processes[0].said if isinstance(each, GroupPlaceHeld))
    seated = Counter(each.decision_id for each in world.processes[0].said if isinstance(each, SeatReserved))
    assert max((held | seated).values()) == 1, "no decision is carried out twice"
    for place in places:
        assert (
            place["freed_at"] is not None
            or (seated if place["state"] == "formed" else held)[place["decision_id"]]
        )

    named = [
        (row["key"], dict(zip(row["header_names"], row["header_values"], strict=True))) for row in outbox
    ]
    said = [(key, headers[b"ce_type"].decode().split(".")[2]) for key, headers in named]
    reoffered = Counter(
        json.loads(row["payload"])["decision_id"]
        for row, (_, name) in zip(outbox, said, strict=True)
        if name == "seat-unavailable"
    )
    dissolved = {str(each["decision_id"]) for each in places if each["freed_because"] == "group dissolved"}
    assert reoffered == Counter(dissolved), "whoever was in a dissolved group hears of it once"
    here = {str(each["request_id"]) for each in places if each["request"] != "closed"}
    for at, (key, name) in enumerate(said):
        # Whoever has gone before the list was offered hears nothing more.
        if name == "seat-unavailable" and key in here:
            follows = next(answer for other, answer in said[at + 1 :] if other == key)
            assert follows in {"match-proposed", "match-not-found"}
