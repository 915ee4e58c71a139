"""A process of the operating system that matches, and hears what the test tells it."""

import asyncio
import json
import socket
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import count
from typing import Any

from services.matching.handlers import handlers
from services.matching.settings import Settings
from shared.contract.event import Event
from shared.kit.clock import MovableClock
from shared.kit.settings import load
from shared.kit.testing import service_database
from tests.matching.processes import Process
from tests.support.environment import environment

HEARD = {event.__name__: event for event in handlers.events}
MOST_BYTES = 2**20


class Apart:
    """What `Process` does, in an interpreter of its own."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, clock: MovableClock
    ) -> None:
        self._reader, self._writer, self._clock = reader, writer, clock
        self._numbers = count()
        self._answers: dict[int, asyncio.Future[Any]] = {}

    async def begin(self) -> None:
        """Forgets what it knew of the directory."""
        await self._ask("begin")

    async def take(self, event: Event) -> None:
        """Hears an event and leaves in the outbox what is said of it."""
        await self._ask("take", type(event).__name__, event.model_dump_json())

    async def lapse(self) -> int:
        return int(await self._ask("lapse"))

    async def renew(self) -> int:
        return int(await self._ask("renew"))

    async def offer(self) -> int:
        return int(await self._ask("offer"))

    async def listen(self) -> None:
        """Hands the answers to those who asked, until the process has gone."""
        while line := await self._reader.readline():
            number, fault, answer = json.loads(line)
            if fault is None:
                self._answers.pop(number).set_result(answer)
            else:
                self._answers.pop(number).set_exception(AssertionError(f"in a process apart:\n{fault}"))
        for each in self._answers.values():
            each.set_exception(AssertionError("the process has gone"))

    async def _ask(self, *what: str) -> Any:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        # It is as late there as here.
        self._writer.write(json.dumps([number, self._clock.now().isoformat(), *what]).encode() + b"\n")
        return await answer


@asynccontextmanager
async def apart(settings: Settings, clock: MovableClock) -> AsyncIterator[Apart]:
    """One that runs until the block ends."""
    ours, theirs = socket.socketpair()
    with theirs:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.matching.apart", str(theirs.fileno())),
            env=environment(settings),
            pass_fds=[theirs.fileno()],
            stdout=asyncio.subprocess.DEVNULL,
        )
    reader, writer = await asyncio.open_connection(sock=ours, limit=MOST_BYTES)
    process = Apart(reader, writer, clock)
    async with asyncio.TaskGroup() as group:
        group.create_task(process.listen())
        try:
            await process.begin()
            yield process
        finally:
            writer.write_eof()
            await child.wait()


async def main(number: int) -> None:
    """Does what it is told until nobody is left to tell it."""
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=number), limit=MOST_BYTES)
    clock = MovableClock(datetime.fromisoformat("2026-01-01T00:00:00+00:00"))
    async with service_database("matching", load(Settings), clock) as database, asyncio.TaskGroup() as group:
        process = Process(database)

        async def do(number: int, what: str, *which: str) -> None:
            nonlocal process
            fault, answer = None, None
            try:
                match what:
                    case "begin":
                        process = Process(database)
                    case "take":
                        name, written = which
                        await process.take(HEARD[name].model_validate_json(written))
                    case _:
                        answer = await getattr(process, what)()
            except Exception:
                fault = traceback.format_exc()
            writer.write(json.dumps([number, fault, answer]).encode() + b"\n")

        while line := await reader.readline():
            number, now, *what = json.loads(line)
            clock.move(datetime.fromisoformat(now) - clock.now())
            group.create_task(do(number, *what))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
