"""The demo from beginning to end; every step says what it does, and what is missing at the end is named."""

import asyncio
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from deploy.local import locks, running
from deploy.local.demo import gathering, letters, measuring, showing
from deploy.local.demo.doors import Doors, Submitted
from deploy.local.demo.people import Cast, cast
from deploy.local.demo.staff import Staff
from deploy.local.demo.story import MAILS, Story
from deploy.local.demo.watching import Listener, Said
from deploy.local.faults import StackFault
from deploy.local.state import SERVICES, STAFF_EMAIL, State
from deploy.local.supervisor import TOPICS
from shared.contract.submission import STREAM
from shared.kit import topics

PATIENCE = 45.0
SERVICES_MB = 450
_TAKEN = "a demo is running in {}; end it first, or name another folder with --state"


def play(folder: Path, console: Console, *, keep: bool = False) -> bool:
    """Brings up a stack of the demo's own, plays, and takes the stack away; True if nothing was missing."""
    begun = time.monotonic()
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with locks.held(folder.with_name(f"{folder.name}.lock"), wait=False):
            _clear(folder)
            return _play(folder, console, begun, keep=keep)
    except locks.Held:
        raise StackFault(_TAKEN.format(folder)) from None


def _play(folder: Path, console: Console, begun: float, *, keep: bool) -> bool:
    # However the demo is ended, its stack goes with it.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        showing.heading(console, "Kafka, PostgreSQL, a mail server and four services come up")
        state = running.up(folder, console, own=True)
        missing = asyncio.run(Demo(state, console).run())
        keep = keep or bool(missing)
        for each in missing:
            console.print(f"[red]missing[/red] {escape(each)}")
        seconds = f"after {time.monotonic() - begun:.0f} s"
        console.print(
            f"\nNot everything is there, {seconds}." if missing else f"\nEverything is there, {seconds}."
        )
    except StackFault:
        # It names logs, which are to be found.
        keep = True
        raise
    finally:
        running.down(folder, console)
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    if keep:
        console.print(f"Its data, mails and logs are in {folder}.", soft_wrap=True)
        console.print(f"To look around: .venv/bin/python -m deploy.local up --state {folder}", soft_wrap=True)
    return not missing


def _clear(folder: Path) -> None:
    if not folder.exists():
        return
    if not (folder / "state.json").exists():
        raise StackFault(
            f"{folder} is no stack's folder, and the demo leaves it alone; name another with --state"
        )
    if State.load(folder).runner() is not None:
        raise StackFault(_TAKEN.format(folder))
    shutil.rmtree(folder)


