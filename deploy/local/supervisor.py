"""Starts every part in order, restarts what dies, and stops them in reverse order when told to."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Coroutine
from pathlib import Path

import psutil
from rich.console import Console

from deploy.local import parts, postgres, processes, services
from deploy.local.faults import StackFault
from deploy.local.parts import Child
from deploy.local.state import SERVICES, Part, State, Status
from shared.kit import migrating, topics
from shared.kit.errors import Fatal

TOPICS = Path(__file__).parents[1] / "kafka" / "topics.yaml"
UP_SECONDS = 90.0
TRIES = 5
STOP_SECONDS = 90.0
"""More than a service gives itself to finish what is in hand."""

LONGEST_BACKOFF = 30.0
STEADY_SECONDS = 60.0
ASK_SECONDS = 3.0
SILENT_SECONDS = 5.0


class Supervisor:
    """Runs one stack, in the foreground, until SIGTERM."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._status = Status()
        self._stopping = asyncio.Event()
        self._console = Console(file=sys.stdout)
        self._children: list[Child] = []
        self._ports: list[socket.socket] = []

    async def run(self) -> int:
        """Exit code 0 if it was asked to stop, 1 if it could not start."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        with self._state.claimed():
            try:
                self._ports = await asyncio.to_thread(self._take_over)
                if await self._unless_stopped(self._rise()):
                    self._say_phase("up")
                    await self._watch()
            except Exception as fault:  # whatever it was, whoever waits for the stack is told
                text = fault.stderr if isinstance(fault, subprocess.CalledProcessError) else str(fault)
                self._status.fault = f"{type(fault).__name__}: {(text or '').strip()}"
                if isinstance(fault, StackFault | Fatal):
                    self._status.fault = str(fault)
                self._say_phase("failed")
                return 1
            finally:
                await self._fall()
            self._say_phase("down")
        return 0

    def _take_over(self) -> list[socket.socket]:
        """Waits for what is left of a run that was killed, as it holds ports and data; chooses the ports."""
        left = self._state.left_behind()
        if left:
            self._tell("what was left of the last run", "ending")
            for each in psutil.wait_procs(left, timeout=STOP_SECONDS)[1]:
                each.kill()
            self._tell("what was left of the last run", "done")
        return self._state.choose_ports()

    async def _unless_stopped(self, work: Coroutine[object, object, None]) -> bool:
        """Does the work to its end, or as far as it came when this process was told to stop."""
        working, stopping = asyncio.create_task(work), asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                return False
            working.result()
            return True
        finally:
            working.cancel()
            stopping.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)

    # --- up ------------------------------------------------------------------------------------------

    async def _rise(self) -> None:
        self._tell("postgres", "preparing")
        self._tell("kafka", "preparing")
        await _together(
            self._rise_postgres(),
            self._rise_kafka(),
            self._bring_up(parts.mailbox(self._state)),
            # Takes some seconds the first time; what is compiled is kept.
            self._step(
                "ranking engine", asyncio.to_thread(services.command, self._state, "matching", "compile")
            ),
        )
        await self._prepare()
        # Before the services run, so that they find everything in its place.
        await self._step("directory, staff and partner", asyncio.to_thread(services.furnish, self._state))
        await _together(*(self._bring_up(parts.service(self._state, name)) for name in SERVICES))

    async def _rise_postgres(self) -> None:
        await self._bring_up(await parts.database(self._state))

    async def _rise_kafka(self) -> None:
        await self._bring_up(await parts.broker(self._state, self._console))

    async def _prepare(self) -> None:
        state = self._state
        passwords = {
            name.upper(): secret for name, secret in state.secrets.items() if name.endswith("_db_password")
        }
        await self._step(
            "databases and roles",
            asyncio.to_thread(
                postgres.lay_out, state.ports["postgres"], state.secrets["postgres_password"], passwords
            ),
        )
        await self._step("topics", topics.apply(parts.cluster(self._state), topics.read(TOPICS)))
        await self._step("migrations", self._migrate())

    async def _migrate(self) -> None:
        await migrating.migrate(services.keyring_url(self._state), migrating.of_keyring())
        await asyncio.gather(
            *(
                migrating.migrate(services.database_url(self._state, name), migrating.of_service(name))
                for name in SERVICES
            )
        )

    async def _step(self, name: str, work: Awaitable[object]) -> None:
        self._tell(name, "working")
        await work
        self._tell(name, "done")

    async def _bring_up(self, child: Child) -> None:
        """Starts a part and waits until it answers; one that ends at once is tried again for a while."""
        self._children.append(child)
        give_up = time.monotonic() + UP_SECONDS
        tries = 1
        self._start(child)
        # One that answers although it has ended is not ours.
        while not (await child.answers() and child.process and child.process.poll() is None):
            if time.monotonic() > give_up:
                raise StackFault(f"{child.name} does not answer after {UP_SECONDS:g} s; {self._see(child)}")
            if child.process is not None and child.process.poll() is not None:
                if tries == TRIES:
                    raise StackFault(f"{child.name} ended {TRIES} times while starting; {self._see(child)}")
                tries += 1
                self._tell(child.name, "starting again", child)
                await asyncio.sleep(1)
                self._start(child)
            await asyncio.sleep(0.1)
        self._tell(child.name, "up", child)

    def _start(self, child: Child) -> None:
        self._tell(child.name, "starting", child)
        child.process = child.start()
        child.started = time.monotonic()
        self._state.note_parts(each.process.pid for each in self._children if each.process is not None)

    # --- while it runs -------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while not self._stopping.is_set():
            # At once: one that hangs must not keep the others from being looked after.
            await asyncio.gather(*(self._look_after(child) for child in self._children))
            try:
                async with asyncio.timeout(0.5):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is not None and child.process.poll() is not None:
            code, child.process = child.process.returncode, None
            child.backoff = 1.0 if now - child.started > STEADY_SECONDS else child.backoff
            child.retry_at = now + child.backoff
            child.backoff = min(LONGEST_BACKOFF, child.backoff * 2)
            self._tell(child.name, f"ended with {code}, starts again soon; {self._see(child)}", child)
        elif child.process is None and now >= child.retry_at:
            child.restarts += 1
            self._start(child)
        elif now >= child.ask_at:
            await self._ask(child)

    async def _ask(self, child: Child) -> None:
        state = self._status.parts[child.name].state
        if await child.answers():
            child.silent_since = None
            if state != "up":
                self._tell(child.name, "up", child)
        elif state == "up":
            # A moment of silence is no news: a full machine makes anybody slow.
            child.silent_since = child.silent_since or time.monotonic()
            if time.monotonic() - child.silent_since > SILENT_SECONDS:
                self._tell(child.name, f"does not answer; {self._see(child)}", child)
        child.ask_at = time.monotonic() + (ASK_SECONDS if state == "up" else 0)

    # --- down ----------------------------------------------------------------------------------------

    async def _fall(self) -> None:
        if self._status.phase != "failed":
            self._say_phase("stopping")
        own = [child for child in self._children if child.name in SERVICES]
        rest = [child for child in reversed(self._children) if child.name not in SERVICES]
        await asyncio.gather(*(self._stop(child) for child in own))
        await asyncio.gather(*(self._stop(child) for child in rest))

    async def _stop(self, child: Child) -> None:
        if child.process is not None:
            await asyncio.to_thread(processes.stop, child.process, STOP_SECONDS, child.stop_signal)
            self._tell(child.name, "stopped")

    # --- what is told ---------------------------------------------------------------------------------

    def _see(self, child: Child) -> str:
        folder = self._state.folder
        log = {
            "kafka": folder / "kafka" / "kafka.log",
            "postgres": folder / "postgres" / "postgres.log",
        }.get(child.name, folder / "logs" / f"{child.name}.log")
        said = log.read_text("utf-8", "replace").split("\n") if log.exists() else []
        # What is indented belongs to a trace, whose head says more.
        last = next((line for line in reversed(said) if line and not line[0].isspace()), "")
        return f"see {log}" + (f", which ends with: {last.strip()[:300]}" if last else "")

    def _tell(self, part: str, state: str, child: Child | None = None) -> None:
        word, _, detail = state.partition(";")
        pid = child.process.pid if child is not None and child.process is not None else None
        restarts = child.restarts if child is not None else 0
        self._status.parts[part] = Part(word.strip(), detail.strip(), restarts, pid)
        self._state.report(self._status)

    def _say_phase(self, phase: str) -> None:
        self._status.phase = phase
        self._state.report(self._status)


async def _together(*parts: Coroutine[object, object, None]) -> None:
    """Does all of it at once; if one fails, the others are given up, so that nothing starts after the end."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part)
    except ExceptionGroup as faults:
        raise faults.exceptions[0] from None
