"""How far a mail came, against a mail server that fails at every step; and against one that others wrote."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.notify import gateway
from services.notify.domain.jobs import Answer, Phase, Status
from services.notify.domain.mail import Letter, Mail, Mailbox, compose
from services.notify.gateway import Mailer, stuffed
from shared.kit.identifiers import new_id
from tests.notify.builders import NOON
from tests.support.mail_server import MailServer, Step

SENDER = Mailbox("Attune clinic", "hello@attune.example")
TO = "maya@example.com"

BEFORE_THE_DOT = [Step.CONNECT, Step.EHLO, Step.MAIL, Step.RCPT, Step.DATA, Step.BODY]
PHASES = {
    Step.CONNECT: Phase.CONNECT,
    Step.EHLO: Phase.GREETING,
    Step.MAIL: Phase.SENDER,
    Step.RCPT: Phase.RECIPIENT,
    Step.DATA: Phase.DATA,
    Step.DOT: Phase.ANSWER,
}


def a_mail(text: str = "Hello\n", to: str = TO) -> Mail:
    return compose(
        Letter("We have your request", text, f"<p>{text}</p>"),
        sender=SENDER,
        to=Mailbox("Maya", to),
        message_id=new_id(),
        written_at=NOON,
    )


class Marks:
    """Counts how often the dot was announced; says no when told to."""

    def __init__(self, answer: bool = True, meanwhile: Callable[[], Awaitable[None]] | None = None) -> None:
        self.made = 0
        self._answer = answer
        self._meanwhile = meanwhile

    async def __call__(self) -> bool:
        self.made += 1
        if self._meanwhile is not None:
            await self._meanwhile()
        return self._answer


@asynccontextmanager
async def a_mailer(
    server: gateway.MailServer, *, offer: float = 2, answer: float = 2
) -> AsyncIterator[Mailer]:
    mailer = Mailer(server, SENDER.on_the_wire, offer_seconds=offer, answer_seconds=answer)
    try:
        yield mailer
    finally:
        await mailer.close()


def at(server: MailServer) -> gateway.MailServer:
    return gateway.MailServer("127.0.0.1", server.port)


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer() as server:
        yield server


async def test_a_mail_that_the_server_takes_is_sent(server: MailServer) -> None:
    mail, marks = a_mail(), Marks()

    async with a_mailer(at(server)) as mailer:
        answer = await mailer.hand_over(mail, marks)

    assert answer == Answer(Status.SENT, 250, Phase.ANSWER)
    assert [received.data for received in server.mails] == [mail.data]
    assert (server.mails[0].sender, server.mails[0].recipients) == ("hello@attune.example", (TO,))
    assert marks.made == 1


async def test_many_mails_go_over_one_connection(server: MailServer) -> None:
    async with a_mailer(at(server)) as mailer:
        answers = [await mailer.hand_over(a_mail(), Marks()) for _ in range(20)]

    assert {answer.status for answer in answers} == {Status.SENT}
    assert (server.connections, len(server.mails)) == (1, 20)


@pytest.mark.parametrize(
    "text", [".\n", "..\n.\n", "a\n.b\n\n.\n", ".a\r\n.b\r\r.c\n", "no line end", "\n" * 3]
)
async def test_dots_and_line_ends_arrive_as_they_were_written(server: MailServer, text: str) -> None:
    raw = Mail(TO, b"Message-ID: <x@attune.example>\r\n\r\n" + text.encode())

    async with a_mailer(at(server)) as mailer:
        answer = await mailer.hand_over(raw, Marks())

    assert answer.status is Status.SENT
    expected = "\r\n".join(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).encode()
    expected = expected if expected.endswith(b"\r\n") else expected + b"\r\n"
    assert server.mails[0].data.partition(b"\r\n\r\n")[2] == expected


def test_a_lone_dot_can_never_end_the_message_early() -> None:
    for data in (b".", b"\n.\n", b"\r.\r", b"a\r\n.\r\nMAIL FROM:<x>", b".\r\n"):
        assert b"\r\n.\r\n" not in b"\r\n" + stuffed(data)


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
async def test_a_5xx_about_the_mail_is_final(server: MailServer, step: Step) -> None:
    server.refuse(step, "550 No")

    async with a_mailer(at(server)) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks())

    assert answer == Answer(Status.FAILED, 550, PHASES[step])
    assert server.mails == []


@pytest.mark.parametrize("step", [Step.CONNECT, Step.EHLO])
async def test_a_5xx_before_the_mail_was_named_is_not_about_the_mail(server: MailServer, step: Step) -> None:
    server.refuse(step, "554 Not you", times=None)

    async with a_mailer(at(server)) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks())

    assert answer == Answer(Status.PENDING, 554, PHASES[step])


@pytest.mark.parametrize("step", [Step.CONNECT, Step.EHLO, Step.MAIL, Step.RCPT, Step.DATA, Step.DOT])
async def test_a_4xx_at_any_step_is_tried_again(server: MailServer, step: Step) -> None:
    server.refuse(step, "451 Later")

    async with a_mailer(at(server)) as mailer:
        first = await mailer.hand_over(a_mail(), Marks())
        second = await mailer.hand_over(a_mail(), Marks())

    assert first == Answer(Status.PENDING, 451, PHASES[step])
    assert second.status is Status.SENT
    assert len(server.mails) == 1


@pytest.mark.parametrize("step", BEFORE_THE_DOT)
async def test_a_line_cut_before_the_dot_is_tried_again_and_nothing_was_taken(
    server: MailServer, step: Step
) -> None:
    server.cut(step, times=None)

    async with a_mailer(at(server)) as mailer:
        answer = await mailer.hand_over(a_mail("x" * 3_000_000), Marks())

    assert answer.status is Status.PENDING
    assert server.mails == []


@pytest.mark.parametrize("step", BEFORE_THE_DOT)
async def test_a_server_that_falls_silent_before_the_dot_is_left_and_the_mail_tried_again(
    server: MailServer, step: Step
) -> None:
    server.delay(step, 60, times=None)

    async with a_mailer(at(server), offer=0.3) as mailer:
        answer = await mailer.hand_over(a_mail("x" * 30_000_000), Marks())

    assert answer.status is Status.PENDING
    assert server.mails == []


@pytest.mark.parametrize("step", [Step.DOT, Step.TAKEN])
async def test_a_line_cut_after_the_dot_is_uncertain_whether_the_server_took_it_or_not(
    server: MailServer, step: Step
) -> None:
    server.cut(step)

    async with a_mailer(at(server)) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks())

    assert answer.status is Status.UNCERTAIN
    assert len(server.mails) == (1 if step is Step.TAKEN else 0)


async def test_an_answer_that_does_not_come_in_time_is_uncertain(server: MailServer) -> None:
    server.delay(Step.DOT, 60)

    async with a_mailer(at(server), answer=0.3) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks())

    assert answer.status is Status.UNCERTAIN


async def test_an_answer_that_comes_late_but_in_time_means_sent(server: MailServer) -> None:
    server.delay(Step.DOT, 0.5)

    async with a_mailer(at(server), offer=0.3) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks())

    assert answer.status is Status.SENT


@pytest.mark.parametrize("reply", ["what?", "354 Go on", "999 Hm"])
async def test_an_answer_to_the_dot_that_makes_no_sense_is_uncertain(server: MailServer, reply: str) -> None:
    server.refuse(Step.DOT, reply)

    async with a_mailer(at(server)) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks())

    assert answer.status is Status.UNCERTAIN


async def test_a_line_cut_after_the_yes_does_not_matter(server: MailServer) -> None:
    server.cut(Step.ANSWERED)

    async with a_mailer(at(server)) as mailer:
        answers = [await mailer.hand_over(a_mail(), Marks()) for _ in range(2)]

    assert [answer.status for answer in answers] == [Status.SENT, Status.SENT]
    assert max(server.accepted.values()) == 1


async def test_a_kept_connection_that_went_stale_costs_no_attempt(server: MailServer) -> None:
    async with a_mailer(at(server)) as mailer:
        await mailer.hand_over(a_mail(), Marks())
        await server.cut_all()
        marks = Marks()
        answer = await mailer.hand_over(a_mail(), marks)

    assert answer.status is Status.SENT
    assert (server.connections, len(server.mails), marks.made) == (2, 2, 1)


async def test_a_kept_connection_that_the_server_ends_politely_costs_no_attempt(server: MailServer) -> None:
    async with a_mailer(at(server)) as mailer:
        await mailer.hand_over(a_mail(), Marks())
        server.refuse(Step.RSET, "421 Too long here")
        answer = await mailer.hand_over(a_mail(), Marks())

    assert answer.status is Status.SENT
    assert server.connections == 2


async def test_the_server_is_not_there(server: MailServer) -> None:
    await server.stop()

    async with a_mailer(at(server)) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks())
        await server.start()
        later = await mailer.hand_over(a_mail(), Marks())

    assert answer == Answer(Status.PENDING, None, Phase.CONNECT)
    assert later.status is Status.SENT


async def test_no_dot_follows_when_the_mail_is_another_senders_by_now(server: MailServer) -> None:
    async with a_mailer(at(server)) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks(answer=False))
        other = await mailer.hand_over(a_mail(), Marks())

    assert answer == Answer(Status.PENDING, None, Phase.MARK)
    assert other.status is Status.SENT
    assert len(server.offered) == 1


async def test_a_server_that_goes_away_while_the_dot_is_announced_gets_none(server: MailServer) -> None:
    async with a_mailer(at(server)) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks(meanwhile=server.cut_all))

    assert answer.status is Status.PENDING
    assert server.offered == []


async def test_a_fault_of_our_own_before_the_dot_leaves_the_mail_to_be_tried_again(
    server: MailServer,
) -> None:
    async def broken() -> None:
        raise RuntimeError("the database is away")

    async with a_mailer(at(server)) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks(meanwhile=broken))

    assert answer == Answer(Status.PENDING, None, Phase.MARK)
    assert server.offered == []


async def test_a_sender_that_is_cancelled_leaves_nothing_half_said(server: MailServer) -> None:
    async with a_mailer(at(server)) as mailer:
        reached = asyncio.Event()

        async def wait() -> None:
            reached.set()
            await asyncio.Event().wait()

        sending = asyncio.create_task(mailer.hand_over(a_mail(), Marks(meanwhile=wait)))
        await reached.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending

    assert server.offered == []


async def test_an_address_outside_ascii_goes_out_where_the_server_knows_how(server: MailServer) -> None:
    async with a_mailer(at(server)) as mailer:
        answer = await mailer.hand_over(a_mail(to="zoë@bücher.example"), Marks())

    assert answer.status is Status.SENT
    assert server.mails[0].recipients == ("zoë@xn--bcher-kva.example",)


async def test_an_address_outside_ascii_is_refused_where_the_server_does_not() -> None:
    async with MailServer(extensions=("8BITMIME",)) as server, a_mailer(at(server)) as mailer:
        answer = await mailer.hand_over(a_mail(to="zoë@example.com"), Marks())
        other = await mailer.hand_over(a_mail(), Marks())

    assert answer == Answer(Status.FAILED, None, Phase.SENDER)
    assert other.status is Status.SENT


class Keeping:
    """What aiosmtpd hands the mails to."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, bytes]] = []
        self.secure: list[bool] = []

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append((envelope.rcpt_tos[0], envelope.original_content or b""))
        self.secure.append(session.ssl is not None)
        return "250 Taken"


