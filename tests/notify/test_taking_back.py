"""What is told and what is held back when a client withdraws or a match comes to nothing."""

import pytest

from services.notify.domain.jobs import Status
from shared.contract.event import Event
from shared.contract.notify import FailureReason, MessageFailed
from shared.contract.vocabulary import MessageKind
from shared.kit.errors import Rejected
from tests.notify.builders import THERAPIST, Office, a_match
from tests.support.builders import (
    a_confirmation,
    a_decline,
    a_proposal,
    a_question,
    a_rematch,
    a_request,
    a_seat,
    a_withdrawal,
    nothing_found,
)
from tests.support.mail_server import MailServer, Step


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
        (MessageKind.ACKNOWLEDGEMENT, FailureReason.NO_LONGER_WANTED),
        (MessageKind.MATCHED, FailureReason.NO_LONGER_WANTED),
        (MessageKind.REFERRAL, FailureReason.NO_LONGER_WANTED),
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


async def test_a_withdrawal_of_a_request_that_was_never_heard_is_put_aside(office: Office) -> None:
    with pytest.raises(Rejected, match="unknown_request"):
        await office.hear(a_withdrawal(a_request()))
