"""Whatever befalls a group, in any order and in two processes at once: no place and no seat comes or goes."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from hypothesis import event, given
from hypothesis import strategies as st

from services.matching import store
from services.matching.handlers.closing import close_erased
from services.matching.handlers.reading import open_shortlist
from shared.contract.event import Event
from shared.contract.ids import DecisionId
from shared.contract.intake import RequestSubmitted
from shared.contract.vocabulary import Slot
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.errors import KeyDestroyed
from shared.kit.keyring import Keyring
from tests.matching.gathering import LEAST, RULE, a_leader, assert_places_add_up, in_directory, somebody
from tests.matching.processes import ANY_ORDER, Process, emptied
from tests.support.builders import a_confirmation, a_decline, a_proposal, a_rematch, a_withdrawal, id_of

NAMES = ("ada", "ben")
MOST_SEATS = 2
KINDS = (
    *("come", "come", "come", "ask", "confirm", "confirm", "decline", "withdraw", "rematch", "erase"),
    *("deadline", "dissolve", "lapse", "renew", "offer", "remove", "list", "unregister"),
)
AGES = (13, 14, 16)
TIMES = ((Slot.TUE_EVENING,), (Slot.TUE_EVENING,), (Slot.TUE_EVENING, Slot.WED_MORNING))


class Step(NamedTuple):
    """What somebody does: about which request or leader, in which of several ways, and told to whom."""

    kind: str
    who: int
    which: int
    process: int


STEPS = st.builds(Step, st.sampled_from(KINDS), st.integers(0, 9), st.integers(0, 2), st.integers(0, 1))
AT_ONCE = st.lists(STEPS, min_size=2, max_size=7)


async def at_once(*steps: Coroutine[Any, Any, Any]) -> None:
    """Does all of it side by side, and leaves nothing running."""
    async with asyncio.TaskGroup() as group:
        for step in steps:
            group.create_task(step)


async def hear(process: Process, event: Event) -> None:
    """Takes an event; one about somebody who is erased meanwhile is passed over, as the kit does."""
    with suppress(KeyDestroyed):
        await process.take(event)


@dataclass(slots=True)
class World:
    """Leaders, two processes, and everybody who ever asked for a group."""

    processes: tuple[Process, Process]
    clock: MovableClock
    asked: list[RequestSubmitted] = field(default_factory=list)
    decided: set[DecisionId] = field(default_factory=set)

    @property
    def database(self) -> Database:
        return self.processes[0].database

    async def do(self, step: Step) -> None:
        process, name = self.processes[step.process], NAMES[step.who % len(NAMES)]
        match step.kind:
            case "ask" | "come":
                request = await self._ask(step, process)
                if step.kind == "come":
                    await self._decide("confirm", request, process)
            case "deadline":
                self.clock.move(timedelta(days=RULE.gathering.days))
                await process.dissolve()
            case "dissolve":
                await process.dissolve()
            case "lapse":
                await process.lapse()
            case "renew":
                await process.renew()
            case "offer":
                await process.offer()
            case "list" | "unregister":
                today = self.clock.now().date()
                held = a_leader().registration if step.kind == "list" else None
                leader = a_leader(
                    name, seats_offered=1 + step.which % MOST_SEATS, confirmed_on=today, registration=held
                )
                await in_directory(self.database, leader)
            case "remove":
                async with self.database.transaction() as tx:
                    await store.remove_therapist(tx, id_of(name))
            case _ if self.asked:
                await self._act(step.kind, self.asked[step.who % len(self.asked)], process)

    async def _ask(self, step: Step, process: Process) -> RequestSubmitted:
        request = somebody(AGES[step.who % len(AGES)], availability=TIMES[step.which])
        await hear(process, request)
        self.asked.append(request)
        return request

    async def _act(self, kind: str, request: RequestSubmitted, process: Process) -> None:
        match kind:
            case "decline":
                await hear(process, a_decline(request))
            case "withdraw":
                # One word of it reaches both.
                said = a_withdrawal(request)
                await at_once(*(hear(each, said) for each in self.processes))
            case "erase":
                assert isinstance(self.database.keys, Keyring)
                await self.database.keys.destroy(request.subject_id)
                await at_once(*(close_erased(each.database) for each in self.processes))
            case _:
                await self._decide(kind, request, process)

    async def _decide(self, kind: str, request: RequestSubmitted, process: Process) -> None:
        newest = await self.database.pool.fetchval(
            "SELECT id FROM proposals WHERE request_id = $1 ORDER BY proposed_at DESC, id LIMIT 1",
            request.request_id,
        )
        if newest is None:
            return
        proposal = a_proposal(request, proposal_id=newest)
        if kind == "rematch":
            await hear(process, a_rematch(proposal))
            return
        async with self.database.transaction() as tx:
            shown = await open_shortlist(tx, newest)
        if shown is None:
            return
        decision = a_confirmation(proposal, therapist_id=shown.candidates[0].therapist_id)
        self.decided.add(decision.decision_id)
        # Delivered again by the other process, while the first is at it.
        await at_once(*(hear(each, decision) for each in self.processes))

    async def everybody_leaves(self) -> None:
        for request in self.asked:
            await hear(self.processes[0], a_withdrawal(request))


@given(st.lists(AT_ONCE, min_size=3, max_size=6))
@ANY_ORDER
async def test_places_and_seats_of_groups_are_conserved_in_any_order(
    databases: tuple[Database, Database], clock: MovableClock, rounds: list[list[Step]]
) -> None:
    await emptied(databases[0])
    world = World((Process(databases[0]), Process(databases[1])), clock)
    for name in NAMES:
        await world.do(Step("list", NAMES.index(name), 1, 0))
    for _ in range(LEAST - 2):
        await world.do(Step("come", 0, 0, 0))

    for steps in rounds:
        await at_once(*(world.do(step) for step in (Step("come", 0, 0, 0), *steps)))
        await assert_conserved(world)
    await world.everybody_leaves()

    await assert_conserved(world)
    assert await world.database.pool.fetchval("SELECT coalesce(sum(seats_taken), 0) FROM therapists") == 0
    assert await world.database.pool.fetchval("SELECT count(*) FROM groups WHERE state <> 'dissolved'") == 0


async def assert_conserved(world: World) -> None:
    """Every place is free or somebody's, a group has one seat, and only who was decided on is in one."""
    async with world.database.transaction() as tx:
        states = await assert_places_add_up(tx)
        leaders = await tx.fetch(
            """
            SELECT seats_taken, seats_free, seats_offered,
                   (SELECT count(*) FROM groups g WHERE g.therapist_id = t.id AND g.state <> 'dissolved')
                   AS groups,
                   (SELECT count(*) FROM seats s WHERE s.therapist_id = t.id AND s.freed_at IS NULL) AS alone
            FROM therapists t
            """
        )
        requests = await tx.fetch(
            """
            SELECT r.state, w.request_id IS NOT NULL AS on_the_list,
                   ARRAY(SELECT p.decision_id FROM group_places p
                         WHERE p.request_id = r.id AND p.freed_at IS NULL) AS places
            FROM requests r LEFT JOIN waiting_list w ON w.request_id = r.id
            """
        )
        carried_out = await tx.fetch("SELECT decision_id, count(*) AS times FROM group_places GROUP BY 1")
    for state in states:
        event(f"a group is {state}")
    for each in leaders:
        # Whoever offers fewer seats than before keeps those that are taken.
        assert each["alone"] == 0
        assert each["seats_taken"] == each["groups"] <= MOST_SEATS
        assert each["seats_free"] == max(0, each["seats_offered"] - each["seats_taken"])
    for each in requests:
        assert len(each["places"]) == (each["state"] == "seated"), "who waits or is proposed has no place"
        assert each["on_the_list"] == (each["state"] == "waiting")
        assert world.decided.issuperset(each["places"])
    assert all(each["times"] == 1 for each in carried_out), "no decision gives two places"
