"""A real SMTP server that keeps every mail it gets as a file, and sends nothing on."""

import asyncio
import os
import signal
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "mailbox.attune.example"
SIZE_LIMIT = 1024 * 1024


class Mailbox:
    """Keeps mails as .eml files, oldest first by name, with the envelope in X- headers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Writes the mail down before saying that it was taken."""
        self._count += 1
        name = f"{time.time_ns()}-{self._count:06d}.eml"
        recipients = ", ".join(envelope.rcpt_tos)
        head = f"X-Envelope-From: {envelope.mail_from}\r\nX-Envelope-To: {recipients}\r\n".encode()
        part = self._folder / f".{name}"
        with part.open("wb") as out:
            out.write(head + (envelope.content or b""))  # type: ignore[operator]
            out.flush()
            os.fsync(out.fileno())
        part.rename(self._folder / name)
        return "250 kept"


async def serve(folder: Path, port: int) -> None:
    """Takes mail on a loopback port until SIGTERM."""
    loop = asyncio.get_running_loop()
    mailbox = Mailbox(folder)
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    server = await loop.create_server(
        lambda: SMTP(mailbox, hostname=HOST, data_size_limit=SIZE_LIMIT, enable_SMTPUTF8=True),
        "127.0.0.1",
        port,
    )
    async with server:
        await stopping.wait()
