"""It is noticed when what has become free is not offered to who waits."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from services.matching.handlers import watching
from services.matching.settings import Settings
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.service import Service
from tests.matching.builders import a_therapist
from tests.matching.gathering import in_directory
from tests.matching.processes import Process, a_service
from tests.support.builders import a_request


@pytest.fixture
def service(database: Database, settings: Settings) -> Service:
    return a_service(database, settings)


@pytest.fixture
def oldest(service: Service) -> watching.Oldest:
    return watching.Oldest(service.metrics)


def age(service: Service) -> float | None:
    return service.metrics.get_sample_value("attune_reoffers_oldest_seconds")


async def test_a_list_that_is_not_offered_in_time_is_told_until_it_is(
    database: Database, process: Process, clock: MovableClock, service: Service, oldest: watching.Oldest
) -> None:
    await process.hear(a_request())
    await process.offer()
    await watching.look(service, oldest)
    assert (age(service), service.troubles) == (0, {})

    await in_directory(database, a_therapist("ada"))
    clock.move(watching.OVERDUE - timedelta(seconds=1))
    await in_directory(database, a_therapist("ben"))
    await watching.look(service, oldest)
    assert (age(service), service.troubles) == (299, {})

    clock.move(timedelta(seconds=1))
    with capture_logs() as said:
        await watching.look(service, oldest)
        await watching.look(service, oldest)
    assert age(service) == 300
    assert service.troubles == {"waiting list": "has not been offered what became free for 5 min"}
    assert [each["event"] for each in said] == ["the waiting list is not offered what has become free"]

    await process.offer()
    await watching.look(service, oldest)
    assert (age(service), service.troubles) == (0, {})
