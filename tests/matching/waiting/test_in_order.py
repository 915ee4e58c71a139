"""Whatever happens, in whatever order: nobody is offered what somebody waits for who came before them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import HealthCheck, event, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from services.matching import store
from services.matching.domain.ordering import HELD_BACK
from services.matching.domain.therapist import Therapist
from shared.contract.ids import TherapistId
from shared.contract.intake import RequestSubmitted
from shared.contract.vocabulary import ProblemArea
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import RULES, a_therapist
from tests.matching.gathering import in_directory, in_outbox
from tests.matching.processes import Process, emptied
from tests.support.builders import (
    a_case,
    a_confirmation,
    a_proposal,
    a_rematch,
    a_request,
    a_withdrawal,
    id_of,
)

ENGLISH, WELSH, EITHER = ("en",), ("cy",), ("en", "cy")
SPEAKS = {"ada": ENGLISH, "ben": WELSH, "cem": EITHER}
# Who speaks both has the lower score, so that a price may change who comes first.
HELPS_WITH = {name: frozenset({ProblemArea.GRIEF} if name == "cem" else ProblemArea) for name in SPEAKS}
LAPSES = timedelta(days=RULES.policy.proposal_days)


class Ask(NamedTuple):
    """Somebody asks; maybe the list is passed over just before it is asked whether it comes first."""

    languages: Sequence[str]
    passed_at: int = 0
    """Which of the times that it is asked."""


class Decide(NamedTuple):
    """Staff decide on somebody's proposal, or the client withdraws."""

    how: str
    who: int


class Enter(NamedTuple):
    """A therapist comes, or offers more seats or fewer; or none, because the registration has gone."""

    name: str
    seats: int
    registered: bool = True


class Price(NamedTuple):
    """Seats are priced anew: in points, for each therapist in the order of their names."""

    points: tuple[int, ...]


class Work(NamedTuple):
    """One of the processes does one of its background works."""

    what: str
    process: int


Step = Ask | Decide | Enter | Price | Work

ASK = st.builds(Ask, st.sampled_from([ENGLISH, WELSH, EITHER]), st.integers(0, 2))
ENTER = st.builds(
    Enter,
    st.sampled_from(sorted(SPEAKS)),
    st.sampled_from([1, 1, 2, 0]),
    st.sampled_from([True, True, True, False]),
)
DECIDE = st.builds(Decide, st.sampled_from(["confirm", "rematch", "refused", "withdraw"]), st.integers(0, 5))
# From one that changes nothing to one that no score and no credit for waiting makes up for.
PRICE = st.builds(Price, st.tuples(*[st.sampled_from([0, 30, 300, 2000])] * len(SPEAKS)))
WORK = st.builds(Work, st.sampled_from(["offer", "offer", "renew", "lapse"]), st.integers(0, 1))


BEGINNING = (Enter("ada", 1), Ask(ENGLISH), Decide("confirm", 0), Ask(ENGLISH), Enter("ben", 1))
"""The only one who speaks English has no seat left, and somebody waits for one."""

ENDING = (Enter("ada", 4), Enter("cem", 2), Work("offer", 0))
"""Whoever waits by then is offered one of two, and prices decide whom first."""


class Proposal(NamedTuple):
    """An open one: whose, and whom it names first."""

    id: UUID
    request_id: UUID
    first: UUID


