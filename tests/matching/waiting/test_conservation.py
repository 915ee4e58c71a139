"""Whatever two processes do at once: no seat is taken or freed twice, and nobody who asked is forgotten."""

import asyncio
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from hypothesis import event, given
from hypothesis import strategies as st

from services.matching import store
from services.matching.domain.therapist import Therapist
from services.matching.handlers.reading import open_shortlist
from shared.contract.ids import DecisionId
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import STREAM
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.apart import Apart
from tests.matching.builders import RULES, a_therapist
from tests.matching.gathering import in_directory
from tests.matching.processes import ANY_ORDER, emptied
from tests.matching.seated import end_course
from tests.support.builders import (
    a_confirmation,
    a_decline,
    a_proposal,
    a_rematch,
    a_request,
    a_withdrawal,
    id_of,
)

NAMES = ("ada", "ben", "cem")
KINDS = (
    *("ask", "ask", "confirm", "confirm", "confirm", "choose", "decline", "withdraw", "rematch", "give_up"),
    *("expire", "offer", "renew", "end", "end", "seats", "registration", "remove"),
)
LAPSES = timedelta(days=RULES.policy.proposal_days)
MOST_LOOKS = 20


class Step(NamedTuple):
    """What somebody does: about which request or therapist, and told to which process."""

    kind: str
    who: int
    which: int
    process: int


STEPS = st.builds(Step, st.sampled_from(KINDS), st.integers(0, 7), st.integers(0, 3), st.integers(0, 1))
AT_ONCE = st.lists(STEPS, min_size=2, max_size=7)


@dataclass(slots=True)
class World:
    """A clinic with two processes, and what has happened in it."""

    database: Database
    processes: tuple[Apart, Apart]
    clock: MovableClock
    directory: dict[str, Therapist] = field(default_factory=dict)
    most_offered: Counter[str] = field(default_factory=Counter)
    asked: list[RequestSubmitted] = field(default_factory=list)
    decided: set[DecisionId] = field(default_factory=set)
    courses_ended: int = 0

    async def list_therapist(self, name: str, **changes: Any) -> None:
        """Imports an entry, or imports it again."""
        before = self.directory.get(name) or a_therapist(name)
        entry = replace(before, confirmed_on=self.clock.now().date(), **changes)
        self.directory[name] = entry
        self.most_offered[name] = max(self.most_offered[name], entry.seats_offered)
        await in_directory(self.database, entry)

    async def do(self, step: Step) -> None:
        process = self.processes[step.process]
        name = NAMES[step.who % len(NAMES)]
        match step.kind:
            case "ask":
                request = a_request()
                self.asked.append(request)
                await process.take(request)
            case "expire":
                self.clock.move(LAPSES)
                await process.lapse()
            case "offer":
                await process.offer()
            case "renew":
                await process.renew()
            case "end":
                await self.end_a_course(step.who)
            case "seats":
                await self.list_therapist(name, seats_offered=step.which)
            case "registration":
                held = None if step.which % 2 else a_therapist(name).registration
                await self.list_therapist(name, registration=held)
            case "remove":
                async with self.database.transaction() as tx:
                    await store.remove_therapist(tx, id_of(name))
            case _ if self.asked:
                await self._act(step, self.asked[step.who % len(self.asked)], process)

    async def _act(self, step: Step, request: RequestSubmitted, process: Apart) -> None:
        """A person acts on a request; not always on its newest proposal."""
        if not await self._heard_of(request):
            return
        match step.kind:
            case "decline":
                await process.take(a_decline(request))
            case "withdraw":
                await process.take(a_withdrawal(request))
            case "give_up":
                # One word of it reaches both.
                said = a_withdrawal(request)
                await asyncio.gather(*(each.take(said) for each in self.processes))
        proposals = await self.database.pool.fetch(
            "SELECT id FROM proposals WHERE request_id = $1 ORDER BY proposed_at, id",
            request.request_id,
        )
        if not proposals:
            return
        seen = proposals[0 if step.which == 3 else -1]
        proposal = a_proposal(request, proposal_id=seen["id"])
        match step.kind:
            case "confirm" | "choose":
                async with self.database.transaction() as tx:
                    shown = await open_shortlist(tx, proposal.proposal_id)
                assert shown is not None
                place = step.which % len(shown.candidates) if step.kind == "choose" else 0
                decision = a_confirmation(proposal, therapist_id=shown.candidates[place].therapist_id)
                self.decided.add(decision.decision_id)
                await process.take(decision)
            case "rematch":
                await process.take(a_rematch(proposal, *NAMES[: step.which % 2]))

    async def _heard_of(self, request: RequestSubmitted) -> bool:
        found = await self.database.pool.fetchval("SELECT 1 FROM requests WHERE id = $1", request.request_id)
        return found is not None

    async def end_a_course(self, who: int) -> None:
        """Two operators say of one who has a seat that their course has ended."""
        seats = await self.database.pool.fetch(
            "SELECT request_id FROM seats WHERE freed_at IS NULL ORDER BY id"
        )
        if seats:
            request_id = seats[who % len(seats)]["request_id"]
            ended = await asyncio.gather(*(end_course(self.database, request_id) for _ in range(2)))
            self.courses_ended += sum(ended)

    async def free_a_seat(self) -> None:
        """Somebody who has a seat, or was offered one, withdraws."""
        held = await self.database.pool.fetchval(
            """
            SELECT r.id FROM requests r
            WHERE r.state = 'proposed'
                OR EXISTS (SELECT FROM seats s WHERE s.request_id = r.id AND s.freed_at IS NULL)
            ORDER BY r.state DESC, r.id LIMIT 1
            """
        )
        if held is not None:
            await self.processes[0].take(a_withdrawal(a_request(request_id=held)))

    async def come_to_rest(self) -> None:
        """The passes go on until they find nothing more to do."""
        for _ in range(MOST_LOOKS):
            done = [await self.processes[0].lapse(), await self.processes[1].renew()]
            done += [await each.offer() for each in self.processes]
            if not any(done):
                return
        raise AssertionError("the passes never come to rest")


