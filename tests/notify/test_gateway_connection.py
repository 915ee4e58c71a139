"""The connection to the mail server: kept, lost, refused, and cut just before the dot."""

import asyncio

import pytest

from services.notify.domain.jobs import Answer, Phase, Status
from tests.notify.handing_over import Marks, a_mail, a_mailer, at
from tests.support.mail_server import MailServer, Step


async def test_many_mails_go_over_one_connection(mail_server: MailServer) -> None:
    async with a_mailer(at(mail_server)) as mailer:
        answers = [await mailer.hand_over(a_mail(), Marks()) for _ in range(20)]

    assert {answer.status for answer in answers} == {Status.SENT}
    assert (mail_server.connections, len(mail_server.mails)) == (1, 20)


async def test_a_line_cut_after_the_yes_does_not_matter(mail_server: MailServer) -> None:
    mail_server.cut(Step.ANSWERED)

    async with a_mailer(at(mail_server)) as mailer:
        answers = [await mailer.hand_over(a_mail(), Marks()) for _ in range(2)]

    assert [answer.status for answer in answers] == [Status.SENT, Status.SENT]
    assert max(mail_server.accepted.values()) == 1


async def test_a_kept_connection_that_went_stale_costs_no_attempt(mail_server: MailServer) -> None:
    async with a_mailer(at(mail_server)) as mailer:
        await mailer.hand_over(a_mail(), Marks())
        await mail_server.cut_all()
        marks = Marks()
        answer = await mailer.hand_over(a_mail(), marks)

    assert answer.status is Status.SENT
    assert (mail_server.connections, len(mail_server.mails), marks.made) == (2, 2, 1)


async def test_a_kept_connection_that_the_server_ends_politely_costs_no_attempt(
    mail_server: MailServer,
) -> None:
    async with a_mailer(at(mail_server)) as mailer:
        await mailer.hand_over(a_mail(), Marks())
        mail_server.refuse(Step.RSET, "421 Too long here")
        answer = await mailer.hand_over(a_mail(), Marks())

    assert answer.status is Status.SENT
    assert mail_server.connections == 2


async def test_the_server_is_not_there(mail_server: MailServer) -> None:
    await mail_server.stop()

    async with a_mailer(at(mail_server)) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks())
        await mail_server.start()
        later = await mailer.hand_over(a_mail(), Marks())

    assert answer == Answer(Status.PENDING, None, Phase.CONNECT)
    assert later.status is Status.SENT


async def test_no_dot_follows_when_the_mail_is_another_senders_by_now(mail_server: MailServer) -> None:
    async with a_mailer(at(mail_server)) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks(answer=False))
        other = await mailer.hand_over(a_mail(), Marks())

    assert answer == Answer(Status.PENDING, None, Phase.MARK)
    assert other.status is Status.SENT
    assert len(mail_server.offered) == 1


async def test_a_server_that_goes_away_while_the_dot_is_announced_gets_none(mail_server: MailServer) -> None:
    async with a_mailer(at(mail_server)) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks(meanwhile=mail_server.cut_all))

    assert answer.status is Status.PENDING
    assert mail_server.offered == []


async def test_a_fault_of_our_own_before_the_dot_leaves_the_mail_to_be_tried_again(
    mail_server: MailServer,
) -> None:
    async def broken() -> None:
        raise RuntimeError("the database is away")

    async with a_mailer(at(mail_server)) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks(meanwhile=broken))

    assert answer == Answer(Status.PENDING, None, Phase.MARK)
    assert mail_server.offered == []


async def test_a_sender_that_is_cancelled_leaves_nothing_half_said(mail_server: MailServer) -> None:
    async with a_mailer(at(mail_server)) as mailer:
        reached = asyncio.Event()

        async def wait() -> None:
            reached.set()
            await asyncio.Event().wait()

        sending = asyncio.create_task(mailer.hand_over(a_mail(), Marks(meanwhile=wait)))
        await reached.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending

    assert mail_server.offered == []
