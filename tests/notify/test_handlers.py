"""What is written on which event, to whom, and what is held back; on real PostgreSQL and SMTP."""

import pytest

from services.notify.domain.jobs import Status
from services.notify.domain.mail import Mail
from services.notify.handlers import handlers
from shared.contract import matching, notify, review
from shared.contract.event import Event
from shared.contract.matching import Shortfall
from shared.contract.notify import FailureReason, MessageFailed, MessageSent
from shared.contract.vocabulary import MessageKind, OnwardRoute, Recipient, RequesterRole
from shared.kit.errors import NotYet, Rejected
from tests.notify.builders import CLIENT, THERAPIST, Office
from tests.support.builders import (
    a_confirmation,
    a_contact,
    a_decline,
    a_proposal,
    a_question,
    a_rematch,
    a_request,
    a_seat,
    a_seat_gone,
    a_withdrawal,
    nothing_found,
)
from tests.support.mail_server import MailServer, Step

KIND = MessageKind


def a_match(request: object) -> matching.SeatReserved:
    return a_seat(a_confirmation(a_proposal(request)))  # type: ignore[arg-type]


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
    assert (said.kind, said.recipient, said.attempts) == (KIND.ACKNOWLEDGEMENT, Recipient.CLIENT, 1)


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


async def test_the_client_hears_of_waiting_once_and_not_with_every_ranking(
    office: Office, mail_server: MailServer
) -> None:
    request = a_request()
    await office.hear(request)
    for _ in range(3):
        await office.hear(nothing_found(request))

    await office.send_all()

    assert len(mail_server.to(CLIENT)) == 2


@pytest.mark.parametrize(
    ("weeks", "said"),
    [
        (matching.WaitWeeks(least=3, most=7), "after 3 to 7 weeks"),
        (None, "We do not know yet how long it takes"),
    ],
)
async def test_the_mail_about_waiting_says_how_long_others_did(
    office: Office, mail_server: MailServer, weeks: matching.WaitWeeks | None, said: str
) -> None:
    request = a_request()
    await office.hear(request)
    await office.hear(nothing_found(request, wait_weeks=weeks))

    await office.send_all()

    _, mail = mail_server.to(CLIENT)
    assert said in " ".join(mail.text.split())
    assert said in mail.html


async def test_that_others_wait_longer_now_is_no_mail_of_its_own(
    office: Office, mail_server: MailServer
) -> None:
    request = a_request()
    await office.hear(request)
    for most in (7, 8, 9):
        await office.hear(nothing_found(request, wait_weeks=matching.WaitWeeks(least=3, most=most)))

    await office.send_all()

    assert await office.statuses() == [("acknowledgement", Status.SENT), ("waiting", Status.SENT)]
    assert "3 to 7 weeks" in " ".join(mail_server.to(CLIENT)[1].text.split())


async def test_a_new_spell_of_waiting_after_a_match_is_told_again(office: Office) -> None:
    request = a_request()
    await office.hear(request)
    await office.hear(nothing_found(request))
    await office.send_all()
    await office.hear(a_match(request))
    await office.hear(nothing_found(request))

    kinds = [kind for kind, _ in await office.statuses()]

    assert kinds.count("waiting") == 2


async def test_word_of_waiting_is_held_back_once_somebody_was_found(
    office: Office, mail_server: MailServer
) -> None:
    request = a_request()
    await office.hear(request)
    await office.hear(nothing_found(request))
    await office.hear(a_proposal(request))

    await office.send_all()

    assert len(mail_server.mails) == 1
    assert ("waiting", Status.SUPPRESSED) in await office.statuses()


async def test_a_request_that_no_way_fits_is_not_said_to_wait(
    office: Office, mail_server: MailServer
) -> None:
    request = a_request()
    await office.hear(request)
    await office.hear(nothing_found(request, shortfall=Shortfall.NO_WAY_FITS))

    await office.send_all()

    assert await office.statuses() == [("acknowledgement", Status.SENT)]


async def test_word_of_waiting_is_held_back_once_no_way_fits_any_more(office: Office) -> None:
    request = a_request()
    await office.hear(request)
    await office.hear(nothing_found(request))

    await office.hear(nothing_found(request, shortfall=Shortfall.NO_WAY_FITS))

    assert ("waiting", Status.SUPPRESSED) in await office.statuses()


async def test_waiting_that_was_held_back_is_told_when_it_is_true_again(office: Office) -> None:
    request = a_request()
    await office.hear(request)
    await office.hear(nothing_found(request))
    await office.hear(a_proposal(request))

    await office.hear(nothing_found(request))

    assert ("waiting", Status.PENDING) in await office.statuses()


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


async def test_a_withdrawal_before_any_match_is_told_to_the_client_only(
    office: Office, mail_server: MailServer
) -> None:
    request = a_request()
    await office.hear(request)
    await office.send_all()

    await office.hear(a_withdrawal(request))
    await office.send_all()

    assert [kind for kind, _ in await office.statuses()] == ["acknowledgement", "withdrawn"]
    assert mail_server.to(THERAPIST) == []


async def test_a_withdrawal_after_a_referral_is_told_to_the_therapist_too(
    office: Office, mail_server: MailServer
) -> None:
    request = a_request()
    await office.hear(request)
    await office.hear(a_match(request))
    await office.send_all()

    await office.hear(a_withdrawal(request))
    await office.send_all()

    assert [str(mail.message["Subject"]) for mail in mail_server.to(THERAPIST)] == [
        "A new referral for you",
        "A referral has been withdrawn",
    ]