@given(st.lists(AT_ONCE, min_size=3, max_size=6))
@ANY_ORDER
async def test_seats_and_requests_are_conserved_under_any_interleaving(
    database: Database, both_apart: tuple[Apart, Apart], clock: MovableClock, rounds: list[list[Step]]
) -> None:
    await emptied(database)
    for each in both_apart:
        await each.begin()
    world = World(database, both_apart, clock)
    began = clock.now()
    try:
        await world.list_therapist("ada", seats_offered=1)
        await world.list_therapist("ben", seats_offered=2)

        for at_once in rounds:
            await asyncio.gather(*(world.do(step) for step in (Step("ask", 0, 0, 0), *at_once)))
            await assert_conserved(world)
        await world.come_to_rest()
        await assert_nobody_waits_beside_a_free_seat(world)
        await asyncio.gather(world.free_a_seat(), world.end_a_course(0))
        await world.come_to_rest()

        await assert_conserved(world)
        await assert_nobody_waits_beside_a_free_seat(world)
    finally:
        # Registrations run out: what is left of their time is no example's to use up.
        clock.move(began - clock.now())


async def assert_conserved(world: World) -> None:
    """Every seat is free or somebody's, everybody is in one state, and what was said last is so."""
    async with world.database.transaction() as tx:
        therapists = await tx.fetch(
            """
            SELECT id, seats_taken, seats_free, seats_offered,
                   (SELECT count(*) FROM seats s WHERE s.therapist_id = t.id AND s.freed_at IS NULL) AS held
            FROM therapists t
            """
        )
        requests = await tx.fetch(
            """
            SELECT r.id, r.state, r.proposal_id, p.request_id AS proposed_to,
                   w.request_id IS NOT NULL AS on_the_list, w.shortfall,
                   ARRAY(SELECT s.id FROM seats s WHERE s.request_id = r.id AND s.freed_at IS NULL) AS seats,
                   ARRAY(SELECT s.id FROM seats s WHERE s.request_id = r.id AND s.freed_because = $1) AS ended
            FROM requests r
            LEFT JOIN proposals p ON p.id = r.proposal_id LEFT JOIN waiting_list w ON w.request_id = r.id
            """,
            store.COURSE_ENDED,
        )
        rows = await tx.fetch(
            "SELECT key, payload, header_names, header_values FROM outbox WHERE stream = $1 ORDER BY id",
            STREAM,
        )

    names = {id_of(name): name for name in NAMES}
    for each in therapists:
        assert each["seats_taken"] == each["held"] <= world.most_offered[names[each["id"]]]
        assert each["seats_free"] == max(0, each["seats_offered"] - each["seats_taken"])

    answers, last = said(rows)
    assert set(answers) == world.decided, "every decision is answered"
    assert all(len(answer) == 1 for answer in answers.values()), "and once"
    assert {each["id"] for each in requests} == {each.request_id for each in world.asked}
    assert sum(len(each["ended"]) for each in requests) == world.courses_ended, "none is ended twice"
    event(f"courses ended: {min(world.courses_ended, 2)}")
    for each in requests:
        event(f"a request is {each['state']}")
        name, ids = last.get(str(each["id"]), ("nothing yet", {}))
        assert each["on_the_list"] == (each["state"] == "waiting")
        assert each["state"] == "seated" or each["seats"] == []
        if each["state"] == "proposed":
            assert each["proposed_to"] == each["id"]
            assert (name, ids["proposal_id"]) == ("match-proposed", str(each["proposal_id"]))
        elif each["state"] == "seated":
            assert name == "seat-reserved"
            # Whose course has ended heard nothing of it, and is as they were but for the seat.
            reserved = UUID(ids["seat_id"])
            assert each["seats"] == [reserved] or (each["seats"] == [] and reserved in each["ended"])
        elif each["state"] == "waiting" and each["shortfall"] is not None:
            # Whoever is back on the list, or came while others waited, hears with the next pass.
            assert name == "match-not-found"


