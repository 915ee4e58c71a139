"""What notify's tests stand on: a mail server, a prefix and databases of their own for each test."""

from collections.abc import AsyncIterator

import pytest

from services.notify.app import TEMPLATES
from services.notify.domain.wording import Letters
from services.notify.handlers.writing import Desk
from services.notify.settings import Settings
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.testing import service_database
from tests.notify.builders import NOON, Office
from tests.support.environment import CornerOf
from tests.support.mail_server import MailServer


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    """A mail server that fails when it is told to."""
    async with MailServer() as server:
        yield server


@pytest.fixture
async def settings(corner_of: CornerOf, mail_server: MailServer) -> Settings:
    """Notify's settings for one test; the clinical key is not among them."""
    return Settings(
        **await corner_of("notify"),
        smtp_url=mail_server.url,
        mail_from="hello@attune.example",
        clinic_name="Attune clinic",
        senders=1,
        send_poll_seconds=0.05,
        lease_seconds=1,
        smtp_offer_seconds=5,
        smtp_answer_seconds=5,
        first_pause_seconds=0.1,
    )


@pytest.fixture
def clock() -> MovableClock:
    """The clock of the handlers and senders of this test."""
    return MovableClock(NOON)


@pytest.fixture
async def database(settings: Settings, clock: MovableClock) -> AsyncIterator[Database]:
    """Notify's migrated database."""
    async with service_database("notify", settings, clock) as database:
        yield database


@pytest.fixture
def office(database: Database, settings: Settings, clock: MovableClock) -> Office:
    """Notify without Kafka: hears events, sends mail, and says what became of it."""
    return Office(
        database, settings, Desk(Letters.read(TEMPLATES, settings.clinic_name), settings.sender), clock
    )