async def test_a_match_that_comes_to_nothing_is_taken_back_from_both_and_the_next_is_told(
    office: Office, mail_server: MailServer
) -> None:
    request = a_request()
    first, second = a_proposal(request), a_proposal(request)
    await office.hear(request)
    await office.hear(a_seat(a_confirmation(first)))
    await office.send_all()

    await office.hear(a_rematch(first, "ada"))
    await office.send_all()
    await office.hear(a_seat(a_confirmation(second)))
    await office.send_all()
    await office.hear(a_withdrawal(request))
    await office.send_all()

    assert [str(mail.message["Subject"]) for mail in mail_server.to(THERAPIST)] == [
        "A new referral for you",
        "A referral has been withdrawn",
        "A new referral for you",
        "A referral has been withdrawn",
    ]
    assert [kind for kind, _ in await office.statuses() if kind in {"matched", "looking_again"}] == [
        "matched",
        "looking_again",
        "matched",
    ]
    assert len({mail.message["Message-ID"] for mail in mail_server.mails}) == len(mail_server.mails)


async def test_a_seat_that_was_given_back_before_it_is_heard_of_is_told_to_nobody(
    office: Office, mail_server: MailServer
) -> None:
    request = a_request()
    proposal = a_proposal(request)
    await office.hear(request)

    await office.hear(a_rematch(proposal, "ada"))
    await office.hear(a_seat(a_confirmation(proposal)))
    await office.send_all()

    assert [kind for kind, _ in await office.statuses()] == ["acknowledgement"]
    assert mail_server.to(THERAPIST) == []


async def test_a_rematch_before_any_match_writes_nothing(office: Office) -> None:
    request = a_request()
    await office.hear(request)
    await office.hear(nothing_found(request))
    await office.send_all()

    await office.hear(a_rematch(a_proposal(request), "ada"))
    await office.hear(nothing_found(request))

    assert [kind for kind, _ in await office.statuses()] == ["acknowledgement", "waiting"]


async def test_the_end_of_a_second_referral_spares_no_first_therapist_the_word_of_theirs(
    office: Office, mail_server: MailServer
) -> None:
    request = a_request()
    first = a_proposal(request)
    await office.hear(request)
    await office.hear(a_seat(a_confirmation(first)))
    await office.send_all()
    await office.hear(a_rematch(first, "ada"))
    await office.hear(a_match(request))

    await office.hear(a_withdrawal(request))
    await office.send_all()

    assert [str(mail.message["Subject"]) for mail in mail_server.to(THERAPIST)] == [
        "A new referral for you",
        "A referral has been withdrawn",
    ]


async def test_what_waits_when_a_request_is_withdrawn_is_held_back_and_said_so(
    office: Office, mail_server: MailServer
) -> None:
    request = a_request()
    await office.hear(request)
    await office.hear(a_match(request))

    await office.hear(a_withdrawal(request))
    await office.send_all()

    assert mail_server.to(THERAPIST) == []
    assert [str(mail.message["Subject"]) for mail in mail_server.mails] == ["Your request is withdrawn"]
    failed = [event for event in await office.said() if isinstance(event, MessageFailed)]
    assert {(event.kind, event.reason) for event in failed} == {
        (KIND.ACKNOWLEDGEMENT, FailureReason.NO_LONGER_WANTED),
        (KIND.MATCHED, FailureReason.NO_LONGER_WANTED),
        (KIND.REFERRAL, FailureReason.NO_LONGER_WANTED),
    }


async def test_a_referral_that_is_tried_again_when_the_request_is_withdrawn_goes_no_further(
    office: Office, mail_server: MailServer
) -> None:
    request = a_request()
    await office.hear(request)
    await office.hear(a_match(request))
    mail_server.refuse(Step.RCPT, "451 Later", recipient=THERAPIST)
    sender = office.sender()
    withdrawn = False

    async def withdraw_meanwhile() -> None:
        nonlocal withdrawn
        withdrawn = True
        await office.hear(a_withdrawal(request))

    mail_server.on(Step.RCPT, THERAPIST, withdraw_meanwhile)
    while await sender.send_next() is not None:
        pass
    office.later(hours=1)
    while await sender.send_next() is not None:
        pass
    await sender.close()

    assert withdrawn
    assert mail_server.to(THERAPIST) == []
    statuses = dict(await office.statuses())
    assert statuses["referral"] is Status.SUPPRESSED
    assert statuses["referral_withdrawn"] is Status.SUPPRESSED


async def test_after_a_withdrawal_nothing_but_the_withdrawal_is_written(office: Office) -> None:
    request = a_request()
    await office.hear(request)
    await office.send_all()
    await office.hear(a_withdrawal(request))
    before = await office.statuses()

    late: list[Event] = [
        nothing_found(request),
        a_match(request),
        a_decline(request),
        a_question(request),
        a_withdrawal(request),
    ]
    for event in late:
        await office.hear(event)

    assert await office.statuses() == before


@pytest.mark.parametrize("make", [nothing_found, a_match, a_decline, a_question])
async def test_an_event_that_overtook_its_request_waits_for_it(office: Office, make: object) -> None:
    event = make(a_request())  # type: ignore[operator]

    with pytest.raises(NotYet):
        await office.hear(event)


async def test_a_withdrawal_of_a_request_that_was_never_heard_is_put_aside(office: Office) -> None:
    with pytest.raises(Rejected, match="unknown_request"):
        await office.hear(a_withdrawal(a_request()))


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
