"""Hands single mails to a mail server."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from services.notify import gateway
from services.notify.domain.mail import Letter, Mail, Mailbox, compose
from services.notify.gateway import Mailer
from shared.kit.identifiers import new_id
from tests.notify.builders import NOON
from tests.notify.letters import SENDER
from tests.support.mail_server import MailServer

TO = "maya@example.com"


def a_mail(text: str = "Hello\n", to: str = TO) -> Mail:
    """A mail with this text."""
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
    """A mailer that waits for a server no longer than this."""
    mailer = Mailer(server, SENDER.on_the_wire, offer_seconds=offer, answer_seconds=answer)
    try:
        yield mailer
    finally:
        await mailer.close()


def at(server: MailServer) -> gateway.MailServer:
    """Where that server is."""
    return gateway.MailServer("127.0.0.1", server.port)
