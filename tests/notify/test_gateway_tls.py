"""TLS and signing in, against a mail server that others wrote."""

import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
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
from tests.notify.handing_over import TO, Marks, a_mail, a_mailer
from tests.support.mail_server import MailServer


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


async def test_a_server_without_the_tls_that_is_required_gets_no_mail(mail_server: MailServer) -> None:
    async with a_mailer(gateway.MailServer("127.0.0.1", mail_server.port, tls="require")) as mailer:
        answer = await mailer.hand_over(a_mail(), Marks())

    assert (answer.status, answer.phase) == (Status.PENDING, Phase.TLS)
    assert "MAIL" not in mail_server.commands
