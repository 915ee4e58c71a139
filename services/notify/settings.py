"""What notify must be told beside what the kit needs."""

from email.utils import parseaddr
from typing import Annotated
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr

from services.notify.gateway import MailServer
from shared.kit.settings import KitSettings

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
PORTS = {"smtp": 587, "smtps": 465}


def mail_server(url: str) -> MailServer:
    """Where mail goes: smtp://user:password@host:port, or smtps://.

    Plain smtp must be upgraded by STARTTLS unless the host is this machine or `?starttls=never` is added.
    """
    parts = urlsplit(url)
    wish = parse_qs(parts.query).get("starttls", ["require"])[0]
    if parts.scheme not in PORTS or not parts.hostname or wish not in {"require", "never"}:
        raise ValueError("must be smtp:// or smtps:// with a host, and ?starttls= require or never")
    return MailServer(
        host=parts.hostname,
        port=parts.port or PORTS[parts.scheme],
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        tls=parts.scheme == "smtps",
        starttls=parts.scheme == "smtp" and wish == "require" and parts.hostname not in LOOPBACK,
    )


def _smtp(url: SecretStr) -> SecretStr:
    mail_server(url.get_secret_value())
    return url


def _address(address: str) -> str:
    name, email = parseaddr(address)
    if name or email != address or "@" not in email or any(ord(sign) < 33 for sign in email):
        raise ValueError("must be one plain e-mail address")
    return address


class Settings(KitSettings):
    """Notify's settings."""

    smtp_url: Annotated[SecretStr, AfterValidator(_smtp)] = Field(description="where mail is handed over")
    mail_from: Annotated[str, AfterValidator(_address)] = Field(
        description="the address that mails come from"
    )
    clinic_name: str = Field(
        min_length=1, max_length=60, pattern=r"^[^\r\n]+$", description="what the clinic is called in mails"
    )
    clinic_phone: str = Field("", max_length=30, pattern=r"^[^\r\n]*$")
    review_public_url: str = Field(description="where therapists will find their referrals")

    send_poll_seconds: float = Field(0.25, gt=0, le=10)
    smtp_timeout_seconds: float = Field(60, gt=0)
    """How long the mail server may take for one answer. Not above half the lease."""

    lease_seconds: float = Field(180, gt=0)
    """After so long a sender that has not said what became of its message is taken for dead."""

    give_up_hours: float = Field(24, gt=0)
    """How long a message that the server does not take is tried again."""
