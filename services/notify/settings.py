"""What notify must be told beside what the kit needs."""

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr

from services.notify.domain.jobs import Patience
from services.notify.domain.mail import Mailbox, NotWritable
from services.notify.domain.neutral import telling_words
from services.notify.gateway import MailServer
from shared.kit.settings import KitSettings, Seconds

_TLS: dict[str | None, Literal["require", "if_offered", "never"]] = {
    None: "if_offered",
    "require": "require",
    "never": "never",
}
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
PORTS = {"smtp": 587, "smtps": 465}


def mail_server(url: str) -> MailServer:
    """Where mail goes: smtp://user:password@host:port, or smtps://.

    Plain smtp is upgraded by STARTTLS where the server offers it; `?starttls=require` insists on it.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    wish = options.pop("starttls", None)
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/"):
        raise ValueError("must be smtp://[user:password@]host:port or smtps://…")
    if options or wish not in _TLS:
        raise ValueError("knows one option: ?starttls=require or ?starttls=never")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("must have a port below 65536") from None
    # Whether a password travels in the open must not be up to the server, or to somebody in between.
    if parts.scheme == "smtp" and parts.username and wish is None and parts.hostname not in LOOPBACK:
        raise ValueError("bears a password, so it must be smtps:// or say ?starttls=require (or never)")
    return MailServer(
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        tls="implicit" if parts.scheme == "smtps" else _TLS[wish],
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password or ""),
    )


def _smtp(url: SecretStr) -> SecretStr:
    mail_server(url.get_secret_value())
    return url


def _sender(address: str) -> str:
    try:
        mailbox = Mailbox("", address)
    except NotWritable as fault:
        raise ValueError(f"must be one plain e-mail address: {fault}") from None
    if not mailbox.on_the_wire.isascii():
        raise ValueError("must be written in ASCII, as not every mail server takes another")
    return _neutral(mailbox.on_the_wire)


def _neutral(text: str) -> str:
    if telling_words(text):
        raise ValueError("must not say what the clinic treats: it stands in every mail")
    return text


class Settings(KitSettings):
    """Notify's settings."""

    smtp_url: Annotated[SecretStr, AfterValidator(_smtp)] = Field(description="where mail is handed over")
    mail_from: Annotated[str, AfterValidator(_sender)] = Field(
        description="the address that mails come from; somebody must read what is sent there"
    )
    clinic_name: Annotated[str, AfterValidator(_neutral)] = Field(
        min_length=1,
        max_length=60,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="what the clinic is called in mails",
    )

    senders: int = Field(4, ge=1, le=32)
    """How many mails may be under way at once, each on its own connection."""

    send_poll_seconds: float = Field(0.25, gt=0, le=10)
    lease_seconds: float = Field(15, ge=1, le=600)
    """A sender that has given no sign of life for so long is taken for dead."""

    smtp_offer_seconds: Seconds = 60
    """How long connecting and offering one mail may take, up to its final dot."""

    smtp_answer_seconds: Seconds = 600
    """How long to wait for the answer to the final dot; RFC 5321 asks for ten minutes."""

    first_pause_seconds: Seconds = 2
    longest_pause_seconds: Seconds = 900
    give_up_hours: Seconds = 24
    """How long a mail that the server does not take is tried again."""

    @property
    def sender(self) -> Mailbox:
        """Who mails are from."""
        return Mailbox(self.clinic_name, self.mail_from)

    @property
    def patience(self) -> Patience:
        """How long and how often a mail is tried."""
        return Patience(
            first_pause=timedelta(seconds=self.first_pause_seconds),
            longest_pause=timedelta(seconds=self.longest_pause_seconds),
            give_up_after=timedelta(hours=self.give_up_hours),
        )
