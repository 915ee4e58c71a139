"""The mails that the demo's mail server has taken."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Letter:
    """One delivered mail."""

    accepted: datetime
    recipient: str
    message_id: str
    """Of the Message-ID, what notify calls the message by."""

    mail: EmailMessage

    @property
    def text(self) -> str:
        """The mail as somebody reads it who wants no HTML."""
        body = self.mail.get_body(("plain",))
        return str(body.get_content()).strip() if body is not None else ""


def delivered(folder: Path) -> list[Letter]:
    """Every mail in the folder, oldest first."""
    return [_read(path) for path in sorted(folder.glob("*.eml"))]


def _read(path: Path) -> Letter:
    mail = message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=policy.default)
    nanoseconds = int(path.name.partition("-")[0])
    return Letter(
        accepted=datetime.fromtimestamp(nanoseconds / 1e9, UTC),
        recipient=str(mail["X-Envelope-To"]),
        message_id=str(mail["Message-ID"]).strip("<>").partition("@")[0],
        mail=mail,
    )
