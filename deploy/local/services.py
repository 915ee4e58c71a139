"""The four services as processes: what each is told, and how it is prepared and started."""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

from deploy.local import postgres, processes
from deploy.local.faults import StackFault
from deploy.local.state import PARTNER, SERVICES, STAFF_EMAIL, STAFF_NAME, State

ROOT = Path(__file__).parents[2]
THERAPISTS = Path(__file__).with_name("therapists.csv")
CLINIC = "Attune clinic"

COMMANDED = (*SERVICES, "kit")
"""Who has commands: the kit's are about what belongs to no service."""

_TERMINAL = ("TERM", "COLORTERM", "NO_COLOR", "COLUMNS", "LINES", "LANG", "LC_ALL", "LC_CTYPE")
"""What a command must know of where it is read."""


def environment(state: State, service: str) -> dict[str, str]:
    """All that a service is told; notify is not given the clinical key."""
    password = state.secrets[f"{service}_db_password"]
    address = {name: f"http://127.0.0.1:{state.ports[name]}" for name in ("intake", "review")}
    told = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONUNBUFFERED": "1",
        "KAFKA_URL": f"127.0.0.1:{state.ports['kafka']}",
        "DATABASE_URL": _database(state, service, service),
        "KEYRING_URL": postgres.url(
            state.ports["postgres"], password, user=f"attune_{service}", database="keyring"
        ),
        "SEALING_KEY_CONTACT": state.secrets["sealing_key_contact"],
        "HTTP_PORT": str(state.ports[service]),
        # After a crash, a group waits that long for the member that is gone: short, as one machine has no
        # network that could be slow.
        "KAFKA_SESSION_SECONDS": "10",
    }
    if service != "notify":
        told["SEALING_KEY_CLINICAL"] = state.secrets["sealing_key_clinical"]
    return told | {
        "intake": {"PUBLIC_URL": address["intake"]},
        "matching": {},
        "review": {"PUBLIC_URL": address["review"]},
        "notify": {
            "SMTP_URL": f"smtp://127.0.0.1:{state.ports['smtp']}",
            "MAIL_FROM": "clinic@attune.example",
            "CLINIC_NAME": CLINIC,
        },
    }.get(service, {})


def keyring_url(state: State) -> str:
    """The keyring's database, for its owner."""
    return _database(state, "keyring", "keyring")


def database_url(state: State, service: str) -> str:
    """A service's database, for its owner."""
    return _database(state, service, service)


def start(state: State, service: str) -> subprocess.Popen[bytes]:
    """Starts a service."""
    return processes.start(
        [sys.executable, "-m", f"services.{service}", "run"],
        state.place("logs") / f"{service}.log",
        environment=environment(state, service),
        working_directory=ROOT,
    )


def command(state: State, service: str, *arguments: str, given: str | None = None) -> str:
    """Runs one of a service's commands; returns what it printed."""
    result = subprocess.run(
        [sys.executable, "-m", f"services.{service}", *arguments],
        cwd=ROOT,
        env=environment(state, service),
        input=given,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
        preexec_fn=processes.tied(signal.SIGTERM),
    )
    if result.returncode:
        raise StackFault(f"`{service} {' '.join(arguments)}` failed: {result.stderr.strip()[-2000:]}")
    return result.stdout


def become(state: State, whose: str, words: Sequence[str]) -> NoReturn:
    """Becomes a command of a service, or of the kit, at the terminal and in the folder of who asked."""
    told = environment(state, whose) if whose in SERVICES else _of_the_kit(state)
    module = f"services.{whose}" if whose in SERVICES else f"shared.{whose}"
    seen = {name: os.environ[name] for name in _TERMINAL if name in os.environ}
    # Found where this is, whatever lies in that folder.
    arguments = [sys.executable, "-P", "-m", module, *words]
    os.execve(sys.executable, arguments, told | seen | {"PYTHONPATH": str(ROOT)})  # noqa: S606 - no shell is needed


def _of_the_kit(state: State) -> dict[str, str]:
    return environment(state, "matching") | {"KEYRING_URL": keyring_url(state)}


def furnish(state: State) -> None:
    """What a fresh stack needs to be of use: a directory of therapists, a member of staff, a partner."""
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(each, state) for each in (_import_therapists, _add_staff, _add_partner)]:
            done.result()


def _import_therapists(state: State) -> None:
    with state.once("therapists") as first:
        if first:
            command(state, "matching", "therapists", "import", str(THERAPISTS), "--json")


def _add_staff(state: State) -> None:
    with state.once("staff") as first:
        # An earlier try may have been cut short after the account was made.
        if first and STAFF_EMAIL not in command(state, "review", "accounts", "list", "--json"):
            command(
                state, "review", "accounts", "add", STAFF_EMAIL, "--name", STAFF_NAME, "--role", "reviewer",
                "--password-stdin", "--json", given=state.secrets["staff_password"] + "\n",
            )  # fmt: skip


def _add_partner(state: State) -> None:
    with state.once("partner") as first:
        if first:
            # A name of its own each time: an earlier try may have been cut short after the name was taken.
            name = f"{PARTNER}-{secrets.token_hex(2)}"
            told = json.loads(command(state, "intake", "partners", "add", name, "--json"))
            state.secrets |= {"partner_key": told["key"], "partner_source": told["source"]}
            state.save()


def _database(state: State, role: str, name: str) -> str:
    password = state.secrets[f"{role}_db_password"]
    return postgres.url(state.ports["postgres"], password, user=f"attune_{role}", database=name)
