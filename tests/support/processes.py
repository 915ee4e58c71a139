"""Real processes for fault tests: started, frozen, killed and never left behind."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
_PR_SET_PDEATHSIG = 1


class Process:
    """One running program and all it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._lines: list[str] = []
        self._reading = asyncio.create_task(self._read())

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return "".join(self._lines)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    @property
    def frozen(self) -> bool:
        """Whether it has been stopped and not continued."""
        return psutil.Process(self.pid).status() == psutil.STATUS_STOPPED

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Sends a signal, such as SIGSTOP."""
        self._process.send_signal(number)

    async def ended(self, within: float = 60) -> int:
        """Waits for its end; returns the exit code, negative for a signal."""
        async with asyncio.timeout(within):
            code = await self._process.wait()
            await self._reading
        return code

    async def kill(self) -> None:
        """Ends it as a power cut would."""
        if self.running:
            self._process.kill()
        await self.ended()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._lines.append(line.decode("utf-8", "replace"))


@asynccontextmanager
async def running(*arguments: str, environment: Mapping[str, str]) -> AsyncIterator[Process]:
    """Runs `python <arguments>` from the root of the project; kills it at the end if it still runs."""
    process = Process(
        await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=1024 * 1024,
            preexec_fn=_die_with_parent,
        )
    )
    try:
        yield process
    finally:
        if process.running:
            process.send(signal.SIGCONT)
        await process.kill()


def _die_with_parent() -> None:
    # Nothing that a test started may outlive it, even if the test run itself is killed.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
