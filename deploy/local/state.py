"""What a running stack remembers between starts: its ports, its secrets, how it is."""

import base64
import json
import os
import secrets
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil

from deploy.local import locks, processes
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
SAME_SECONDS = 1.0
"""A process that started that close to the noted time, and has its number, is the noted one."""


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

    @property
    def amiss(self) -> list[str]:
        """The parts that should be up and are not."""
        return [name for name, part in self.parts.items() if part.state not in {"up", "done"}]

    @property
    def well(self) -> bool:
        """Whether all of it is up."""
        return self.phase == "up" and not self.amiss


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
        with locks.held(state.folder / "state.lock"):
            state._remember()
        return state

    def _remember(self) -> None:
        try:
            remembered = json.loads(self._file.read_text("utf-8"))
        except FileNotFoundError:
            remembered = {"ports": {}, "secrets": {}}
        except ValueError:
            raise StackFault(
                f"{self._file} is damaged. Without its secrets the data cannot be read."
            ) from None
        self.ports, self.secrets = remembered["ports"], remembered["secrets"]
        before = dict(self.secrets)
        for name in ("postgres_password", "staff_password", *(f"{each}_db_password" for each in DATABASES)):
            self.secrets.setdefault(name, secrets.token_urlsafe(18))
        for purpose in ("contact", "clinical"):
            key = base64.b64encode(secrets.token_bytes(32)).decode()
            self.secrets.setdefault(f"sealing_key_{purpose}", key)
        # Who only looks writes nothing: the runner may have added a secret meanwhile.
        if self.secrets != before:
            self.save()

    def save(self) -> None:
        """Remembers ports and secrets, for the owner's eyes only."""
        self._write(self._file, {"ports": self.ports, "secrets": self.secrets})

    def choose_ports(self) -> list[socket.socket]:
        """Keeps the ports of last time where they are free, and finds others where they are not.

        No other stack chooses them as long as the claims that it returns are held.
        """
        claims = {}
        for name, usual in PORTS.items():
            # Its neighbours rather than any: the system gives high ports to whoever connects to somewhere.
            others = range(usual, usual + 10 * processes.CLAIMS, 10)
            claims[name] = processes.claim_port([self.ports.get(name, usual), *others])
        self.ports = {name: claim.getsockname()[1] for name, claim in claims.items()}
        self.save()
        return list(claims.values())

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

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While it lasts, no other command starts or stops this stack."""
        with locks.held(self.folder / "command.lock"):
            yield

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """While it lasts, this process runs the stack; the system ends it with the process."""
        with locks.held(self._runner_lock):
            self._write(self._pid_file, {"pid": os.getpid()})
            try:
                yield
            finally:
                self._pid_file.unlink(missing_ok=True)

    def runner(self) -> psutil.Process | None:
        """The process that runs the stack; a note that a dead one left behind counts as none.

        The lock tells them apart: a number may belong to another process by now, and clocks are set.
        """
        if not locks.is_held(self._runner_lock):
            return None
        try:
            return psutil.Process(json.loads(self._pid_file.read_text("utf-8"))["pid"])
        except (FileNotFoundError, psutil.NoSuchProcess):
            return None

    def note_parts(self, pids: Iterable[int]) -> None:
        """Writes down which processes belong to the stack, for the next runner if this one is killed."""
        found = []
        for pid in pids:
            with suppress(psutil.Error):
                found.append({"pid": pid, "started": psutil.Process(pid).create_time()})
        self._write(self._parts_file, {"parts": found})

    def left_behind(self) -> list[psutil.Process]:
        """Processes of an earlier run that have not ended yet; one that only has the number of one is not."""
        try:
            notes = json.loads(self._parts_file.read_text("utf-8"))["parts"]
        except (FileNotFoundError, ValueError):
            return []
        found = []
        for note in notes:
            with suppress(psutil.Error):
                process = psutil.Process(note["pid"])
                if abs(process.create_time() - note["started"]) < SAME_SECONDS:
                    found.append(process)
        return found

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

    def forget_run(self) -> None:
        """Takes back what an earlier run said of itself."""
        self._status_file.unlink(missing_ok=True)
        self._pid_file.unlink(missing_ok=True)

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
    def _runner_lock(self) -> Path:
        return self.folder / "runner.lock"

    @property
    def _pid_file(self) -> Path:
        return self.folder / "runner.json"

    @property
    def _parts_file(self) -> Path:
        return self.folder / "parts.json"

    @property
    def _status_file(self) -> Path:
        return self.folder / "status.json"

    @staticmethod
    def _write(path: Path, document: dict[str, Any]) -> None:
        part = path.with_suffix(f".{os.getpid()}")
        part.touch(mode=0o600)
        with part.open("w", encoding="utf-8") as out:
            out.write(json.dumps(document, indent=1))
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