@contextmanager
def an_independent_server(keeping: Keeping, certificate: ssl.SSLContext) -> Iterator[int]:
    def sign_in(_server: object, _session: object, _envelope: object, _way: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == b"right", handled=False)

    controller = Controller(
        keeping, hostname="127.0.0.1", port=0, server_hostname="127.0.0.1", tls_context=certificate,
        require_starttls=True, auth_required=True, authenticator=sign_in,
        auth_require_tls=True, enable_SMTPUTF8=True, ready_timeout=10,
    )  # fmt: skip
    # The port is found out once the server listens.
    controller.port = _free_port()
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return context


@pytest.mark.parametrize("tls", ["require", "if_offered"])
async def test_an_independent_server_takes_a_mail_after_starttls_and_sign_in(
    certificate: ssl.SSLContext, tls: Literal["require", "if_offered"]
) -> None:
    keeping, mail = Keeping(), a_mail(".a line\n..another\n")

    with an_independent_server(keeping, certificate) as port:
        server = gateway.MailServer("127.0.0.1", port, tls=tls, user="attune", password="right")
        async with a_mailer(server) as mailer:
            answers = [await mailer.hand_over(mail, Marks()) for _ in range(2)]

    assert [answer.status for answer in answers] == [Status.SENT, Status.SENT]
    assert keeping.mails == [(TO, mail.data)] * 2
    assert keeping.secure == [True, True]


