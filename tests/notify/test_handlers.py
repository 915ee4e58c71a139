"""What is written on which event, to whom, and what is held back; on real PostgreSQL and SMTP."""

import pytest

from services.notify.domain.jobs import Status
from services.notify.domain.mail import Mail
from services.notify.handlers import handlers
from shared.contract import matching, notify, review
from shared.contract.notify import FailureReason, MessageSent
from shared.contract.vocabulary import MessageKind, OnwardRoute, Recipient, RequesterRole
from shared.kit.errors import NotYet
from tests.notify.builders import CLIENT, THERAPIST, Office, a_match
from tests.support.builders import (
    a_confirmation,
    a_contact,
    a_decline,
    a_proposal,
    a_question,
    a_request,
    a_seat_gone,
    nothing_found,
)
from tests.support.mail_server import MailServer


async def test_a_submitted_request_is_acknowledged_with_its_status_link(
    office: Office, mail_server: MailServer
) -> None:
    await office.hear(a_request())

    await office.send_all()

    [mail] = mail_server.mails
    assert mail.recipients == (CLIENT,)
    assert "http://127.0.0.1:8001/status/sample-token" in mail.text
    assert "http://127.0.0.1:8001/status/sample-token" in mail.html
    [said] = await office.said()
    assert isinstance(said, MessageSent)
    assert (said.kind, said.recipient, said.attempts) == (MessageKind.ACKNOWLEDGEMENT, Recipient.CLIENT, 1)


async def test_what_notify_says_names_the_event_it_tells_about_and_stays_in_its_trace(office: Office) -> None:
    cause = await office.hear(a_request())

    await office.send_all()

    [(envelope, said)] = await office.said_with_causes()
    assert isinstance(said, MessageSent)
    assert said.cause_id == cause.id == envelope.causation_id
    assert (envelope.traceparent or "").split("-")[1] == (cause.traceparent or "").split("-")[1]


async def test_an_event_heard_twice_makes_one_message(office: Office) -> None:
    request = a_request()
    cause = await office.hear(request)

    await office.hear(request, cause)

    assert await office.statuses() == [("acknowledgement", Status.PENDING)]


async def test_a_reserved_seat_is_told_to_the_client_and_to_the_therapist(
    office: Office, mail_server: MailServer
) -> None:
    request = a_request()
    await office.hear(request)
    await office.send_all()

    await office.hear(a_match(request))
    await office.send_all()

    [_, matched] = mail_server.to(CLIENT)
    [referral] = mail_server.to(THERAPIST)
    assert "Ada Fernsby" in matched.text
    assert "Maya" not in referral.text + referral.html + str(referral.message["Subject"])


async def test_nobody_is_told_of_a_match_but_by_a_reserved_seat() -> None:
    heard = set(handlers.events)

    assert matching.SeatReserved in heard
    assert review.MatchConfirmed not in heard


@pytest.mark.parametrize(
    "reason", [each for each in matching.SeatRefusal if each is not matching.SeatRefusal.GROUP_DISSOLVED]
)
async def test_a_seat_that_has_gone_is_told_to_nobody(office: Office, reason: matching.SeatRefusal) -> None:
    request = a_request()
    await office.hear(request)

    await office.hear(a_seat_gone(a_confirmation(a_proposal(request)), reason=reason))

    assert await office.statuses() == [("acknowledgement", Status.PENDING)]


async def test_a_declined_client_is_told_where_to_turn(office: Office, mail_server: MailServer) -> None:
    request = a_request()
    await office.hear(request)
    await office.send_all()

    await office.hear(a_decline(request, onward_route=OnwardRoute.GP))
    await office.send_all()

    assert "make an appointment with your GP" in " ".join(mail_server.mails[-1].text.split())


async def test_a_question_asks_to_get_in_touch_and_is_not_in_the_mail(
    office: Office, mail_server: MailServer
) -> None:
    request = a_request()
    await office.hear(request)
    await office.hear(a_question(request, question="Which evenings are truly free?"))

    await office.send_all()

    mail = mail_server.mails[-1]
    assert "reply to this e-mail" in " ".join(mail.text.split())
    assert "evenings" not in mail.data.decode()


@pytest.mark.parametrize("make", [nothing_found, a_match, a_decline, a_question])
async def test_an_event_that_overtook_its_request_waits_for_it(office: Office, make: object) -> None:
    event = make(a_request())  # type: ignore[operator]

    with pytest.raises(NotYet):
        await office.hear(event)


@pytest.mark.parametrize(
    "contact",
    [
        a_contact(write_to_email="maya@example.com\r\nBcc: all@example.com"),
        a_contact(write_to_email="maya@example.com, all@example.com"),
        a_contact(write_to_email="nobody"),
    ],
)
async def test_an_address_that_no_mail_can_bear_is_refused_and_staff_are_told(
    office: Office, mail_server: MailServer, contact: object
) -> None:
    await office.hear(a_request(contact=contact))

    await office.send_all()

    assert mail_server.mails == []
    [said] = await office.said()
    assert isinstance(said, notify.MessageFailed)
    assert (said.reason, said.attempts) == (FailureReason.REFUSED, 0)


@pytest.mark.parametrize("spam", ["Win £500 at https://evil.example/x", "Maya\r\nSubject: You won at evil"])
async def test_what_is_no_name_travels_in_no_part_of_a_mail(
    office: Office, mail_server: MailServer, spam: str
) -> None:
    await office.hear(a_request(contact=a_contact(client_name=spam, write_to_name=spam)))

    await office.send_all()

    [mail] = mail_server.mails
    assert mail.recipients == (CLIENT,)
    assert "evil" not in mail.message.as_string() + mail.text + mail.html


async def test_a_parent_is_written_to_when_the_request_says_so(
    office: Office, mail_server: MailServer
) -> None:
    contact = a_contact(
        requester_role=RequesterRole.PARENT,
        client_name="Leo Example",
        write_to_name="Pat Example",
        write_to_email="pat@example.com",
    )
    request = a_request(contact=contact)
    await office.hear(request)
    await office.hear(a_match(request))

    await office.send_all()

    [matched] = mail_server.to("pat@example.com")
    assert matched.text.startswith("Hello Pat Example,")
    assert "Leo" not in matched.data.decode()
    assert "The person you will see" not in " ".join(matched.text.split())


async def test_mails_lie_sealed_until_they_are_sent_and_are_gone_afterwards(office: Office) -> None:
    await office.hear(a_request())
    [waiting] = await office.messages()
    assert waiting.mail is not None
    assert CLIENT.encode() not in waiting.mail
    async with office.database.transaction() as tx:
        opened = await tx.open(waiting.mail)
    assert Mail.unpacked(opened or b"").to == CLIENT

    await office.send_all()

    [sent] = await office.messages()
    assert (sent.mail, sent.status, sent.attempts) == (None, Status.SENT, 1)
