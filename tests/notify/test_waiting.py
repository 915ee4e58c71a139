"""What the client is told of waiting, and when it is held back."""

import pytest

from services.notify.domain.jobs import Status
from shared.contract import matching
from shared.contract.matching import Shortfall
from tests.notify.builders import CLIENT, Office, a_match
from tests.support.builders import a_proposal, a_request, nothing_found
from tests.support.mail_server import MailServer


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
