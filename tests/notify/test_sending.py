"""The way of a message from written to settled, on real PostgreSQL and a real SMTP server."""

import asyncio

import asyncpg
import pytest

from services.notify.domain.jobs import Status
from shared.contract.notify import FailureReason, MessageFailed, MessageSent, MessageUncertain
from shared.contract.vocabulary import MessageKind
from shared.kit.database import Database
from shared.kit.keyring import Keyring
from shared.kit.testing import eventually
from tests.notify.builders import CLIENT, THERAPIST, Office
from tests.support.builders import (
    a_confirmation,
    a_contact,
    a_proposal,
    a_question,
    a_request,
    a_seat,
    a_withdrawal,
    nothing_found,
)
from tests.support.mail_server import MailServer, Step


async def test_a_mail_that_is_put_off_is_tried_again_after_a_pause_with_the_very_same_bytes(
    office: Office, mail_server: MailServer
) -> None:
    mail_server.refuse(Step.DOT, "451 Later", times=2)
    await office.hear(a_request())

    attempts = []
    for _ in range(3):
        attempts.append(len(await office.send_all()))
        office.later(hours=1)

    assert attempts == [1, 1, 1]
    assert len(mail_server.offered) == 3
    assert len(set(mail_server.offered)) == 1
    assert mail_server.accepted.total() == 1
    [said] = await office.said()
    assert isinstance(said, MessageSent)
    assert said.attempts == 3


async def test_a_mail_that_is_put_off_is_not_tried_before_its_pause_is_over(
    office: Office, mail_server: MailServer
) -> None:
    mail_server.refuse(Step.RCPT, "451 Later")
    await office.hear(a_request())

    await office.send_all()
    at_once = await office.send_all()
    office.later(seconds=1)
    later = await office.send_all()

    assert (len(at_once), len(later)) == (0, 1)


async def test_a_refused_mail_is_not_tried_again_and_its_code_is_said(
    office: Office, mail_server: MailServer
) -> None:
    mail_server.refuse(Step.RCPT, "550 No such person", times=None)
    await office.hear(a_request())

    await office.send_all()
    office.later(days=2)
    again = await office.send_all()

    assert again == []
    [said] = await office.said()
    assert isinstance(said, MessageFailed)
    assert (said.reason, said.smtp_code, said.attempts) == (FailureReason.REFUSED, 550, 1)


async def test_a_mail_that_the_server_never_takes_is_given_up_after_a_day(
    office: Office, mail_server: MailServer
) -> None:
    await mail_server.stop()
    await office.hear(a_request())

    tries = 0
    while (await office.messages())[0].status is Status.PENDING:
        tries += len(await office.send_all())
        office.later(hours=1)

    [said] = await office.said()
    assert isinstance(said, MessageFailed)
    assert (said.reason, said.smtp_code, said.attempts) == (FailureReason.GAVE_UP, None, tries)
    assert 24 <= tries <= 25
    assert (await office.messages())[0].mail is None


async def test_a_mail_that_waited_out_a_long_stop_of_the_service_is_still_tried(
    office: Office, mail_server: MailServer
) -> None:
    await office.hear(a_request())
    office.later(days=3)

    await office.send_all()

    assert len(mail_server.mails) == 1


@pytest.mark.parametrize("step", [Step.DOT, Step.TAKEN])
async def test_a_mail_cut_off_after_its_dot_is_uncertain_and_never_sent_again_by_itself(
    office: Office, mail_server: MailServer, step: Step
) -> None:
    mail_server.cut(step)
    await office.hear(a_request())

    await office.send_all()
    office.later(days=3)
    await office.send_all()

    assert await office.fates() == [MessageUncertain]
    assert len(mail_server.offered) == 1
    [message] = await office.messages()
    assert message.mail is not None


