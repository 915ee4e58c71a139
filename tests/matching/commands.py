"""Runs the directory's commands as an operator does."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from services.matching.domain.directory_file import written

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Awaitable[Outcome]]


async def begun(database_url: str, *arguments: str | Path, **settings: str) -> asyncio.subprocess.Process:
    """A command that runs."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.matching",
        "therapists",
        *map(str, arguments),
        cwd=ROOT,
        env={"DATABASE_URL": database_url, "PATH": os.environ["PATH"]} | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> Outcome:
    """What a command has said by its end."""
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return Outcome(process.returncode or 0, out.decode(), err.decode())


def saved(path: Path, *therapists: object, spoil: str = "") -> Path:
    """Writes therapists to a file; `spoil` makes the fee of the first row wrong."""
    text = "".join(written(therapists))  # type: ignore[arg-type]
    path.write_text(text.replace(",80,", f",{spoil},", 1) if spoil else text, encoding="utf-8")
    return path