@dataclass(slots=True)
class Clinic:
    """Two processes, who asked in what order, and who can be found."""

    processes: tuple[Process, Process]
    clock: MovableClock
    asked: list[RequestSubmitted] = field(default_factory=list)
    speak: dict[UUID, Sequence[str]] = field(default_factory=dict)
    directory: dict[str, Therapist] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.processes[0].database

    async def do(self, step: Step) -> None:
        self.clock.move(timedelta(minutes=1))
        match step:
            case Ask():
                await self._ask(step)
            case Decide() if self.asked:
                await self._decide(step.how, self.asked[step.who % len(self.asked)])
            case Enter():
                entry = a_therapist(
                    step.name, languages=frozenset(SPEAKS[step.name]), problem_areas=HELPS_WITH[step.name]
                )
                registration = entry.registration if step.registered else None
                self.directory[step.name] = replace(
                    entry, seats_offered=step.seats, registration=registration
                )
                await self._confirm_entries()
            case Price():
                ids = [TherapistId(id_of(name)) for name in sorted(SPEAKS)]
                points = dict(zip(ids, step.points, strict=True))
                async with self.database.transaction() as tx:
                    await store.add_prices(tx, RULES.policy.version, points)
            case Work("offer"):
                await self.processes[step.process].offer()
            case Work("renew"):
                await self.processes[step.process].renew()
            case Work("lapse"):
                self.clock.move(LAPSES)
                await self.processes[step.process].lapse()
                await self._confirm_entries()

    async def _ask(self, step: Ask) -> None:
        name = f"request {len(self.asked)}"
        request = a_request(
            request_id=id_of(name), subject_id=id_of(name), details=a_case(languages=step.languages)
        )
        self.asked.append(request)
        self.speak[request.request_id] = step.languages
        with passed_over(self.processes[1], step.passed_at):
            await self.processes[0].take(request)

    async def _decide(self, how: str, request: RequestSubmitted) -> None:
        process = self.processes[0]
        seen = await self.database.pool.fetchrow(
            "SELECT id, first_therapist_id AS first FROM proposals WHERE request_id = $1"
            " ORDER BY proposed_at DESC LIMIT 1",
            request.request_id,
        )
        if how == "withdraw":
            await process.take(a_withdrawal(request))
        if how == "withdraw" or seen is None:
            return
        proposal = a_proposal(request, proposal_id=seen["id"])
        first = next(name for name in SPEAKS if id_of(name) == seen["first"])
        if how == "rematch":
            await process.take(a_rematch(proposal, first))
            return
        if how == "refused":
            self.directory[first] = replace(self.directory[first], seats_offered=0)
            await self._confirm_entries()
        await process.take(a_confirmation(proposal, first))

    async def _confirm_entries(self) -> None:
        today = self.clock.now().date()
        entries = [replace(each, confirmed_on=today) for each in self.directory.values()]
        await in_directory(self.database, *entries)

    async def open_proposals(self) -> list[Proposal]:
        rows = await self.database.pool.fetch(
            "SELECT p.id, r.id, p.first_therapist_id FROM requests r JOIN proposals p ON p.id = r.proposal_id"
            " WHERE r.state = 'proposed'"
        )
        return [Proposal(*row) for row in rows]

    async def waiting(self) -> list[UUID]:
        rows = await self.database.pool.fetch("SELECT id FROM requests WHERE state = 'waiting'")
        return [row["id"] for row in rows]

    async def free(self) -> dict[UUID, int]:
        rows = await self.database.pool.fetch("SELECT id, seats_free FROM therapists")
        return {row["id"]: row["seats_free"] for row in rows}

    async def could_take(self, request_id: UUID, therapist_id: UUID) -> bool:
        """Whether somebody could be proposed a therapist, seats aside."""
        therapist = next(each for each in self.directory.values() if each.id == therapist_id)
        excluded = await self.database.pool.fetchval(
            "SELECT count(*) FROM exclusions WHERE request_id = $1 AND therapist_id = $2",
            request_id,
            therapist_id,
        )
        return not excluded and not therapist.languages.isdisjoint(self.speak[request_id])

    async def held_back(self, proposal: Proposal) -> bool:
        """Whether somebody is on a list below a lower score, because of a price."""
        sealed = await self.database.pool.fetchval(
            "SELECT shortlist FROM proposals WHERE id = $1", proposal.id
        )
        async with self.database.transaction() as tx:
            plain = await tx.open(sealed)
        return plain is not None and HELD_BACK.code.encode() in plain

    async def had_to_wait(self) -> set[str]:
        """Who was told that nobody was found, or was proposed somebody else before."""
        said = Counter(await in_outbox(self.database))
        again = {key for (key, name), times in said.items() if name == "match-proposed" and times > 1}
        return again | {key for key, name in said if name == "match-not-found"}

    def place(self, request_id: UUID) -> int:
        """The place in the queue, from the first on."""
        return [each.request_id for each in self.asked].index(request_id)  # type: ignore[arg-type]


@contextmanager
def passed_over(process: Process, at: int) -> Iterator[None]:
    """Another process passes over the list in between."""
    comes_first, left = store.list_comes_first, at

    async def asked(*args: Any) -> bool:
        nonlocal left
        left -= 1
        if left == 0:
            await process.offer()
        return await comes_first(*args)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store, "list_comes_first", asked)
        yield


@given(st.lists(ASK | ASK | ENTER | DECIDE | PRICE | WORK, min_size=8, max_size=20), PRICE)
@examples(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_nobody_is_offered_what_somebody_waits_for_who_came_before_them(
    databases: tuple[Database, Database], clock: MovableClock, steps: list[Step], priced: Price
) -> None:
    await emptied(databases[0])
    began = clock.now()
    clinic = Clinic((Process(databases[0]), Process(databases[1])), clock)
    try:
        before: list[Proposal] = []
        for step in [*BEGINNING, *steps, priced, *ENDING]:
            await clinic.do(step)
            now = await clinic.open_proposals()
            await assert_in_order(clinic, set(now) - set(before), alone=isinstance(step, Work))
            before = now
    finally:
        clock.move(began - clock.now())


async def assert_in_order(clinic: Clinic, new: set[Proposal], *, alone: bool) -> None:
    """What was just proposed is nobody else's, and is not what somebody waits for who came earlier."""
    waiting, free, waited = await clinic.waiting(), await clinic.free(), await clinic.had_to_wait()
    proposals = await clinic.open_proposals()
    for each in sorted(new, key=lambda one: clinic.place(one.request_id)):
        event("somebody was proposed somebody" + " while others waited" * bool(waiting))
        if await clinic.held_back(each):
            event("somebody was proposed whom a price put first")
        for other in waiting:
            if clinic.place(other) < clinic.place(each.request_id):
                event("somebody was proposed somebody while others waited who came earlier")
                assert not await clinic.could_take(other, each.first), "somebody was passed over"
        shown = [one for one in proposals if one.first == each.first and one != each]
        # While nobody waits, two newcomers may be shown the same seat, and the first decision gets it.
        theirs = [one for one in shown if alone or waiting or str(one.request_id) in waited]
        assert len(theirs) < free[each.first], "a seat was offered twice"
