"""The parts of a stack: how each is started, and how it is asked whether it works."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import asyncpg
import httpx
from rich.console import Console

from deploy.local import kafka, postgres, processes, services
from deploy.local.state import State
from shared.kit.kafka import Kafka

ANSWER_SECONDS = 5.0


@dataclass(slots=True)
class Child:
    """One part: how it is started, how it is asked, and how it does."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    answers: Callable[[], Awaitable[bool]]
    stop_signal: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    backoff: float = 1.0
    started: float = 0.0
    retry_at: float = 0.0
    ask_at: float = 0.0
    silent_since: float | None = None


def cluster(state: State) -> Kafka:
    """Where the stack's Kafka is."""
    return Kafka((f"127.0.0.1:{state.ports['kafka']}",))


async def database(state: State) -> Child:
    """PostgreSQL, its folder laid out."""
    folder, port = state.place("postgres"), state.ports["postgres"]
    password = state.secrets["postgres_password"]
    await asyncio.to_thread(postgres.prepare, folder, password)

    async def answers() -> bool:
        try:
            await (await asyncpg.connect(postgres.url(port, password), timeout=ANSWER_SECONDS)).close()
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        return True

    return Child("postgres", partial(postgres.start, folder, port=port), answers, signal.SIGINT)


async def broker(state: State, console: Console) -> Child:
    """Kafka, its folder laid out."""
    folder, ports = state.place("kafka"), state.ports
    command = await asyncio.to_thread(
        kafka.prepare, folder, port=ports["kafka"], controller_port=ports["controller"], console=console
    )
    return Child("kafka", partial(kafka.start, folder, command), cluster(state).reachable)


def mailbox(state: State) -> Child:
    """The mail server."""
    port = state.ports["smtp"]
    command = ["-m", "deploy.local", "mailbox", "--folder", str(state.mails), "--port", str(port)]

    def start() -> subprocess.Popen[bytes]:
        return processes.start(
            [sys.executable, *command], state.place("logs") / "mail.log", working_directory=services.ROOT
        )

    async def answers() -> bool:
        """Whether it greets: a connection alone is the system's doing, not the server's."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                greeting = await reader.readline()
                writer.close()
        except (OSError, TimeoutError):
            return False
        return greeting.startswith(b"220")

    return Child("mail", start, answers)


def service(state: State, name: str) -> Child:
    """One of the four services."""

    async def ready() -> bool:
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS) as client:
            try:
                answer = await client.get(f"http://127.0.0.1:{state.ports[name]}/ready")
            except httpx.HTTPError:
                return False
        return answer.status_code == httpx.codes.OK

    return Child(name, lambda: services.start(state, name), ready)
