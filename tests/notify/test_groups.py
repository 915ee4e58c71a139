"""What the client of a group hears: that a place is kept, that it has come about, or that it has not."""

import pytest

from services.notify.domain.jobs import Status
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import GroupMeeting, GroupPlaceHeld, SeatRefusal, SeatReserved, SeatUnavailable
from shared.contract.vocabulary import Slot
from shared.kit.errors import NotYet
from tests.notify.builders import CLIENT, THERAPIST, Office
from tests.support.builders import (
    a_confirmation,
    a_place,
    a_proposal,
    a_request,
    a_seat,
    a_seat_gone,
    a_withdrawal,
    nothing_found,
)
from tests.support.mail_server import MailServer

DISSOLVED = SeatRefusal.GROUP_DISSOLVED


def a_way(request: RequestSubmitted) -> tuple[GroupPlaceHeld, SeatReserved, SeatUnavailable]:
    """A place in a group, and how it may end."""
    choice = a_confirmation(a_proposal(request))
    # The group itself is sealed as clinical, so that notify is not given it.
    formed = a_seat(choice, meets=GroupMeeting(slot=Slot.TUE_EVENING, individual_first=2))
    return a_place(choice), formed, a_seat_gone(choice, reason=DISSOLVED)


async def kinds(office: Office, status: Status) -> list[str]:
    """Of all messages that stand so."""
    return [kind for kind, now in await office.statuses() if now is status]


async def test_a_place_that_is_kept_is_told_to_the_client_and_is_no_match(
    office: Office, mail_server: MailServer
) -> None:
    request = a_request()
    place, *_ = a_way(request)
    await office.hear(request)
    await office.send_all()

    await office.hear(place)
    await office.send_all()

    _, told = mail_server.to(CLIENT)
    assert "a group that is still being set up" in " ".join(told.text.split())
    assert "found" not in told.text
    assert "Ada" not in told.text
    assert mail_server.to(THERAPIST) == []


async def test_client_and_therapist_read_when_the_group_meets_in_text_and_html(
    office: Office, mail_server: MailServer
) -> None:
    request = a_request()
    for event in (request, a_way(request)[1]):
        await office.hear(event)
    await office.send_all()

    together = "online, in a group on Tuesday evenings. The first 2 meetings are one to one."
    [referral] = mail_server.to(THERAPIST)
    for mail in (mail_server.to(CLIENT)[-1], referral):
        assert together in " ".join(mail.text.split())
        assert together in " ".join(mail.html.split())
    assert "somebody to you for a group, and a place in it is kept" in " ".join(referral.text.split())
    assert "one of your free places" not in referral.text


async def test_who_is_seen_alone_reads_of_no_group(office: Office, mail_server: MailServer) -> None:
    request = a_request()
    for event in (request, a_seat(a_confirmation(a_proposal(request)))):
        await office.hear(event)
    await office.send_all()

    for address in (CLIENT, THERAPIST):
        assert "group" not in mail_server.to(address)[-1].text


async def test_a_formed_group_is_told_as_any_match_is(office: Office, mail_server: MailServer) -> None:
    request = a_request()
    place, formed, _ = a_way(request)
    for event in (request, place, formed):
        await office.hear(event)
        await office.send_all()

    assert await kinds(office, Status.SENT) == ["acknowledgement", "place_held", "matched", "referral"]
    assert "Ada Fernsby" in mail_server.to(CLIENT)[-1].text
    [referral] = mail_server.to(THERAPIST)
    assert "Maya" not in referral.text


async def test_word_of_a_place_is_held_back_once_the_group_is_formed(office: Office) -> None:
    request = a_request()
    for event in (request, *a_way(request)[:2]):
        await office.hear(event)

    await office.send_all()

    assert await kinds(office, Status.SUPPRESSED) == ["acknowledgement", "place_held"]
    assert await kinds(office, Status.SENT) == ["matched", "referral"]


async def test_a_group_that_did_not_come_about_is_told_once_and_waiting_is_not_told_beside_it(
    office: Office, mail_server: MailServer
) -> None:
    request = a_request()
    place, _, dissolved = a_way(request)
    for event in (request, place, dissolved, nothing_found(request), nothing_found(request)):
        await office.hear(event)
        await office.send_all()

    assert await kinds(office, Status.SENT) == ["acknowledgement", "place_held", "waiting_again"]
    assert "keeps its place" in " ".join(mail_server.to(CLIENT)[-1].text.split())


async def test_word_of_a_place_that_is_gone_before_it_went_out_is_held_back(office: Office) -> None:
    request = a_request()
    place, _, dissolved = a_way(request)
    for event in (request, place, dissolved):
        await office.hear(event)

    await office.send_all()

    assert await kinds(office, Status.SUPPRESSED) == ["acknowledgement", "place_held"]
    assert await kinds(office, Status.SENT) == ["waiting_again"]


async def test_a_place_kept_anew_is_told_again(office: Office) -> None:
    request = a_request()
    (place, _, dissolved), (another, *_) = a_way(request), a_way(request)
    for event in (request, place, dissolved, another):
        await office.hear(event)
        await office.send_all()

    assert (await kinds(office, Status.SENT)).count("place_held") == 2


async def test_after_a_withdrawal_nothing_of_the_group_is_written(office: Office) -> None:
    request = a_request()
    place, formed, dissolved = a_way(request)
    for event in (request, a_withdrawal(request)):
        await office.hear(event)
    before = await office.statuses()

    for late in (place, formed, dissolved):
        await office.hear(late)

    assert await office.statuses() == before


@pytest.mark.parametrize("which", [0, 2])
async def test_news_of_a_group_that_overtook_the_request_waits_for_it(office: Office, which: int) -> None:
    with pytest.raises(NotYet):
        await office.hear(a_way(a_request())[which])
