"""The whole service as a process: from an event on Kafka to a mail, and to word of it on Kafka."""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import httpx
import pytest

from deploy.local.processes import free_port
from services.notify.settings import Settings
from shared.contract.notify import MessageSent
from shared.contract.vocabulary import MessageKind
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.keyring import Keyring
from shared.kit.settings import KitSettings
from shared.kit.testing import eventually
from tests.notify.builders import CLIENT, NOTIFY, STREAMS, THERAPIST, events_of, up
from tests.support.builders import (
    a_confirmation,
    a_contact,
    a_proposal,
    a_request,
    a_seat,
    a_withdrawal,
    nothing_found,
)
from tests.support.environment import CLINICAL_KEY, environment
from tests.support.mail_server import MailServer
from tests.support.processes import running
from tests.support.raw import raw
from tests.support.streams import Streams

CreateTopics = Callable[..., Awaitable[None]]


@pytest.fixture
def clock() -> MovableClock:
    """The time of the process, too."""
    return MovableClock(datetime.now(UTC))


@pytest.fixture
async def topics(create_topics: CreateTopics) -> None:
    await create_topics(STREAMS, partitions=2)


@pytest.fixture
async def keyring(settings: Settings, database: Database) -> AsyncIterator[Keyring]:
    """The keyring as the other services hold it: with the clinical key."""
    assert database is not None
    others = KitSettings.model_validate(
        settings.model_dump(include=set(KitSettings.model_fields)) | {"sealing_key_clinical": CLINICAL_KEY}
    )
    async with await Keyring.open(others) as keyring:
        yield keyring


@pytest.fixture
def streams(settings: Settings) -> Streams:
    """The topics of this test."""
    return Streams(settings.kafka_url, settings.kafka_topic_prefix)


@pytest.mark.usefixtures("topics")
async def test_a_submitted_request_on_kafka_becomes_a_mail_and_word_of_it_on_kafka(
    settings: Settings, keyring: Keyring, streams: Streams, mail_server: MailServer
) -> None:
    request = a_request()
    record = await raw(request, keyring)

    async with running(*NOTIFY, "run", environment=environment(settings)) as process:
        await up(process)
        await streams.send("intake.requests", [record, record])
        seen = await eventually(lambda: streams.read("notify.messages"), within=30, what="word of the mail")

    [said] = events_of(seen)
    assert isinstance(said, MessageSent)
    assert (said.request_id, said.kind) == (request.request_id, MessageKind.ACKNOWLEDGEMENT)
    assert seen[0].key == str(request.request_id).encode()
    assert str(said.cause_id).encode() == dict(record[2])["ce_id"] == dict(seen[0].headers)["ce_causationid"]
    [mail] = mail_server.mails
    assert mail.recipients == (CLIENT,)
    assert mail.message_id == f"<{said.message_id}@attune.example>"
    assert await streams.read("notify.dead-letters") == []


@pytest.mark.usefixtures("topics")
async def test_events_of_three_streams_in_any_order_end_in_the_right_mails(
    settings: Settings, keyring: Keyring, streams: Streams, mail_server: MailServer
) -> None:
    request = a_request()
    seat = a_seat(a_confirmation(a_proposal(request)))

    async with running(*NOTIFY, "run", environment=environment(settings)) as process:
        await up(process)
        # What matching says overtakes what intake said first.
        await streams.send(
            "matching.proposals", [await raw(nothing_found(request), keyring), await raw(seat, keyring)]
        )
        await streams.send("intake.requests", [await raw(request, keyring)])
        await eventually(lambda: mail_server.to(THERAPIST), within=30, what="the referral")
        await streams.send("intake.requests", [await raw(a_withdrawal(request), keyring, version=2)])
        await eventually(lambda: len(mail_server.to(THERAPIST)) == 2, within=30, what="the withdrawal")
        await eventually(lambda: "Your request is withdrawn" in _subjects(mail_server), within=30)

    assert _subjects(mail_server)[-1] == "Your request is withdrawn"
    assert _subjects(mail_server).count("News about your request") == 1
    assert max(mail_server.accepted.values()) == 1
    assert await streams.read("notify.dead-letters") == []


@pytest.mark.usefixtures("topics")
async def test_told_to_stop_it_finishes_the_mail_in_hand_and_leaves_none_uncertain(
    settings: Settings, keyring: Keyring, streams: Streams, mail_server: MailServer, database: Database
) -> None:
    contacts = [a_contact(write_to_email=f"client{number}@example.com") for number in range(4)]
    records = [await raw(a_request(contact=contact), keyring) for contact in contacts]

    async with running(*NOTIFY, "run", environment=environment(settings)) as process:
        await up(process)

        async def stop() -> None:
            process.send(signal.SIGTERM)

        mail_server.on_any_dot(stop)
        await streams.send("intake.requests", records)
        code = await process.ended()

    rows = await database.pool.fetch("SELECT status, count(id) AS number FROM messages GROUP BY status")
    statuses = {row["status"]: row["number"] for row in rows}
    assert code == 0
    assert set(statuses) <= {"sent", "pending"}
    assert statuses["sent"] == len(mail_server.mails) >= 1


@pytest.mark.usefixtures("topics", "database")
async def test_it_is_ready_and_measures_what_waits(settings: Settings, mail_server: MailServer) -> None:
    port = free_port()

    async with running(
        *NOTIFY, "run", environment=environment(settings) | {"HTTP_PORT": str(port)}
    ) as process:
        await up(process)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

            async def ready() -> bool:
                return (await client.get("/ready")).status_code == 200

            async def measured() -> bool:
                return 'attune_messages_open{status="uncertain"} 0.0' in (await client.get("/metrics")).text

            await eventually(ready, within=30)
            await eventually(measured, within=30)


def _subjects(mail_server: MailServer) -> list[str]:
    return [str(mail.message["Subject"]) for mail in mail_server.to(CLIENT)]
