"""How far a mail came, against a mail server that fails at every step."""

import pytest

from services.notify.domain.jobs import Answer, Phase, Status
from services.notify.domain.mail import Mail
from services.notify.gateway import stuffed
from tests.notify.handing_over import TO, Marks, a_mail, a_mailer, at
from tests.support.mail_server import MailServer, Step

BEFORE_THE_DOT = [Step.CONNECT, Step.EHLO, Step.MAIL, Step.RCPT, Step.DATA, Step.BODY]
PHASES = {
    Step.CONNECT: Phase.CONNECT,
    Step.EHLO: Phase.GREETING,
    Step.MAIL: Phase.SENDER,
    Step.RCPT: Phase.RECIPIENT,
    Step.DATA: Phase.DATA,
    Step.DOT: Phase.ANSWER,
}


async def test_a_mail_that_the_server_takes_is_sent(mail_server: MailServer) -> None:
    mail, marks = a_mail(), Marks()

    async with a_mailer(at(mail_server)) as mailer:
        answer = await mailer.hand_over(mail, marks)

    assert answer == Answer(Status.SENT, 250, Phase.ANSWER)
    assert [received.data for received in mail_server.mails] == [mail.data]
    assert (mail_server.mails[0].sender, mail_server.mails[0].recipients) == ("hello@attune.example", (TO,))
    assert marks.made == 1


@pytest.mark.parametrize(
    "text", [".\n", "..\n.\n", "a\n.b\n\n.\n", ".a\r\n.b\r\r.c\n", "no line end", "\n" * 3]
)
async def test_dots_and_line_ends_arrive_as_they_were_written(mail_server: MailServer, text: str) -> None:
    raw = Mail(TO, b"Message-ID: <x@attune.example>\r\n\r\n" + text.encode())

    async with a_mailer(at(mail_server)) as mailer:
        answer = await mailer.hand_over(raw, Marks())

    assert answer.status is Status.SENT
    expected = "\r\n".join(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).encode()
    expected = expected if expected.endswith(b"\r\n") else expected + b"\r\n"
    assert mail_server.mails[0].data.partition(b"\r\n\r\n")[2] == expected


def test_a_lone_dot_can_never_end_the_message_early() -> None:
    for data in (b".", b"\n.\n", b"\r.\r", b"a\r\n.\r\nMAIL FROM:<x>", b".\r\n"):
        assert b"\r\n.\r\n" not in b"\r\n" + stuffed(data)


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
async def test_a_5xx_about_the_mail_is_final(mail_server: MailServer, step: Step) -> None:
    mail_server.refuse(step, "550 No")

    async with a_mailer(at(mail_server)) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks())

    assert answer == Answer(Status.FAILED, 550, PHASES[step])
    assert mail_server.mails == []


@pytest.mark.parametrize("step", [Step.CONNECT, Step.EHLO])
async def test_a_5xx_before_the_mail_was_named_is_not_about_the_mail(
    mail_server: MailServer, step: Step
) -> None:
    mail_server.refuse(step, "554 Not you", times=None)

    async with a_mailer(at(mail_server)) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks())

    assert answer == Answer(Status.PENDING, 554, PHASES[step])


@pytest.mark.parametrize("step", [Step.CONNECT, Step.EHLO, Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
async def test_a_4xx_at_any_step_is_tried_again(mail_server: MailServer, step: Step) -> None:
    mail_server.refuse(step, "451 Later")

    async with a_mailer(at(mail_server)) as mailer:
        first = await mailer.hand_over(a_mail(), Marks())
        second = await mailer.hand_over(a_mail(), Marks())

    assert first == Answer(Status.PENDING, 451, PHASES[step])
    assert second.status is Status.SENT
    assert len(mail_server.mails) == 1


@pytest.mark.parametrize("step", BEFORE_THE_DOT)
async def test_a_line_cut_before_the_dot_is_tried_again_and_nothing_was_taken(
    mail_server: MailServer, step: Step
) -> None:
    mail_server.cut(step, times=None)

    async with a_mailer(at(mail_server)) as mailer:
        answer = await mailer.hand_over(a_mail("x" * 3_000_000), Marks())

    assert answer.status is Status.PENDING
    assert mail_server.mails == []


@pytest.mark.parametrize("step", BEFORE_THE_DOT)
async def test_a_server_that_falls_silent_before_the_dot_is_left_and_the_mail_tried_again(
    mail_server: MailServer, step: Step
) -> None:
    mail_server.delay(step, 60, times=None)

    async with a_mailer(at(mail_server), offer=0.3) as mailer:
        answer = await mailer.hand_over(a_mail("x" * 30_000_000), Marks())

    assert answer.status is Status.PENDING
    assert mail_server.mails == []


@pytest.mark.parametrize("step", [Step.DOT, Step.TAKEN])
async def test_a_line_cut_after_the_dot_is_uncertain_whether_the_server_took_it_or_not(
    mail_server: MailServer, step: Step
) -> None:
    mail_server.cut(step)

    async with a_mailer(at(mail_server)) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks())

    assert answer.status is Status.UNCERTAIN
    assert len(mail_server.mails) == (1 if step is Step.TAKEN else 0)


async def test_an_answer_that_does_not_come_in_time_is_uncertain(mail_server: MailServer) -> None:
    mail_server.delay(Step.DOT, 60)

    async with a_mailer(at(mail_server), answer=0.3) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks())

    assert answer.status is Status.UNCERTAIN


async def test_an_answer_that_comes_late_but_in_time_means_sent(mail_server: MailServer) -> None:
    mail_server.delay(Step.DOT, 0.5)

    async with a_mailer(at(mail_server), offer=0.3) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks())

    assert answer.status is Status.SENT


@pytest.mark.parametrize("reply", ["what?", "354 Go on", "999 Hm"])
async def test_an_answer_to_the_dot_that_makes_no_sense_is_uncertain(
    mail_server: MailServer, reply: str
) -> None:
    mail_server.refuse(Step.DOT, reply)

    async with a_mailer(at(mail_server)) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks())

    assert answer.status is Status.UNCERTAIN


async def test_an_address_outside_ascii_goes_out_where_the_server_knows_how(mail_server: MailServer) -> None:
    async with a_mailer(at(mail_server)) as mailer:
        answer = await mailer.hand_over(a_mail(to="zoë@bücher.example"), Marks())

    assert answer.status is Status.SENT
    assert mail_server.mails[0].recipients == ("zoë@xn--bcher-kva.example",)


async def test_an_address_outside_ascii_is_refused_where_the_server_does_not() -> None:
    async with MailServer(extensions=("8BITMIME",)) as server, a_mailer(at(server)) as mailer:
        answer = await mailer.hand_over(a_mail(to="zoë@example.com"), Marks())
        other = await mailer.hand_over(a_mail(), Marks())

    assert answer == Answer(Status.FAILED, None, Phase.SENDER)
    assert other.status is Status.SENT
