"""The mail itself: one recipient, text and HTML, every byte settled when it is written."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import Self
from uuid import UUID

_LOCAL_PART = re.compile(r"[^\s\x00-\x1f\x7f()<>\[\]:;@\\,\"]{1,64}")
_DOMAIN = re.compile(
    r"(?=.{1,255}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LONGEST_NAME = 120


class NotWritable(ValueError):
    """No mail can be addressed like this; says which rule is broken, never the value."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A name and an address that are safe to stand in a header."""

    name: str
    address: str

    def __post_init__(self) -> None:
        if _CONTROL.search(self.name) or len(self.name) > _LONGEST_NAME:
            raise NotWritable("a name must be one line without control characters")
        if _plain(self.address) is None:
            raise NotWritable(
                "an address must be one local part, an @ and a domain, without spaces or line breaks"
            )

    @property
    def on_the_wire(self) -> str:
        """The address as SMTP takes it: the domain in ASCII."""
        plain = _plain(self.address)
        assert plain is not None  # noqa: S101 - checked when it was made
        return "@".join(plain)

    @property
    def domain(self) -> str:
        """What stands behind the @."""
        return self.on_the_wire.rpartition("@")[2]

    def header(self) -> Address:
        """For a From or To header."""
        local, _, domain = self.on_the_wire.rpartition("@")
        return Address(display_name=self.name, username=local, domain=domain)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says, in both its forms."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A finished mail: the one address it goes to, and all its bytes."""

    to: str
    data: bytes

    def packed(self) -> bytes:
        """As one value, for keeping."""
        return self.to.encode() + b"\n" + self.data

    @classmethod
    def unpacked(cls, value: bytes) -> Self:
        """What `packed` made."""
        to, _, data = value.partition(b"\n")
        return cls(to.decode(), data)


def compose(letter: Letter, *, sender: Mailbox, to: Mailbox, message_id: UUID, written_at: datetime) -> Mail:
    """Puts a letter into its envelope; the same arguments give the same bytes."""
    # Only an address that needs it asks the server for SMTPUTF8; names and texts are encoded in ASCII.
    policy = SMTP if to.on_the_wire.isascii() and sender.on_the_wire.isascii() else SMTPUTF8
    mail = EmailMessage(policy=policy)
    mail["From"] = sender.header()
    mail["To"] = to.header()
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(written_at)
    mail["Message-ID"] = message_id_header(message_id, sender)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.text, cte="quoted-printable")
    mail.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    # After the contents: setting those removes every other Content- header.
    mail["Content-Language"] = "en-GB"
    # Given, as Python's own would be different each time.
    mail.set_boundary(f"=_{message_id.hex}")
    return Mail(to.on_the_wire, mail.as_bytes())


def message_id_header(message_id: UUID, sender: Mailbox) -> str:
    """The Message-ID: the same for every attempt, so that a doubled mail can be recognised."""
    return f"<{message_id}@{sender.domain}>"


def _plain(address: str) -> tuple[str, str] | None:
    local, at, domain = address.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii") if domain else ""
    except UnicodeError:
        return None
    # Odd dots are for the server to refuse; what could end a header or a command is not let through.
    if not at or not _LOCAL_PART.fullmatch(local) or not _DOMAIN.fullmatch(ascii_domain):
        return None
    return local, ascii_domain
