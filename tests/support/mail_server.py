"""A real SMTP server for tests, on asyncio: it keeps its mail, and fails at whatever step it is told to.

aiosmtpd cannot cut the line on either side of the final dot from its handlers, hence a server of our own.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum, auto
from types import TracebackType
from typing import Self

from tests.support.received import Received


class Step(StrEnum):
    """Where in a conversation a fault strikes."""

    CONNECT = auto()
    EHLO = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    """At the DATA command, before any of the message."""

    BODY = auto()
    """In the middle of the message, before its final dot."""

    DOT = auto()
    """At the final dot, before the server takes the message."""

    TAKEN = auto()
    """After the server has taken the message and before it says so."""

    ANSWERED = auto()
    """After the server has said that it took the message."""

    RSET = auto()


@dataclass(slots=True)
class Fault:
    """What goes wrong: a reply, a cut line or a delay; `times` is how often, None for always."""

    step: Step
    reply: str | None = None
    cut: bool = False
    delay: float = 0
    times: int | None = 1
    recipient: str | None = None
    """Only for mails to this address."""

    meanwhile: Callable[[], Awaitable[object]] | None = None
    """What happens elsewhere just then."""


@dataclass(slots=True)
class _Conversation:
    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)


class _Cut(Exception):
    """The line is cut here."""


class MailServer:
    """Listens on loopback; its mail outlives `stop` and `start`, and so does its port."""

    def __init__(self, port: int = 0, extensions: tuple[str, ...] = ("8BITMIME", "SMTPUTF8")) -> None:
        self.port = port
        self.mails: list[Received] = []
        self.connections = 0
        self.commands: list[str] = []
        """The verbs it was given, in order."""

        self.offered: list[bytes] = []
        """Every message whose final dot was seen, taken or not."""

        self.reached: Counter[Step] = Counter()
        self._extensions = extensions
        self._faults: list[Fault] = []
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """As SMTP_URL."""
        return f"smtp://127.0.0.1:{self.port}?starttls=never"

    @property
    def accepted(self) -> Counter[str]:
        """How often each Message-ID was taken."""
        return Counter(mail.message_id for mail in self.mails)

    def to(self, address: str) -> list[Received]:
        """The mails to one address, in the order they were taken."""
        return [mail for mail in self.mails if address in mail.recipients]

    def fail(self, fault: Fault) -> None:
        """From now on, that goes wrong."""
        self._faults.append(fault)

    def refuse(self, step: Step, reply: str, *, times: int | None = 1, recipient: str | None = None) -> None:
        """Answers a step with a reply such as `451 Not now`."""
        self.fail(Fault(step, reply=reply, times=times, recipient=recipient))

    def cut(self, step: Step, *, times: int | None = 1, recipient: str | None = None) -> None:
        """Cuts the line at a step."""
        self.fail(Fault(step, cut=True, times=times, recipient=recipient))

    def delay(self, step: Step, seconds: float, *, times: int | None = 1) -> None:
        """Takes its time at a step."""
        self.fail(Fault(step, delay=seconds, times=times))

    def on(self, step: Step, recipient: str, meanwhile: Callable[[], Awaitable[object]]) -> None:
        """Lets something happen elsewhere, once, while it is at a step of a mail to an address."""
        self._faults.insert(0, Fault(step, recipient=recipient, meanwhile=meanwhile))

    def on_any_dot(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        """Lets something happen elsewhere, once, while it is at the final dot of any mail."""
        self._faults.insert(0, Fault(Step.DOT, meanwhile=meanwhile))

    def mend(self) -> None:
        """Nothing goes wrong any more."""
        self._faults.clear()

    async def start(self) -> None:
        """Listens; on the same port as before, if it has listened before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stops listening and cuts all lines."""
        if self._server is None:
            return
        self._server.close()
        await self.cut_all()
        await self._server.wait_closed()
        self._server = None

    async def cut_all(self) -> None:
        """Cuts all lines and goes on listening."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        conversation = _Conversation(self.connections, reader, writer)
        try:
            await self._talk(conversation)
        except (_Cut, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            # Aborted: a cut line takes with it what was not read yet.
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _talk(self, talk: _Conversation) -> None:
        if not await self._refused(Step.CONNECT, talk):
            await self._say(talk, "220 mail.test ESMTP")
        while True:
            line = (await talk.reader.readuntil(b"\n")).decode("utf-8", "surrogateescape").strip()
            verb = line.partition(" ")[0].upper()
            self.commands.append(verb)
            if verb == "QUIT":
                await self._say(talk, "221 Bye")
                return
            match verb:
                case "EHLO" | "HELO":
                    await self._ehlo(talk)
                case "MAIL":
                    await self._mail(talk, line)
                case "RCPT":
                    await self._rcpt(talk, line)
                case "DATA":
                    await self._data(talk)
                case "RSET":
                    await self._rset(talk)
                case "NOOP":
                    await self._say(talk, "250 OK")
                case _:
                    await self._say(talk, "500 Unknown")

    async def _ehlo(self, talk: _Conversation) -> None:
        if not await self._refused(Step.EHLO, talk):
            lines = ["mail.test", *self._extensions]
            for more in lines[:-1]:
                await self._say(talk, f"250-{more}")
            await self._say(talk, f"250 {lines[-1]}")

    async def _mail(self, talk: _Conversation, line: str) -> None:
        if not await self._refused(Step.MAIL, talk):
            talk.sender, talk.recipients = _address(line), []
            await self._say(talk, "250 OK")

    async def _rcpt(self, talk: _Conversation, line: str) -> None:
        address = _address(line)
        if talk.sender is None:
            await self._say(talk, "503 MAIL first")
        elif not await self._refused(Step.RCPT, talk, address):
            talk.recipients.append(address)
            await self._say(talk, "250 OK")

    async def _data(self, talk: _Conversation) -> None:
        if talk.sender is None or not talk.recipients:
            await self._say(talk, "503 RCPT first")
            return
        if await self._refused(Step.DATA, talk):
            return
        await self._say(talk, "354 Go on")
        lines: list[bytes] = []
        while (line := await talk.reader.readuntil(b"\r\n")) != b".\r\n":
            if not lines:
                await self._refused(Step.BODY, talk)
            lines.append(line.removeprefix(b".") if line.startswith(b".") else line)
        data = b"".join(lines)
        self.offered.append(data)
        if await self._refused(Step.DOT, talk):
            talk.sender = None
            return
        self.mails.append(Received(talk.sender, tuple(talk.recipients), data, talk.number))
        talk.sender = None
        if not await self._refused(Step.TAKEN, talk):
            await self._say(talk, "250 Taken")
            await self._refused(Step.ANSWERED, talk)

    async def _rset(self, talk: _Conversation) -> None:
        if not await self._refused(Step.RSET, talk):
            talk.sender = None
            await self._say(talk, "250 OK")

    async def _refused(self, step: Step, talk: _Conversation, recipient: str | None = None) -> bool:
        """Lets the faults of a step strike; True if one of them has answered already."""
        self.reached[step] += 1
        to = [recipient] if recipient is not None else talk.recipients
        for fault in [each for each in self._faults if each.step is step]:
            if fault.times == 0 or (fault.recipient is not None and fault.recipient not in to):
                continue
            if fault.times is not None:
                fault.times -= 1
            if fault.meanwhile is not None:
                await fault.meanwhile()
            await asyncio.sleep(fault.delay)
            if fault.cut:
                raise _Cut
            if fault.reply is not None:
                await self._say(talk, fault.reply)
                return True
        return False

    @staticmethod
    async def _say(talk: _Conversation, line: str) -> None:
        talk.writer.write(line.encode() + b"\r\n")
        with suppress(ConnectionError):
            await talk.writer.drain()


def _address(line: str) -> str:
    return line[line.index("<") + 1 : line.index(">")]
