"""Runs matching's commands as an operator does."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.matching.domain.directory_file import written

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What it said, as JSON."""
        return json.loads(self.out)


Command = Callable[..., Awaitable[Outcome]]


async def begun(settings: Mapping[str, str], *arguments: str | Path) -> asyncio.subprocess.Process:
    """A command that runs: `python -m services.matching …`."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.matching",
        *map(str, arguments),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> Outcome:
    """What a command has said by its end."""
    async with asyncio.timeout(120):
        out, err = await process.communicate()
    return Outcome(process.returncode or 0, out.decode(), err.decode())


def saved(path: Path, *therapists: object, spoil: str = "") -> Path:
    """Writes therapists to a file; `spoil` makes the fee of the first row wrong."""
    text = "".join(written(therapists))  # type: ignore[arg-type]
    path.write_text(text.replace(",80,", f",{spoil},", 1) if spoil else text, encoding="utf-8")
    return path
