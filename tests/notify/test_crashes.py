"""A killed process loses no message and doubles none: at every step, with real processes, Kafka and SMTP."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from services.notify.domain.jobs import Status
from services.notify.settings import Settings
from shared.contract.notify import MessageSent, MessageUncertain
from shared.kit.clock import MovableClock
from shared.kit.testing import eventually
from tests.notify.builders import NOTIFY, STREAMS, Office, events_of, up
from tests.support.builders import a_contact, a_request
from tests.support.environment import environment
from tests.support.mail_server import MailServer
from tests.support.processes import running
from tests.support.streams import Streams

CreateTopics = Callable[..., Awaitable[None]]
KILLED = -9

NOTHING_OFFERED = [
    "notify.claim.before_commit",
    "notify.claim.after_commit",
    "notify.mark.before_commit",
]
MARKED_BUT_NO_DOT = ["notify.mark.after_commit", "notify.before_dot"]
TAKEN_BUT_NOT_WRITTEN_DOWN = ["notify.after_answer", "notify.before_record", "notify.record.before_commit"]


@pytest.fixture
def clock() -> MovableClock:
    """The time of the processes, too."""
    return MovableClock(datetime.now(UTC))


@pytest.fixture
async def topics(create_topics: CreateTopics) -> None:
    await create_topics(STREAMS, partitions=1)


async def hear_three(office: Office) -> None:
    for number in range(3):
        await office.hear(a_request(contact=a_contact(write_to_email=f"client{number}@example.com")))


async def killed_at(step: str, settings: Settings) -> None:
    async with running(
        *NOTIFY, "run", environment=environment(settings) | {"ATTUNE_FAILPOINT": step}
    ) as process:
        assert await process.ended() == KILLED


async def settled_by_another(office: Office, settings: Settings) -> list[Status]:
    """Runs the service until nothing is open, and until what it says of that is on Kafka."""

    async def all_settled() -> bool:
        return not {status for _, status in await office.statuses()} & {Status.PENDING, Status.SENDING}

    # Its consumers have to wait until Kafka has given up the killed one; sending does not.
    async with running(*NOTIFY, "run", environment=environment(settings)):
        await eventually(all_settled, within=30, what="every message was settled")
        await eventually(lambda: _outbox_empty(office), within=30, what="everything was said")
    return sorted(status for _, status in await office.statuses())


async def _outbox_empty(office: Office) -> bool:
    return not await office.database.pool.fetchval("SELECT count(id) FROM outbox")


async def said_by(settings: Settings) -> list[type]:
    seen = await Streams(settings.kafka_url, settings.kafka_topic_prefix).read("notify.messages")
    return sorted((type(event) for event in events_of(seen)), key=lambda kind: kind.__name__)


@pytest.mark.usefixtures("topics")
@pytest.mark.parametrize("step", NOTHING_OFFERED)
async def test_killed_before_the_dot_is_announced_every_message_goes_out_once(
    office: Office, settings: Settings, mail_server: MailServer, step: str
) -> None:
    await hear_three(office)

    await killed_at(step, settings)
    offered_before = list(mail_server.offered)
    statuses = await settled_by_another(office, settings)

    assert offered_before == []
    assert statuses == [Status.SENT] * 3
    assert sorted(mail_server.accepted.values()) == [1, 1, 1]
    assert await said_by(settings) == [MessageSent] * 3


@pytest.mark.usefixtures("topics")
@pytest.mark.parametrize("step", MARKED_BUT_NO_DOT)
async def test_killed_between_the_announcement_and_the_dot_one_message_is_uncertain_and_none_is_doubled(
    office: Office, settings: Settings, mail_server: MailServer, step: str
) -> None:
    await hear_three(office)

    await killed_at(step, settings)
    statuses = await settled_by_another(office, settings)

    assert statuses == [Status.SENT, Status.SENT, Status.UNCERTAIN]
    assert sorted(mail_server.accepted.values()) == [1, 1]
    assert await said_by(settings) == [MessageSent, MessageSent, MessageUncertain]


@pytest.mark.usefixtures("topics")
@pytest.mark.parametrize("step", ["notify.after_dot", *TAKEN_BUT_NOT_WRITTEN_DOWN])
async def test_killed_after_the_dot_one_message_is_uncertain_and_none_is_doubled(
    office: Office, settings: Settings, mail_server: MailServer, step: str
) -> None:
    await hear_three(office)

    await killed_at(step, settings)
    statuses = await settled_by_another(office, settings)

    assert statuses == [Status.SENT, Status.SENT, Status.UNCERTAIN]
    assert sorted(mail_server.accepted.values()) == [1, 1, 1]
    assert await said_by(settings) == [MessageSent, MessageSent, MessageUncertain]


@pytest.mark.usefixtures("topics")
async def test_killed_after_the_outcome_is_written_down_it_is_still_said(
    office: Office, settings: Settings, mail_server: MailServer
) -> None:
    await hear_three(office)

    await killed_at("notify.record.after_commit", settings)
    statuses = await settled_by_another(office, settings)

    assert statuses == [Status.SENT] * 3
    assert sorted(mail_server.accepted.values()) == [1, 1, 1]
    assert await said_by(settings) == [MessageSent] * 3


@pytest.mark.usefixtures("topics")
async def test_two_processes_of_which_one_is_killed_send_no_message_twice_and_lose_none(
    office: Office, settings: Settings, mail_server: MailServer
) -> None:
    busy = settings.model_copy(update={"senders": 3})
    dying = environment(busy) | {"ATTUNE_FAILPOINT": "notify.after_answer@5"}
    async with (
        running(*NOTIFY, "run", environment=dying) as first,
        running(*NOTIFY, "run", environment=environment(busy)) as second,
    ):
        await asyncio.gather(up(first), up(second))
        for number in range(40):
            await office.hear(a_request(contact=a_contact(write_to_email=f"client{number}@example.com")))

        async def all_settled() -> bool:
            statuses = {status for _, status in await office.statuses()}
            return not statuses & {Status.PENDING, Status.SENDING}

        code = await first.ended()
        await eventually(all_settled, within=40, what="every message was settled")

    statuses = [status for _, status in await office.statuses()]
    assert code == KILLED
    assert set(statuses) == {Status.SENT, Status.UNCERTAIN}
    # Killed with up to three mails in hand.
    assert 1 <= statuses.count(Status.UNCERTAIN) <= 3
    assert max(mail_server.accepted.values()) == 1
    assert len(mail_server.accepted) >= statuses.count(Status.SENT)