def _leave(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _unexplained(shortlists: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Which parts of an explanation no shortlist had to show."""
    candidates = [candidate for each in shortlists for candidate in each["candidates"]]
    shown = {
        "reasons": any(each["reasons"] for each in candidates),
        "cautions": any(each["cautions"] for each in candidates),
        "what sets somebody behind": any(each["behind"] for each in candidates),
        "what would turn two round": any(each["rises"] for each in candidates),
        "what would change the order": any(each["concessions"] for each in shortlists),
        "the next best": any(each["next_best"] for each in shortlists),
    }
    for part, there in shown.items():
        if not there:
            yield f"no shortlist shows {part}"


class Demo:
    """One run against a stack that is up."""

    def __init__(self, state: State, console: Console) -> None:
        self._state = state
        self._console = console
        self._kafka = f"127.0.0.1:{state.ports['kafka']}"
        self._stories: list[Story] = []
        self._group: list[Story] = []
        self._rejected: Said | None = None

    async def run(self) -> list[str]:
        """Plays it through; returns what is missing, nothing if all went well."""
        people = cast(datetime.now(UTC).date())
        streams = [topic.stream for topic in topics.read(TOPICS) if topic.stream != STREAM]
        async with Listener(self._kafka, streams) as listener, Staff(self._address("review")) as staff:
            broken = await self._submit(people)
            await self._identify(listener)
            await self._answer_to(broken, listener)
            await self._decide(listener, staff)
            await self._gather(people, listener, staff)
            await self._wait_for_mails(listener)
            self._collect(listener)
            said = list(listener.said)
        self._report(people)
        return self._missing(said)

    # --- step by step --------------------------------------------------------------------------------

    async def _submit(self, people: Cast) -> Submitted:
        showing.heading(self._console, "Four requests through three doors, and a broken one")
        doors = self._doors()
        for number, asking in enumerate(people.requests, 1):
            self._stories.append(Story(number, await doors.submit(asking)))
            self._console.print(f"  {number}. {asking.title}: sent through {showing.DOORS[asking.door]}")
        broken = await doors.submit(people.broken)
        self._console.print(f"  {len(self._stories) + 1}. {people.broken.title}: sent through Kafka")
        return broken

    async def _identify(self, listener: Listener) -> None:
        """Over Kafka, nobody answers with an id: the request is known by what intake says of it."""
        for story in self._stories:
            if story.submitted.request_id is None:
                found = await listener.until(partial(_came_by, "kafka"), PATIENCE)
                if found is not None:
                    sent = story.submitted
                    story.submitted = Submitted(sent.asking, sent.at, found.request_id, sent.event_id)

    async def _answer_to(self, broken: Submitted, listener: Listener) -> None:
        showing.heading(self._console, "What the partner gets for the broken one, on intake.rejections")
        self._rejected = await listener.until(partial(_rejection_of, broken.event_id), PATIENCE)
        if self._rejected is not None:
            showing.rejection(self._console, self._rejected)

    async def _decide(self, listener: Listener, staff: Staff) -> None:
        showing.heading(self._console, "A person decides: shortlists and decisions through review's HTTP API")
        who = await staff.sign_in(STAFF_EMAIL, self._state.secrets["staff_password"])
        wanted = {story.submitted.request_id for story in self._stories}
        await listener.until(partial(_all_have, "match-proposed", wanted), PATIENCE)
        # A decision within a blink would hold the thanks back: they are untrue once somebody is matched.
        await listener.until(partial(_all_sent, MAILS[:1], wanted), PATIENCE)
        ready = await staff.find(wanted, "ready", PATIENCE)
        self._console.print(f"  {who} is signed in; {len(ready)} cases wait for a decision")
        for story in self._stories:
            if story.submitted.request_id not in ready:
                continue
            story.case = await staff.case(story.submitted.request_id)
            showing.case(self._console, story)
            story.decision = await staff.decide(story.submitted.asking, story.case)
            showing.decision(self._console, story, who)

    async def _gather(self, people: Cast, listener: Listener, staff: Staff) -> None:
        showing.heading(self._console, "A group: one after the other asks, and a person decides for each")
        self._group = await gathering.gather(
            people.group,
            self._doors(),
            listener,
            staff,
            first=len(self._stories) + 2,
            patience=PATIENCE,
            show=partial(showing.member, self._console),
        )

    async def _wait_for_mails(self, listener: Listener) -> None:
        with self._console.status("waiting for the mails"):
            everybody = (*self._stories, *self._group)
            wanted = {story.submitted.request_id for story in everybody if story.decision is not None}
            await listener.until(partial(_all_sent, MAILS, wanted), PATIENCE)

    def _collect(self, listener: Listener) -> None:
        delivered = letters.delivered(self._state.mails)
        said = [each for each in listener.said if not each.parked]
        for story in (*self._stories, *self._group):
            story.collect(said, delivered)

    # --- in the end ----------------------------------------------------------------------------------

    def _report(self, people: Cast) -> None:
        console, stories = self._console, self._stories
        showing.heading(console, "What happened, as an independent listener on Kafka heard it")
        # Of the group, the first stands for the others.
        for story in (*stories, *self._group[:1]):
            console.print()
            showing.timeline(console, story)
        found = next((mail for story in stories if (mail := story.letter("matched", "client"))), None)
        if found is not None:
            showing.heading(console, "One of the mails")
            showing.letter(console, found)
        showing.heading(console, "How long, and how much")
        showing.durations(console, measuring.durations(stories))
        self._memory = measuring.memory(self._state.status().parts)
        showing.memory(console, self._memory)
        showing.heading(console, "All submissions")
        showing.summary(console, stories, people.broken.title, self._rejected, self._group)

    def _missing(self, said: list[Said]) -> list[str]:
        everybody = (*self._stories, *self._group)
        missing = [
            f"{story.number}. {story.title}: {each}" for story in everybody for each in story.missing()
        ]
        missing += gathering.missing(self._group)
        missing += _unexplained([story.case["shortlist"] for story in self._stories if story.case])
        if self._rejected is None:
            missing.append("the broken submission was not answered on intake.rejections")
        accepted = sum(each.name == "request-submitted" and not each.parked for each in said)
        if accepted != len(everybody):
            missing.append(f"{accepted} requests were taken in, and {len(everybody)} were right")
        missing += [
            f"a {each.name} was parked in {each.stream}: {each.parked}" for each in said if each.parked
        ]
        counted = {each.part for each in self._memory if each.processes}
        missing += [f"{name} does not run any more" for name in SERVICES if name not in counted]
        if measuring.of_services(self._memory) > SERVICES_MB:
            missing.append(f"the four services hold more than {SERVICES_MB} MB")
        return missing

    def _doors(self) -> Doors:
        secrets = self._state.secrets
        return Doors(self._address("intake"), self._kafka, secrets["partner_key"], secrets["partner_source"])

    def _address(self, service: str) -> str:
        return f"http://127.0.0.1:{self._state.ports[service]}"


def _came_by(door: str, said: list[Said]) -> Said | None:
    return next(
        (each for each in said if each.name == "request-submitted" and each.body.get("door") == door), None
    )


def _rejection_of(event_id: str | None, said: list[Said]) -> Said | None:
    for each in said:
        if each.name == "submission-rejected" and each.body.get("submission_id") == event_id:
            return each
    return None


def _all_have(name: str, wanted: set[str | None], said: list[Said]) -> bool | None:
    return wanted <= {each.request_id for each in said if each.name == name} or None


def _all_sent(mails: Sequence[tuple[str, str]], wanted: set[str | None], said: list[Said]) -> bool | None:
    sent = {
        (each.request_id, each.body["kind"], each.body["recipient"])
        for each in said
        if each.name == "message-sent"
    }
    return all((request, *mail) in sent for request in wanted for mail in mails) or None
