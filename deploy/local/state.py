"""What a running stack remembers between starts: its ports, its secrets, how it is."""

import base64
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil

from deploy.local import processes
from deploy.local.faults import StackFault

SERVICES = ("intake", "matching", "review", "notify")
DATABASES = ("keyring", *SERVICES)
PORTS = {
    "postgres": 15432,
    "kafka": 19092,
    "controller": 19093,
    "smtp": 11025,
    "intake": 8001,
    "matching": 8002,
    "review": 8003,
    "notify": 8004,
}
STAFF_EMAIL = "reviewer@attune.example"
STAFF_NAME = "Robin Adeyemi"
PARTNER = "northgate-practice"


@dataclass(slots=True)
class Part:
    """How one part of the stack is."""

    state: str
    detail: str = ""
    restarts: int = 0
    pid: int | None = None


@dataclass(slots=True)
class Status:
    """How the stack is: `starting`, `up`, `stopping`, `failed`."""

    phase: str = "starting"
    fault: str = ""
    parts: dict[str, Part] = field(default_factory=dict)


@dataclass(slots=True)
class State:
    """One stack's folder."""

    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """What is remembered; new secrets where there are none yet."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        state = cls(folder.resolve())
        try:
            remembered = json.loads(state._file.read_text("utf-8"))
        except FileNotFoundError:
            remembered = {"ports": {}, "secrets": {}}
        except ValueError:
            raise StackFault(
                f"{state._file} is damaged. Without its secrets the data cannot be read."
            ) from None
        state.ports, state.secrets = remembered["ports"], remembered["secrets"]
        for name in ("postgres_password", "staff_password", *(f"{each}_db_password" for each in DATABASES)):
            state.secrets.setdefault(name, secrets.token_urlsafe(18))
        for purpose in ("contact", "clinical"):
            key = base64.b64encode(secrets.token_bytes(32)).decode()
            state.secrets.setdefault(f"sealing_key_{purpose}", key)
        state.save()
        return state

    def save(self) -> None:
        """Remembers ports and secrets, for the owner's eyes only."""
        self._write(self._file, {"ports": self.ports, "secrets": self.secrets})

    def choose_ports(self) -> None:
        """Keeps the ports of last time where they are free, and finds others where they are not."""
        chosen: dict[str, int] = {}
        for name, preferred in PORTS.items():
            wanted = self.ports.get(name, preferred)
            chosen[name] = processes.free_port(wanted, list(chosen.values()))
        self.ports = chosen
        self.save()

    def place(self, name: str) -> Path:
        """The folder of one part."""
        path = self.folder / name
        path.mkdir(exist_ok=True)
        return path

    @property
    def mails(self) -> Path:
        """Where the mail server keeps what it gets."""
        return self.place("mail")

    # --- who runs it ---------------------------------------------------------------------------------

    def claim(self) -> None:
        """Writes down that this process runs the stack."""
        me = psutil.Process()
        self._write(self._pid_file, {"pid": me.pid, "started": me.create_time()})

    def release(self) -> None:
        """Writes down that nobody runs it any more."""
        self._pid_file.unlink(missing_ok=True)

    def runner(self) -> psutil.Process | None:
        """The process that runs the stack; a stale note of a dead or another process counts as none."""
        try:
            note = json.loads(self._pid_file.read_text("utf-8"))
            process = psutil.Process(note["pid"])
            alive = abs(process.create_time() - note["started"]) < 1 and process.status() != "zombie"
        except (FileNotFoundError, ValueError, KeyError, psutil.Error):
            return None
        return process if alive else None

    # --- how it is -----------------------------------------------------------------------------------

    def report(self, status: Status) -> None:
        """Writes down how the stack is, for `up` and `status` to read."""
        self._write(self._status_file, asdict(status))

    def status(self) -> Status:
        """How the stack said it was."""
        try:
            found = json.loads(self._status_file.read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return Status(phase="down")
        parts = {name: Part(**part) for name, part in found["parts"].items()}
        return Status(found["phase"], found["fault"], parts)

    def forget_status(self) -> None:
        """Takes back what an earlier run said."""
        self._status_file.unlink(missing_ok=True)

    @contextmanager
    def once(self, what: str) -> Iterator[bool]:
        """True if something was not done yet; done once the block ends well."""
        mark = self.place("done") / what
        yield not mark.exists()
        mark.touch()

    @property
    def _file(self) -> Path:
        return self.folder / "state.json"

    @property
    def _pid_file(self) -> Path:
        return self.folder / "runner.json"

    @property
    def _status_file(self) -> Path:
        return self.folder / "status.json"

    @staticmethod
    def _write(path: Path, document: dict[str, Any]) -> None:
        part = path.with_suffix(f".{os.getpid()}")
        part.touch(mode=0o600)
        part.write_text(json.dumps(document, indent=1), "utf-8")
        part.replace(path)
