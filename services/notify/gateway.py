"""The mail server: hands one mail over and knows how far it got.

Until the final dot a mail is surely not taken and may be tried again. After the dot only the server's
answer tells; without one, nobody knows (RFC 1047). aiosmtplib's own `data()` writes body and dot in one go,
so the last step is spoken here, on the public seam of aiosmtplib 5: `write` and `read_response` of
`SMTP.protocol`. Nothing may be awaited between a write and the read of its reply: a quick one would be lost.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from services.notify.domain.jobs import Answer, Phase, Status, replied
from services.notify.domain.mail import Mail
from shared.kit import failpoints, logs

START_INPUT = 354
QUIT_SECONDS = 5.0

BeforeDot = Callable[[], Awaitable[bool]]
"""Notes that the final dot comes next; False if the mail is another sender's by now."""

_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over, and how."""

    host: str
    port: int
    tls: Literal["implicit", "require", "if_offered", "never"] = "never"
    user: str | None = None
    password: str = field(default="", repr=False)


class Mailer:
    """Hands mails over, several on one connection; serves one sender at a time."""

    def __init__(
        self, server: MailServer, sender: str, *, offer_seconds: float, answer_seconds: float
    ) -> None:
        self._server = server
        self._sender = sender
        self._offer_seconds = offer_seconds
        self._answer_seconds = answer_seconds
        self._smtp: aiosmtplib.SMTP | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._phase = Phase.CONNECT

    async def hand_over(self, mail: Mail, before_dot: BeforeDot) -> Answer:
        """Hands one mail to its one recipient; raises nothing but cancellation."""
        kept = self._smtp is not None
        answer = await self._attempt(mail, before_dot)
        broken = answer.status is Status.PENDING and self._smtp is None
        # A kept connection may have been given up by the server meanwhile: that says nothing about this mail.
        if kept and broken and answer.phase in {Phase.GREETING, Phase.SENDER}:
            answer = await self._attempt(mail, before_dot)
        return answer

    async def close(self) -> None:
        """Takes leave of the server, if there is a connection."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await smtp.quit(timeout=QUIT_SECONDS)
            smtp.close()

    async def _attempt(self, mail: Mail, before_dot: BeforeDot) -> Answer:
        try:
            async with asyncio.timeout(self._offer_seconds):
                smtp = await self._connected()
                await self._envelope(smtp, mail)
                protocol = await self._body(smtp, mail)
                self._phase = Phase.MARK
                if not await before_dot():
                    self._drop()
                    return Answer(Status.PENDING, phase=self._phase)
                # Hears whether the server went away while that was noted down.
                await asyncio.sleep(0)
                if not protocol.is_connected:
                    raise aiosmtplib.SMTPServerDisconnected("gone before the final dot")
        except aiosmtplib.SMTPResponseException as refusal:
            return self._refused(refusal.code)
        except _NoSmtpUtf8:
            return Answer(Status.FAILED, phase=self._phase)
        except asyncio.CancelledError:
            self._drop()
            raise
        except (
            Exception
        ) as fault:  # before the dot, a fault of any kind is one more attempt, within the bound
            self._drop()
            logs.logger().warning("a mail was not handed over", phase=self._phase.value, **logs.fault(fault))
            return Answer(Status.PENDING, phase=self._phase)
        return await self._dot(protocol)

    async def _connected(self) -> aiosmtplib.SMTP:
        self._phase = Phase.GREETING
        if self._smtp is not None:
            # Clears what the last mail left, and shows whether the server is still there.
            await self._smtp.rset()
            return self._smtp
        self._phase = Phase.CONNECT
        server = self._server
        self._smtp = smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls == "implicit",
            start_tls=False,
            # Our own host's name is nobody's business; looking it up may take long.
            local_hostname=self._sender.rpartition("@")[2],
            timeout=self._offer_seconds,
        )
        await smtp.connect()
        self._phase = Phase.GREETING
        await smtp.ehlo()
        if server.tls == "require" or (server.tls == "if_offered" and smtp.supports_extension("starttls")):
            self._phase = Phase.TLS
            await smtp.starttls()
            await smtp.ehlo()
        if server.user is not None:
            self._phase = Phase.SIGN_IN
            await smtp.login(server.user, server.password)
        return smtp

    async def _envelope(self, smtp: aiosmtplib.SMTP, mail: Mail) -> None:
        self._phase = Phase.SENDER
        options = []
        if not mail.to.isascii():
            if not smtp.supports_extension("smtputf8"):
                raise _NoSmtpUtf8
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        await smtp.mail(self._sender, options=options, encoding="utf-8")
        self._phase = Phase.RECIPIENT
        await smtp.rcpt(mail.to, encoding="utf-8")

    async def _body(self, smtp: aiosmtplib.SMTP, mail: Mail) -> SMTPProtocol:
        self._phase = Phase.DATA
        start = await smtp.execute_command(b"DATA")
        if start.code != START_INPUT:
            raise aiosmtplib.SMTPDataError(start.code, "DATA")
        self._phase = Phase.BODY
        protocol = smtp.protocol
        if protocol is None or not isinstance(protocol.transport, asyncio.WriteTransport):
            raise aiosmtplib.SMTPServerDisconnected("gone after DATA")
        if self._writer is None or self._writer.transport is not protocol.transport:
            # Kept as long as the connection: a StreamWriter that is forgotten closes its transport.
            self._writer = asyncio.StreamWriter(
                protocol.transport, protocol, None, asyncio.get_running_loop()
            )
            # Not 0: asyncio's TLS transport would pause for ever.
            protocol.transport.set_write_buffer_limits(high=1, low=0)
        protocol.write(stuffed(mail.data))
        # A server that stops reading is found out here, where the mail may still be tried again.
        await self._writer.drain()
        return protocol

    async def _dot(self, protocol: SMTPProtocol) -> Answer:
        failpoints.reach("notify.before_dot")
        self._phase = Phase.ANSWER
        try:
            protocol.write(b".\r\n")
            failpoints.reach("notify.after_dot")
            reply = await protocol.read_response(timeout=self._answer_seconds)
        except asyncio.CancelledError:
            self._drop()
            raise
        except Exception as fault:  # after the dot, a fault of any kind leaves open what the server did
            self._drop()
            logs.logger().warning("no answer to the final dot", **logs.fault(fault))
            return Answer(Status.UNCERTAIN)
        failpoints.reach("notify.after_answer")
        answer = replied(self._phase, reply.code)
        if answer.status is not Status.SENT or not protocol.is_connected:
            self._drop()
        return answer

    def _refused(self, code: int) -> Answer:
        logs.logger().warning("the mail server refused", phase=self._phase.value, code=code)
        # A refused recipient leaves the connection as good as it was; anything else begins anew.
        if self._phase is not Phase.RECIPIENT or self._smtp is None or not self._smtp.is_connected:
            self._drop()
        return replied(self._phase, code)

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        # Aborted, not closed: what still waits to be written must not go out any more.
        if isinstance(smtp.transport, asyncio.WriteTransport):
            smtp.transport.abort()
        smtp.close()


class _NoSmtpUtf8(Exception):
    """The address needs an extension that the server has not got."""


def stuffed(data: bytes) -> bytes:
    """A mail as DATA takes it: lines ended by CRLF, a leading dot doubled; without the final dot."""
    lines = _LINE_END.sub(b"\r\n", data)
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", lines)
