"""What a mail says: neutral in subject and body, the same words as text and as HTML, rendered once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from pathlib import Path
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.contract.vocabulary import MessageKind, OnwardRoute

TEMPLATES = Path(__file__).parents[1] / "templates"

ONWARD: Mapping[OnwardRoute, str] = {
    OnwardRoute.GP: "Please make an appointment with your GP. You can show them this message.",
    OnwardRoute.NHS_TALKING_THERAPIES: (
        "There is a free NHS service near you that you can ask for help yourself. Your GP's practice or "
        "NHS 111 will tell you how to reach it."
    ),
    OnwardRoute.NHS_CRISIS_LINE: "Please call NHS 111 and choose option 2. Somebody answers at any hour.",
    OnwardRoute.CHILD_AND_ADOLESCENT_SERVICE: (
        "The NHS has a service for children and young people in your area. The GP or the school can refer "
        "to it."
    ),
    OnwardRoute.EATING_DISORDER_SERVICE: (
        "Your GP can refer you to an NHS team that knows more about this than we do."
    ),
    OnwardRoute.COMMUNITY_MENTAL_HEALTH_TEAM: "Your GP can refer you to an NHS team near you.",
    OnwardRoute.RELATIONSHIP_SERVICE: "Relate works with couples and families: relate.org.uk.",
    OnwardRoute.OTHER_CLINIC: "Another clinic may suit you better. We will call you to tell you which.",
}
"""Onward routes in words that give nothing away: some services' names say what they are for."""

_LINK = re.compile(r"https?://\S+")


class Unwritable(ValueError):
    """A name or an address that could not stand in a mail's head."""


@dataclass(frozen=True, slots=True)
class Person:
    """To whom a mail goes."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class House:
    """Who writes."""

    clinic: str
    sender: str
    phone: str = ""


class Stationery:
    """Renders mails."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=lambda name: name is not None and name.endswith(".html"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
        )

    def write(
        self, message_id: UUID, kind: MessageKind, to: Person, now: datetime, **facts: str | None
    ) -> bytes:
        """One mail to one person; the same arguments give the same bytes."""
        rendered = self._templates.get_template(f"{kind}.txt").render(
            house=self.house, name=to.name, urgent=kind is not MessageKind.REFERRAL, **facts
        )
        subject, _, text = rendered.strip().partition("\n")
        text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
        mail = EmailMessage(policy=SMTP if to.email.isascii() else SMTPUTF8)
        mail["From"] = _address(self.house.clinic, self.house.sender)
        mail["To"] = _address(to.name, to.email)
        mail["Subject"] = subject.removeprefix("Subject: ").strip()
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = f"<{message_id}@{self.house.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text)
        mail.add_alternative(self._html(mail["Subject"], text), subtype="html")
        # A fixed boundary: a retry sends the very same bytes.
        mail.set_boundary(f"=-{message_id.hex}-=")
        return mail.as_bytes()

    def _html(self, title: str, text: str) -> str:
        paragraphs = [paragraph.splitlines() for paragraph in text.strip().split("\n\n")]
        return self._templates.get_template("letter.html").render(
            title=title, paragraphs=paragraphs, house=self.house, is_link=_is_link
        )


def _is_link(line: str) -> bool:
    return _LINK.fullmatch(line.strip()) is not None


def _address(name: str, email: str) -> Address:
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in name + email):
        raise Unwritable("a name or an address holds a control character")
    try:
        return Address(display_name=name, addr_spec=email)
    except (ValueError, IndexError) as error:
        raise Unwritable("an address cannot be written in a mail's head") from error
