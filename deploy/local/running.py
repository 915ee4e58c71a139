"""Brings a stack up and down from outside, and shows how it comes along."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
from rich.console import Console

from deploy.local import kafka, processes, resources
from deploy.local.faults import StackFault
from deploy.local.services import ROOT
from deploy.local.state import STAFF_EMAIL, State

UP_SECONDS = 240.0
DOWN_SECONDS = 200.0
"""The services first, then what they stand on; each is given what it needs to finish."""


def up(folder: Path, console: Console, *, own: bool = False) -> State:
    """Starts the stack unless it runs, waits until every part answers, and returns its state.

    `own`: the stack is this process's own, and stops in order if this process dies.
    """
    state = State.load(folder)
    if state.runner() is None:
        resources.require(state.folder)
        # Here rather than by the runner: whoever waits sees the bar, and can stop it.
        kafka.fetch(console)
    with state.alone():
        runner = state.runner()
        if runner is None:
            state.forget_run()
            runner = _start(state, own)
    try:
        _show_until_up(state, runner, console)
    except KeyboardInterrupt:
        if not own:
            console.print("\nIt goes on starting: `make status` tells how it is, `make down` stops it.")
        raise
    return State.load(folder)


def down(folder: Path, console: Console) -> bool:
    """Stops the stack in order; False if it did not run."""
    if not (folder / "state.json").exists():
        return False
    state = State.load(folder)
    with state.alone():
        runner = state.runner()
        if runner is None:
            return False
        # The whole family: parts that a runner killed in the middle of its work could leave behind.
        family = runner.children(recursive=True)
        runner.send_signal(signal.SIGTERM)
        try:
            runner.wait(DOWN_SECONDS)
        except psutil.TimeoutExpired:
            console.print(f"  it does not stop within {DOWN_SECONDS:g} s and is ended")
            runner.kill()
        for left in psutil.wait_procs(family, timeout=10)[1]:
            left.kill()
    return True


def addresses(state: State) -> dict[str, str]:
    """Where everything is, and how staff sign in on this stack."""
    ports = state.ports
    return {
        "form for clients": f"http://127.0.0.1:{ports['intake']}/",
        "pages for staff": f"http://127.0.0.1:{ports['review']}/",
        "staff sign-in": f"{STAFF_EMAIL}  {state.secrets['staff_password']}",
        "HTTP API for partners": f"http://127.0.0.1:{ports['intake']}/api/v1/requests",
        "partner's key": state.secrets.get("partner_key", "not made yet"),
        "Kafka": f"127.0.0.1:{ports['kafka']}",
        "mail that was sent": str(state.mails),
        "logs": str(state.folder / "logs"),
    }


def _start(state: State, own: bool) -> psutil.Process:
    with _log(state).open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", "supervise", "--state", str(state.folder)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(os.environ, PYTHONUNBUFFERED="1"),
            start_new_session=True,
            preexec_fn=processes.tied(signal.SIGTERM) if own else None,  # noqa: PLW1509 - there is one thread
        )
    runner = psutil.Process(child.pid)
    # The command's lock is held until the runner has its own: no other command can start a second one.
    while state.runner() is None and child.poll() is None:
        time.sleep(0.05)
    return runner


def _log(state: State) -> Path:
    return state.place("logs") / "supervisor.log"


def _show_until_up(state: State, runner: psutil.Process, console: Console) -> None:
    shown: dict[str, str] = {}
    begun = time.monotonic()
    while True:
        status = state.status()
        for name, part in status.parts.items():
            if shown.get(name) != part.state:
                shown[name] = part.state
                detail = f"  {part.detail}" if part.detail else ""
                console.print(
                    f"  {time.monotonic() - begun:5.1f} s  {name:<30} {part.state}{detail}", highlight=False
                )
        if status.well:
            return
        if status.phase == "failed" or not runner.is_running() or runner.status() == psutil.STATUS_ZOMBIE:
            stopped = "another command stopped it" if status.phase == "down" else ""
            raise StackFault(status.fault or stopped or f"it ended while starting; see {_log(state)}")
        if time.monotonic() - begun > UP_SECONDS:
            raise StackFault(f"not all of it is up after {UP_SECONDS:g} s; see `make status`")
        time.sleep(0.1)
