"""What a person does about messages on the command line: look, and settle what is uncertain."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from services.notify.domain.jobs import Status
from services.notify.settings import Settings
from shared.contract.notify import FailureReason, MessageFailed, MessageSent, MessageUncertain
from shared.kit.clock import MovableClock
from tests.notify.builders import NOTIFY, Office
from tests.support.builders import a_contact, a_request, a_withdrawal
from tests.support.environment import environment
from tests.support.mail_server import MailServer, Step
from tests.support.processes import running


@pytest.fixture
def clock() -> MovableClock:
    """The time of the commands, too."""
    return MovableClock(datetime.now(UTC))


async def command(settings: Settings, *arguments: str) -> tuple[int, str]:
    async with running(*NOTIFY, "messages", *arguments, environment=environment(settings)) as process:
        code = await process.ended()
    return code, process.output


async def listed(settings: Settings, *arguments: str) -> list[dict[str, Any]]:
    code, output = await command(settings, "list", "--json", *arguments)
    assert code == 0
    return list(json.loads(output))


async def an_uncertain_message(office: Office, mail_server: MailServer, *, taken: bool) -> str:
    mail_server.cut(Step.TAKEN if taken else Step.DOT)
    await office.hear(a_request())
    await office.send_all()
    [message] = await office.messages()
    assert message.status is Status.UNCERTAIN
    return str(message.id)


async def test_uncertain_messages_are_listed_without_what_they_say(
    office: Office, settings: Settings, mail_server: MailServer
) -> None:
    uncertain = await an_uncertain_message(office, mail_server, taken=True)
    await office.hear(a_request(contact=a_contact(write_to_email="other@example.com")))
    await office.send_all()

    everything, [row] = await listed(settings), await listed(settings, "--status", "uncertain")
    _, shown = await command(settings, "show", uncertain)

    assert len(everything) == 2
    assert (row["id"], row["kind"], row["status"], row["attempts"]) == (
        uncertain, "acknowledgement", "uncertain", 1,
    )  # fmt: skip
    assert mail_server.mails[0].message_id in shown
    assert "maya" not in json.dumps(everything).lower() + shown.lower()


async def test_a_message_that_arrived_after_all_is_said_to_be_sent(
    office: Office, settings: Settings, mail_server: MailServer
) -> None:
    uncertain = await an_uncertain_message(office, mail_server, taken=True)

    code, output = await command(settings, "resolve", uncertain, "--arrived")

    assert (code, output.strip()) == (0, "recorded as arrived")
    assert [type(event) for event in await office.said()] == [MessageUncertain, MessageSent]
    [message] = await office.messages()
    assert (message.status, message.mail) == (Status.SENT, None)
    assert await office.send_all() == []


async def test_a_message_that_did_not_arrive_is_sent_again_with_the_same_bytes(
    office: Office, settings: Settings, mail_server: MailServer
) -> None:
    uncertain = await an_uncertain_message(office, mail_server, taken=False)

    code, _ = await command(settings, "resolve", uncertain, "--resend")
    office.later(minutes=1)
    await office.send_all()

    assert code == 0
    assert [mail.data for mail in mail_server.mails] == [mail_server.offered[0]]
    said = await office.said()
    assert [type(event) for event in said] == [MessageUncertain, MessageSent]
    assert isinstance(said[-1], MessageSent)
    assert said[-1].attempts == 2


async def test_a_message_that_is_sent_again_has_its_whole_time_anew(
    office: Office, settings: Settings, mail_server: MailServer
) -> None:
    uncertain = await an_uncertain_message(office, mail_server, taken=False)
    await office.database.pool.execute("UPDATE messages SET tried_since = tried_since - interval '3 days'")
    await command(settings, "resolve", uncertain, "--resend")
    office.later(minutes=1)
    mail_server.refuse(Step.RCPT, "451 Later")

    await office.send_all()

    assert [status for _, status in await office.statuses()] == [Status.PENDING]


async def test_a_message_that_is_no_longer_true_is_not_sent_again(
    office: Office, settings: Settings, mail_server: MailServer
) -> None:
    mail_server.cut(Step.DOT)
    request = a_request()
    await office.hear(request)
    await office.send_all()
    await office.hear(a_withdrawal(request))
    [uncertain] = await listed(settings, "--status", "uncertain")

    code, output = await command(settings, "resolve", uncertain["id"], "--resend")
    office.later(minutes=1)
    await office.send_all()

    assert code == 0
    assert "no longer true" in output
    assert [str(mail.message["Subject"]) for mail in mail_server.mails] == ["Your request is withdrawn"]
    [failed] = [event for event in await office.said() if isinstance(event, MessageFailed)]
    assert failed.reason is FailureReason.NO_LONGER_WANTED


async def test_only_an_uncertain_message_can_be_settled_and_only_in_one_way(
    office: Office, settings: Settings, mail_server: MailServer
) -> None:
    await office.hear(a_request())
    await office.send_all()
    [message] = await office.messages()
    assert len(mail_server.mails) == 1

    sent, neither, unknown, missing = [
        await command(settings, *arguments)
        for arguments in (
            ("resolve", str(message.id), "--resend"),
            ("resolve", str(message.id)),
            ("resolve", str(uuid4()), "--arrived"),
            ("show", str(uuid4())),
        )
    ]

    assert (sent[0], unknown[0], missing[0]) == (1, 1, 1)
    assert "there is no uncertain message" in sent[1]
    assert neither == (2, "say either --arrived or --resend\n")
    assert await office.send_all() == []
