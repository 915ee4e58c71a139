"""Child processes that never outlive their parent, and ports that are free and stay so."""

import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path

from deploy.local import ordinary

_PR_SET_PDEATHSIG = 1
CLAIMS = 50
LASTING = range(20000, 32000)
"""Below what systems give to outgoing connections, one of which could take a port before it is bound."""

# Each once before any again: whoever asks twice gets two.
_lasting = cycle(random.sample(LASTING, len(LASTING)))


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
    if sys.platform != "linux":
        return lambda: None
    # Looked up before the fork: a child of many threads must not wait for a lock that none of its own holds.
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, orphaned)
        if os.getppid() != parent:
            # It died before that.
            os._exit(1)

    return tie


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    working_directory: Path | None = None,
    unprivileged: bool = False,
) -> str:
    """Runs a short command to its end; returns what it printed, raises CalledProcessError if it failed.

    It dies with this process, so that a later start does not meet it at half-done work.
    """
    become_ordinary = ordinary.way_in() if unprivileged else None
    tie = tied(signal.SIGKILL)

    def prepare() -> None:
        if become_ordinary:
            become_ordinary()
        tie()

    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=dict(environment),
        cwd=working_directory,
        timeout=120,
        check=True,
        preexec_fn=prepare,
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


def free_port() -> int:
    """Any loopback port that nobody has."""
    with claim_port(islice(_lasting, CLAIMS)) as claim:
        port: int = claim.getsockname()[1]
        return port


def claim_port(candidates: Iterable[int]) -> socket.socket:
    """A claim to the first of these loopback ports that nobody has; it ends when it is closed.

    A part binds its port only seconds after it was chosen. Until then, another stack that starts would find
    it free, and could end up talking to this one's parts. So the port of the same number is held in UDP,
    which nothing here speaks: no two stacks can, it leaves TCP alone, and is free however the holder ends.
    """
    for candidate in candidates:
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            claim.bind(("127.0.0.1", candidate))
            _probe(claim.getsockname()[1])
        except OSError:
            claim.close()
        else:
            return claim
    raise OSError("there is no free port")


def _probe(port: int) -> None:
    with socket.socket() as probe:
        # As servers do: what is left of connections that have ended is in nobody's way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def listens(port: int) -> bool:
    """Whether somebody answers on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
