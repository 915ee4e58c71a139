"""Senders beside each other, and what becomes of the message of one that died or froze."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
from prometheus_client import CollectorRegistry

from services.notify import store
from services.notify.domain.jobs import Status
from services.notify.handlers import Sender, send_messages
from services.notify.settings import Settings
from shared.contract.notify import MessageSent, MessageUncertain
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.handlers import Provided
from shared.kit.keyring import Keyring
from shared.kit.service import Service
from shared.kit.testing import eventually
from tests.notify.builders import CLIENT, Office
from tests.support.builders import a_contact, a_request
from tests.support.mail_server import MailServer, Step


async def test_many_senders_never_send_the_same_message_twice(
    office: Office, mail_server: MailServer
) -> None:
    for number in range(60):
        await office.hear(a_request(contact=a_contact(write_to_email=f"client{number}@example.com")))

    async def work(sender: Sender) -> int:
        sent = 0
        while await sender.send_next() is not None:
            sent += 1
        await sender.close()
        return sent

    shares = await asyncio.gather(*(work(office.sender()) for _ in range(6)))

    assert sum(shares) == 60
    assert all(share > 0 for share in shares)
    assert len(mail_server.accepted) == 60
    assert set(mail_server.accepted.values()) == {1}
    assert await office.fates() == [MessageSent] * 60


async def test_a_sender_that_died_before_the_dot_is_replaced_once_its_lease_is_over(
    office: Office, mail_server: MailServer
) -> None:
    await office.hear(a_request())
    async with office.database.transaction() as tx:
        assert await store.claim_next(tx, timedelta(seconds=10))

    early = await recovered(office)
    office.later(seconds=11)
    late = await recovered(office)

    assert (early, late) == ([Status.SENDING], [Status.PENDING])
    office.later(minutes=1)
    await office.send_all()
    assert mail_server.accepted.total() == 1
    [said] = await office.said()
    assert isinstance(said, MessageSent)
    assert said.attempts == 2


async def test_a_sender_that_died_once_the_dot_was_announced_leaves_an_uncertain_message(
    office: Office, mail_server: MailServer
) -> None:
    await office.hear(a_request())
    async with office.database.transaction() as tx:
        claimed = await store.claim_next(tx, timedelta(seconds=10))
        assert claimed is not None
        assert await store.mark_handing_over(tx, claimed, timedelta(seconds=10))

    office.later(seconds=11)

    assert await recovered(office) == [Status.UNCERTAIN]
    office.later(days=1)
    assert await office.send_all() == []
    assert await office.fates() == [MessageUncertain]
    assert mail_server.offered == []


async def test_however_many_senders_look_for_mail_one_takes_up_what_dead_ones_left(
    office: Office, settings: Settings, clock: MovableClock
) -> None:
    await office.hear(a_request())
    async with office.database.transaction() as tx:
        assert await store.claim_next(tx, timedelta(seconds=10))
    office.later(seconds=11)
    asked: list[str] = []

    async def listen(connection: Any) -> None:
        connection.add_query_logger(lambda record: asked.append(record.query))

    pool = await asyncpg.create_pool(settings.database_url.get_secret_value(), init=listen, min_size=1)
    assert isinstance(office.database.keys, Keyring)
    service = Service(
        name="notify",
        settings=settings,
        database=Database(pool, service="notify", keys=office.database.keys, clock=clock),
        clock=clock,
        stopping=asyncio.Event(),
        metrics=CollectorRegistry(),
        keyring=office.database.keys,
        provided=Provided([settings.model_copy(update={"senders": 4, "lease_seconds": 600})]),
    )

    running = asyncio.create_task(send_messages(service))
    try:
        await eventually(
            lambda: sum("WHERE due.status = 'pending'" in each for each in asked) > 40, what="many looks"
        )
        assert [status for _, status in await office.statuses()] == [Status.PENDING]
    finally:
        service.stopping.set()
        await running
        await pool.close()

    assert sum("lease_until < $1" in each for each in asked) == 1


async def test_a_sender_that_was_frozen_past_its_lease_sends_no_dot(
    office: Office, mail_server: MailServer
) -> None:
    await office.hear(a_request())

    async def another_takes_over() -> None:
        office.later(seconds=11)
        assert await recovered(office) == [Status.PENDING]
        office.later(minutes=1)
        mail_server.mend()
        assert len(await office.send_all()) == 1

    mail_server.on(Step.DATA, CLIENT, another_takes_over)
    frozen = office.sender(lease_seconds=10)
    answer = await frozen.send_next()
    await frozen.close()

    assert answer is not None
    assert len(mail_server.offered) == 1
    assert mail_server.accepted.total() == 1
    assert await office.fates() == [MessageSent]


async def test_an_answer_that_arrives_after_all_settles_what_was_taken_for_uncertain(
    office: Office, mail_server: MailServer
) -> None:
    await office.hear(a_request())

    async def given_up_on() -> None:
        office.later(seconds=11)
        assert await recovered(office) == [Status.UNCERTAIN]

    mail_server.on(Step.DOT, CLIENT, given_up_on)
    frozen = office.sender(lease_seconds=10)
    await frozen.send_next()
    await frozen.close()

    assert await office.fates() == [MessageUncertain, MessageSent]
    assert [status for _, status in await office.statuses()] == [Status.SENT]


async def test_a_slow_server_does_not_cost_a_living_sender_its_message(
    office: Office, mail_server: MailServer, database: Database
) -> None:
    await office.hear(a_request())
    released = asyncio.Event()
    mail_server.on(Step.DOT, CLIENT, released.wait)
    sender = office.sender(lease_seconds=0.3)
    sending = asyncio.create_task(sender.send_next())
    await eventually(lambda: mail_server.reached[Step.DOT] == 1)

    async def lease_is_renewed() -> bool:
        # The clock stands between these moves, so only a sign of life can prolong the lease.
        office.later(seconds=0.2)
        return bool(await database.pool.fetchval("SELECT lease_until > $1 FROM messages", office.clock.now()))

    for _ in range(5):
        await eventually(lease_is_renewed, every=0.15)
    released.set()
    await sending
    await sender.close()

    assert await office.fates() == [MessageSent]


async def test_senders_finish_what_is_in_hand_when_they_are_told_to_stop(
    office: Office, mail_server: MailServer
) -> None:
    for number in range(5):
        await office.hear(a_request(contact=a_contact(write_to_email=f"client{number}@example.com")))
    stopping = asyncio.Event()

    async def stop() -> None:
        stopping.set()

    mail_server.on(Step.DOT, "client0@example.com", stop)
    await office.sender().run(stopping)

    assert [status for _, status in await office.statuses()].count(Status.SENT) == 1
    assert Status.SENDING not in [status for _, status in await office.statuses()]


async def recovered(office: Office) -> list[Status]:
    sender = office.sender()
    await sender.recover()
    await sender.close()
    return [status for _, status in await office.statuses()]