async def test_a_wrong_password_is_not_the_fault_of_the_mail(certificate: ssl.SSLContext) -> None:
    keeping = Keeping()

    with an_independent_server(keeping, certificate) as port:
        server = gateway.MailServer("127.0.0.1", port, tls="require", user="attune", password="wrong")
        async with a_mailer(server) as mailer:
            answer = await mailer.hand_over(a_mail(), Marks())

    assert answer == Answer(Status.PENDING, 535, Phase.SIGN_IN)
    assert keeping.mails == []


async def test_a_server_whose_certificate_nobody_vouches_for_gets_neither_password_nor_mail(
    certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    keeping = Keeping()

    with an_independent_server(keeping, certificate) as port:
        server = gateway.MailServer("127.0.0.1", port, tls="require", user="attune", password="right")
        async with a_mailer(server) as mailer:
            answer = await mailer.hand_over(a_mail(), Marks())

    assert (answer.status, answer.phase) == (Status.PENDING, Phase.TLS)
    assert keeping.mails == []


async def test_a_server_without_the_tls_that_is_required_gets_no_mail(server: MailServer) -> None:
    async with a_mailer(gateway.MailServer("127.0.0.1", server.port, tls="require")) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks())

    assert (answer.status, answer.phase) == (Status.PENDING, Phase.TLS)
    assert "MAIL" not in server.commands
