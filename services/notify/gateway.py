"""The mail server: hands one message over and knows how far it got.

Until the final dot a message is surely not taken and may be tried again. After the dot only the server's
answer tells; without one, nobody knows (RFC 1047).
"""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import aiosmtplib
from aiosmtplib.protocol import normalize_message_line_endings

from services.notify.domain.jobs import Answer, Status

START_INPUT = 354
COMPLETED = 250


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over, and how."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    starttls: bool = False


class Mailer:
    """Hands messages over, several on one connection."""

    def __init__(self, server: MailServer, *, timeout: float) -> None:
        self._server = server
        self._timeout = timeout
        self._smtp: aiosmtplib.SMTP | None = None

    async def hand_over(
        self, message: bytes, *, sender: str, recipient: str, before_dot: Callable[[], Awaitable[None]]
    ) -> Answer:
        """Hands one message to one recipient; `before_dot` runs just before there is no way back."""
        try:
            smtp = await self._connected()
            await smtp.mail(sender, options=_options(sender, recipient), encoding="utf-8")
            await smtp.rcpt(recipient, encoding="utf-8")
            start = await smtp.execute_command(b"DATA")
            if start.code != START_INPUT:
                raise aiosmtplib.SMTPDataError(start.code, "DATA")
            assert smtp.protocol is not None  # noqa: S101 - it has just answered
            smtp.protocol.write(_stuffed(message))
            await before_dot()
        except aiosmtplib.SMTPResponseException as refusal:
            self.close()
            return Answer(Status.FAILED, refusal.code)
        except aiosmtplib.SMTPRecipientsRefused as refusal:
            self.close()
            return Answer(Status.FAILED, refusal.recipients[0].code)
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            self.close()
            return Answer(Status.FAILED)
        except BaseException:
            # Closed before the dot: the server throws away what it has.
            self.close()
            raise
        return await self._dot(smtp)

    def close(self) -> None:
        """Ends the connection."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    async def _dot(self, smtp: aiosmtplib.SMTP) -> Answer:
        try:
            assert smtp.protocol is not None  # noqa: S101
            smtp.protocol.write(b".\r\n")
            response = await smtp.protocol.read_response(timeout=self._timeout)
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            self.close()
            return Answer(Status.UNCERTAIN)
        except BaseException:
            self.close()
            raise
        if response.code == COMPLETED:
            return Answer(Status.SENT, response.code)
        self.close()
        return Answer(Status.FAILED, response.code)

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._smtp is not None:
            try:
                # A connection that the server has given up shows itself here, where nothing is at stake.
                await self._smtp.rset()
            except (aiosmtplib.SMTPException, OSError, TimeoutError):
                self.close()
            else:
                return self._smtp
        smtp = aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            username=self._server.user,
            password=self._server.password,
            use_tls=self._server.tls,
            start_tls=self._server.starttls,
            timeout=self._timeout,
            tls_context=ssl.create_default_context() if self._server.tls or self._server.starttls else None,
        )
        self._smtp = smtp
        await smtp.connect()
        return smtp


def _options(sender: str, recipient: str) -> list[str]:
    return [] if (sender + recipient).isascii() else ["SMTPUTF8"]


def _stuffed(message: bytes) -> bytes:
    lines = normalize_message_line_endings(message)
    return (b".." + lines[1:] if lines.startswith(b".") else lines).replace(b"\r\n.", b"\r\n..")