async def test_messages_to_one_person_go_out_in_order_even_if_the_first_is_put_off(
    office: Office, mail_server: MailServer
) -> None:
    mail_server.refuse(Step.RCPT, "451 Later")
    request = a_request()
    await office.hear(request)
    await office.hear(nothing_found(request))
    await office.hear(a_question(request))

    await office.send_all()
    while_the_first_waits = list(mail_server.mails)
    office.later(minutes=1)
    await office.send_all()

    assert while_the_first_waits == []
    assert [str(mail.message["Subject"]) for mail in mail_server.mails] == [
        "We have your request",
        "How your request stands",
        "Please get in touch about your request",
    ]


async def test_a_message_that_is_put_off_holds_nobody_else_up(
    office: Office, mail_server: MailServer
) -> None:
    mail_server.refuse(Step.RCPT, "451 Later", recipient=CLIENT, times=None)
    await office.hear(a_request())
    await office.hear(a_request(contact=a_contact(write_to_email="other@example.com")))

    await office.send_all()

    assert [mail.recipients for mail in mail_server.mails] == [("other@example.com",)]


async def test_a_withdrawal_never_overtakes_its_referral(office: Office, mail_server: MailServer) -> None:
    request = a_request()
    await office.hear(request)
    await office.hear(a_seat(a_confirmation(a_proposal(request))))
    sending = asyncio.Event()

    async def withdraw_while_it_is_sent() -> None:
        await office.hear(a_withdrawal(request))
        # Another sender looks for work just then.
        assert THERAPIST not in [mail.recipients[0] for mail in mail_server.mails]
        while await second.send_next() is not None:
            pass
        sending.set()

    second = office.sender()
    mail_server.on(Step.DOT, THERAPIST, withdraw_while_it_is_sent)
    await office.send_all()
    await second.close()

    assert sending.is_set()
    assert [str(mail.message["Subject"]) for mail in mail_server.to(THERAPIST)] == [
        "A new referral for you",
        "A referral has been withdrawn",
    ]


async def test_an_erased_person_gets_no_mail_and_that_is_said(
    office: Office, mail_server: MailServer, database: Database
) -> None:
    request = a_request()
    await office.hear(request)
    async with await Keyring.open(office.settings) as keyring:
        await keyring.destroy(request.subject_id)
    assert isinstance(database.keys, Keyring)
    await database.keys.destroy(request.subject_id)

    await office.send_all()

    assert mail_server.mails == []
    [said] = await office.said()
    assert isinstance(said, MessageFailed)
    assert (said.kind, said.reason) == (MessageKind.ACKNOWLEDGEMENT, FailureReason.ERASED)


async def test_an_outcome_is_written_down_once_the_database_is_back(
    office: Office, mail_server: MailServer, database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    await office.hear(a_request())
    holder = await asyncpg.connect(office.settings.database_url.get_secret_value())
    printed: list[str] = []

    def has_failed_once() -> bool:
        printed.append(capfd.readouterr().out)
        return "an outcome waits to be written down" in "".join(printed)

    async def out_of_reach() -> None:
        name = await holder.fetchval("SELECT current_database()")
        await holder.execute(f'ALTER DATABASE "{name}" SET lock_timeout = 100')
        # New connections find the table locked and, other than the old ones, soon give up.
        await database.pool.expire_connections()
        await holder.execute("BEGIN; LOCK TABLE messages")

    mail_server.on(Step.DOT, CLIENT, out_of_reach)
    sending = asyncio.create_task(office.send_all())
    await eventually(has_failed_once)
    await holder.close()
    await sending

    assert await office.fates() == [MessageSent]
    assert mail_server.accepted.total() == 1


async def test_nothing_of_a_person_is_logged(
    office: Office, mail_server: MailServer, capfd: pytest.CaptureFixture[str]
) -> None:
    mail_server.refuse(Step.RCPT, f"550 <{CLIENT}> is unknown here")
    mail_server.refuse(Step.CONNECT, "450 not now, Maya")
    await office.hear(a_request())

    await office.send_all()
    office.later(minutes=1)
    await office.send_all()

    printed = "".join(capfd.readouterr())
    assert "a message was tried" in printed
    assert "maya" not in printed.lower()
