"""Child processes that never outlive their parent, and ports that are free."""

import ctypes
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.local import ordinary

_PR_SET_PDEATHSIG = 1


def start(
    command: Sequence[str],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    working_directory: Path | None = None,
    unprivileged: bool = False,
    orphaned: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Starts a child that writes to a log file; it gets the signal `orphaned` if this process dies.

    Call it from the main thread: the system takes the end of the starting thread for the parent's.

    `unprivileged`: when this process is root, the child is an ordinary user; PostgreSQL refuses root.
    """
    become_ordinary = ordinary.way_in() if unprivileged else None
    tie = tied(orphaned)

    def prepare() -> None:
        if become_ordinary:
            become_ordinary()
        tie()

    with log.open("ab") as out:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(environment) if environment is not None else None,
            cwd=working_directory,
            preexec_fn=prepare,  # noqa: PLW1509 - started from the main thread only
            start_new_session=True,
        )


def tied(orphaned: signal.Signals) -> Callable[[], None]:
    """What a child runs between fork and exec so as to get the signal if its parent dies."""

    def tie() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, orphaned)

    return tie


def run(command: Sequence[str], *, environment: Mapping[str, str], unprivileged: bool = False) -> str:
    """Runs a short command to its end; returns what it printed, raises CalledProcessError if it failed."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=dict(environment),
        timeout=120,
        check=True,
        preexec_fn=ordinary.way_in() if unprivileged else None,
    ).stdout


def stop(process: subprocess.Popen[bytes], within: float, how: signal.Signals = signal.SIGTERM) -> None:
    """Asks a child to end, and ends it if it does not."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port(preferred: int | None = None, taken: Sequence[int] = ()) -> int:
    """The preferred loopback port if nobody has it, else any."""
    for candidate in (preferred, 0):
        if candidate is None or candidate in taken:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            port: int = probe.getsockname()[1]
            return port
    raise OSError("there is no free port")


def listens(port: int) -> bool:
    """Whether somebody answers on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