Answers = dict[DecisionId, list[str]]
Last = dict[str, tuple[str, dict[str, Any]]]


def said(rows: list[asyncpg.Record]) -> tuple[Answers, Last]:
    """How each decision was answered, and what was said last of how each request stands."""
    answers: Answers = defaultdict(list)
    last: Last = {}
    for row in rows:
        headers = dict(zip(row["header_names"], row["header_values"], strict=True))
        name, ids = headers[b"ce_type"].decode().split(".")[2], json.loads(row["payload"])
        if name in {"seat-reserved", "seat-unavailable"}:
            answers[DecisionId(UUID(ids["decision_id"]))].append(name)
        # Whose therapist has left keeps the seat until staff decide.
        if name not in {"seat-unavailable", "therapist-gone"}:
            last[row["key"].decode()] = (name, ids)
    return answers, last


async def assert_nobody_waits_beside_a_free_seat(world: World) -> None:
    """Once all is quiet: every seat that somebody who waits could have is taken, or spoken for."""
    async with world.database.transaction() as tx:
        waiting = await tx.fetch(
            """
            SELECT w.shortfall, ARRAY(SELECT therapist_id FROM exclusions e WHERE e.request_id = w.request_id)
                   AS excluded
            FROM waiting_list w
            """
        )
        free = await tx.fetch(
            """
            SELECT t.id, t.seats_free - (
                SELECT count(*) FROM requests r JOIN proposals p ON p.id = r.proposal_id
                WHERE r.state = 'proposed' AND p.first_therapist_id = t.id
            ) AS left_over
            FROM therapists t JOIN registrations g ON g.therapist_id = t.id WHERE t.confirmed_on >= $1
            """,
            world.clock.now().date() - timedelta(days=RULES.policy.fresh_days),
        )
    assert all(each["shortfall"] is not None for each in waiting), "nobody is left without word"
    for each in waiting:
        assert [one["id"] for one in free if one["left_over"] > 0 and one["id"] not in each["excluded"]] == []
