"""The four services as real processes on a test's own corner of the stack, to be used, killed and started."""

import asyncio
import json
import secrets
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from deploy.local.processes import free_port
from shared.kit import migrating, topics
from shared.kit.kafka import Kafka
from shared.kit.testing import eventually
from tests.support.environment import CLINICAL_KEY, CONTACT_KEY
from tests.support.mail_server import MailServer
from tests.support.processes import ROOT, Process, running
from tests.support.stack import Stack
from tests.support.streams import Streams

SERVICES = ("intake", "matching", "review", "notify")
THERAPISTS = ROOT / "deploy" / "local" / "therapists.csv"
TOPICS = ROOT / "deploy" / "kafka" / "topics.yaml"
REVIEWER = "reviewer@attune.example"
UP_SECONDS = 90.0

Answer = dict[str, Any]


@dataclass(slots=True)
class System:
    """Attune, with real Kafka, PostgreSQL and SMTP around it."""

    stack: Stack
    prefix: str
    make_database: Callable[[str], Awaitable[str]]
    mail: MailServer
    therapists: Path = THERAPISTS
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in SERVICES})
    databases: dict[str, str] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    partner: Answer = field(default_factory=dict)
    _exits: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        try:
            await self._prepare()
            await self.start(*SERVICES)
        except BaseException:
            await self._exits.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exits.aclose()

    # --- processes -----------------------------------------------------------------------------------

    async def start(self, *names: str, **changes: str) -> None:
        """Starts services and waits until they are ready."""
        for name in names:
            self.processes[name] = await self._exits.enter_async_context(
                running("-m", f"services.{name}", "run", environment=self._environment(name) | changes)
            )
        await asyncio.gather(*(self._ready(name) for name in names))

    async def kill(self, *names: str) -> None:
        """Ends services as a power cut would, all at once."""
        for name in names:
            if self.processes[name].running:
                self.processes[name].send(signal.SIGKILL)
        await asyncio.gather(*(self.processes[name].ended() for name in names))

    async def command(self, service: str, *arguments: str) -> str:
        """Runs one of a service's commands; returns what it printed."""
        async with running(
            "-m", f"services.{service}", *arguments, environment=self._environment(service)
        ) as process:
            code = await process.ended(120)
        assert code == 0, process.output
        return process.output

    @property
    def output(self) -> str:
        """What the running services have logged."""
        return "".join(process.output for process in self.processes.values())

    @property
    def streams(self) -> Streams:
        """The topics, for hands that do not belong to Attune."""
        return Streams(self.stack.kafka_url, self.prefix)

    # --- doors ---------------------------------------------------------------------------------------

    def site(self, service: str) -> str:
        """Where a service's pages and API are."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def at_intake(self) -> httpx.AsyncClient:
        """The partner's client of intake's HTTP API."""
        return httpx.AsyncClient(
            base_url=self.site("intake"),
            headers={"authorization": f"Bearer {self.partner['key']}"},
            timeout=30,
        )

    async def at_review(self) -> httpx.AsyncClient:
        """A reviewer's signed-in client of review's HTTP API."""
        async with httpx.AsyncClient(base_url=self.site("review"), timeout=30) as client:
            answer = await client.post("/api/v1/session", json={"email": REVIEWER, "password": self.password})
        assert answer.status_code == httpx.codes.CREATED, answer.text
        token = answer.json()["token"]
        return httpx.AsyncClient(
            base_url=self.site("review"), headers={"authorization": f"Bearer {token}"}, timeout=30
        )

    async def case(
        self, review: httpx.AsyncClient, request_id: str, *states: str, within: float = 60
    ) -> Answer:
        """A case, once it is in one of the states."""

        async def there() -> Answer | None:
            answer = await review.get(f"/api/v1/cases/{request_id}")
            if answer.status_code == httpx.codes.NOT_FOUND:
                return None
            case: Answer = answer.json()
            return case if case["state"] in states else None

        found = await eventually(there, within, every=0.1, what=f"the case is {' or '.join(states)}")
        assert found is not None
        return found

    # --- how it is laid out --------------------------------------------------------------------------

    async def _prepare(self) -> None:
        await topics.apply(Kafka(tuple(self.stack.kafka_url.split(",")), self.prefix), self._topics())
        for name in ("keyring", *SERVICES):
            self.databases[name] = await self.make_database(name)
        await migrating.migrate(self.databases["keyring"], migrating.of_keyring())
        await asyncio.gather(
            *(migrating.migrate(self.databases[name], migrating.of_service(name)) for name in SERVICES)
        )
        _, _, told = await asyncio.gather(
            self.command("matching", "therapists", "import", str(self.therapists), "--json"),
            self._add_reviewer(),
            self.command("intake", "partners", "add", "northgate-practice", "--json"),
        )
        self.partner = json.loads(told)

    async def _add_reviewer(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.review", "accounts", "add", REVIEWER),
            *("--name", "Robin Adeyemi", "--role", "reviewer", "--password-stdin"),
            cwd=ROOT,
            env=self._environment("review"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate(f"{self.password}\n".encode())
        assert process.returncode == 0, output.decode()

    @staticmethod
    def _topics() -> list[topics.Topic]:
        # Fewer partitions: the order of one request is the same with three as with twelve.
        return [
            topics.Topic(topic.stream, min(3, topic.partitions), topic.replication, topic.config)
            for topic in topics.read(TOPICS)
        ]

    async def _ready(self, name: str) -> None:
        process = self.processes[name]

        async def ready() -> bool:
            assert process.running, process.output
            async with httpx.AsyncClient(timeout=5) as client:
                try:
                    return (await client.get(f"{self.site(name)}/ready")).status_code == httpx.codes.OK
                except httpx.TransportError:
                    return False

        await eventually(ready, UP_SECONDS, every=0.1, what=f"{name} is ready")

    def _environment(self, service: str) -> dict[str, str]:
        told = {
            "KAFKA_URL": self.stack.kafka_url,
            "KAFKA_TOPIC_PREFIX": self.prefix,
            "DATABASE_URL": self.databases[service],
            "KEYRING_URL": self.databases["keyring"],
            "SEALING_KEY_CONTACT": CONTACT_KEY,
            "SEALING_KEY_CLINICAL": CLINICAL_KEY,
            "HTTP_PORT": str(self.ports[service]),
            "DATABASE_POOL_SIZE": "6",
            "KAFKA_SESSION_SECONDS": "8",
        }
        if service == "notify":
            del told["SEALING_KEY_CLINICAL"]
        return told | {
            "intake": {"PUBLIC_URL": self.site("intake")},
            "matching": {},
            "review": {"PUBLIC_URL": self.site("review")},
            "notify": {
                "SMTP_URL": self.mail.url,
                "MAIL_FROM": "clinic@attune.example",
                "CLINIC_NAME": "Attune clinic",
            },
        }.get(service, {})
