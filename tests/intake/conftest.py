"""What intake's tests stand on: a running intake on real Kafka and PostgreSQL, alone with its topics."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import httpx
import pytest
from starlette.applications import Starlette

from services.intake import store
from services.intake.app import build_app
from services.intake.settings import Settings
from shared.contract.event import Event
from shared.contract.intake import RequestSubmitted, SubmissionRejected
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.keyring import Keyring
from shared.kit.keyring.sealing import open_event
from shared.kit.testing import eventually, service_database
from tests.intake.builders import NOW
from tests.support.environment import CLINICAL_KEY, CornerOf
from tests.support.streams import Seen, Streams

STREAMS = (
    "intake.requests",
    "intake.rejections",
    "intake.submissions",
    "intake.dead-letters",
    "matching.proposals",
    "review.cases",
    "notify.messages",
)


@pytest.fixture
async def settings(corner_of: CornerOf) -> Settings:
    """Settings of an intake with databases of its own."""
    return Settings(
        **await corner_of("intake"),
        sealing_key_clinical=CLINICAL_KEY,
        database_pool_size=6,
        public_url="https://intake.example/",
    )


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """Intake's migrated database."""
    async with service_database("intake", settings, MovableClock(NOW)) as database:
        yield database


@pytest.fixture
async def keyring(settings: Settings, database: Database) -> AsyncIterator[Keyring]:
    """A second hand on the keyring."""
    async with await Keyring.open(settings) as keyring:
        yield keyring


@dataclass(frozen=True, slots=True)
class Intake:
    """A running intake, and hands to try its doors with."""

    app: Starlette
    http: httpx.AsyncClient
    database: Database
    streams: Streams
    keyring: Keyring

    async def partner(self, name: str, source: str | None = None) -> dict[str, str]:
        """Lets a partner in; returns the header to show."""
        async with self.database.transaction() as tx:
            key = await store.add_partner(tx, name, source or f"https://{name}.example")
        assert key is not None
        return {"authorization": f"Bearer {key}"}

    async def requests(self, number: int = 1) -> list[Seen]:
        """What intake has said about requests, once there is so much of it."""
        return await self._seen("intake.requests", number)

    async def rejections(self, number: int = 1) -> list[SubmissionRejected]:
        """What intake has answered partners, once there is so much of it."""
        seen = await self._seen("intake.rejections", number)
        return [SubmissionRejected.model_validate_json(each.value or b"") for each in seen]

    async def _seen(self, stream: str, number: int) -> list[Seen]:
        async def there() -> list[Seen]:
            seen = await self.streams.read(stream)
            assert len(seen) >= number, f"{len(seen)} of {number}"
            return seen

        return await eventually(there, within=40)

    async def opened(self, seen: Seen, kind: type[Event] = RequestSubmitted) -> Event:
        """An event off a topic, with its sealed fields opened."""
        return await open_event(kind, seen.document, self.keyring)


@pytest.fixture
async def intake(
    settings: Settings,
    database: Database,
    keyring: Keyring,
    create_topics: Callable[..., Awaitable[None]],
) -> AsyncIterator[Intake]:
    """Intake with its consumers and its relay at work; its clock stands still."""
    await create_topics(STREAMS)
    app = build_app(settings, MovableClock(NOW))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://intake.example") as http:
            streams = Streams(settings.kafka_url, settings.kafka_topic_prefix)
            yield Intake(app, http, database, streams, keyring)
