"""A Kafka of a test's own, which it may take away: killed or frozen, and back on the same port."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum, auto
from pathlib import Path

from rich.console import Console

from deploy.local import kafka, processes
from shared.kit.kafka import Kafka
from shared.kit.testing import eventually


class Outage(StrEnum):
    """How a broker goes away."""

    KILLED = auto()
    FROZEN = auto()


@dataclass(slots=True)
class Broker:
    """One node, with its data in a folder."""

    folder: Path
    port: int
    command: list[str]
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"127.0.0.1:{self.port}"

    @asynccontextmanager
    async def away(self, outage: Outage) -> AsyncIterator[None]:
        """Takes it away for as long as the block lasts."""
        if outage is Outage.KILLED:
            await self.kill()
            yield
            self.process = kafka.start(self.folder, self.command)
        else:
            self.process.send_signal(signal.SIGSTOP)
            yield
            self.process.send_signal(signal.SIGCONT)
        await self.up()

    async def up(self) -> None:
        """Waits until it answers."""
        await eventually(Kafka((self.url,)).reachable, within=90, what="Kafka answered")

    async def kill(self) -> None:
        """Ends it as a power cut would."""
        self.process.kill()
        await asyncio.to_thread(self.process.wait)


@asynccontextmanager
async def own_broker(folder: Path) -> AsyncIterator[Broker]:
    """A broker that runs for as long as the block lasts."""
    port = processes.free_port()
    command = kafka.prepare(
        folder, port=port, controller_port=processes.free_port(), console=Console(quiet=True)
    )
    broker = Broker(folder, port, command, kafka.start(folder, command))
    try:
        await broker.up()
        yield broker
    finally:
        with suppress(ProcessLookupError):
            await broker.kill()
