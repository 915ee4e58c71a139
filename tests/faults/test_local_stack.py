"""The whole stack by its own commands: started, killed in the middle, started again, with nothing lost."""

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import httpx
import psutil
import pytest

from deploy.local import locks, services
from deploy.local.faults import StackFault
from deploy.local.parts import Child
from deploy.local.services import ROOT
from deploy.local.state import State
from deploy.local.supervisor import TOPICS, TRIES, Supervisor
from shared.kit.testing import eventually

PEOPLE = tomllib.loads((ROOT / "deploy" / "local" / "demo" / "people.toml").read_text("utf-8"))
UP_SECONDS = 150


def begin(folder: Path, command: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.local", command, "--state", str(folder), *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def call(folder: Path, command: str, *words: str) -> tuple[int, str]:
    process = begin(folder, command, *words)
    text, _ = process.communicate(timeout=UP_SECONDS)
    return process.returncode, text


def kill_everything(folder: Path) -> None:
    """All at once: nobody gets to act on another's end."""
    runner = State.load(folder).runner()
    assert runner is not None
    family = [runner, *runner.children(recursive=True)]
    for how in (signal.SIGSTOP, signal.SIGKILL):
        for each in family:
            if each.is_running():
                os.kill(each.pid, how)
    psutil.wait_procs(family, timeout=30)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A stack's folder; what runs in it ends with the test."""
    place = tmp_path / "a stack"
    yield place
    if place.exists() and State.load(place).runner() is not None:
        kill_everything(place)


async def test_a_stack_that_is_killed_while_it_starts_and_while_it_works_loses_nothing(folder: Path) -> None:
    first = begin(folder, "up")
    await eventually((folder / "postgres" / "data.new").exists, within=60, what="initdb")
    kill_everything(folder)
    text, _ = first.communicate(timeout=60)
    assert first.returncode == 1, text
    assert "supervisor.log" in text

    # Two at once are one.
    both = [begin(folder, "up"), begin(folder, "up")]
    said = [each.communicate(timeout=UP_SECONDS)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0], "\n".join(said)
    assert said[0].partition("form for clients")[2] == said[1].partition("form for clients")[2] != ""

    # A part that is away is waited for, not passed over.
    mail = State.load(folder).status().parts["mail"].pid
    assert mail is not None
    os.kill(mail, signal.SIGKILL)
    await eventually(lambda: not State.load(folder).status().well, within=30, what="word that mail is away")
    assert call(folder, "up")[0] == 0
    assert State.load(folder).status().well
    assert State.load(folder).status().parts["mail"].restarts == 1

    # Whoever operates it reaches each service by its commands.
    code, text = call(folder, "run", "matching", "therapists", "list", "--json")
    assert code == 0, text
    assert len(json.loads(text)) > 1
    assert call(folder, "run", "kit", "topics", "check", str(TOPICS))[0] == 0

    # One that hangs is not taken for one that works.
    mail = State.load(folder).status().parts["mail"].pid
    assert mail is not None
    os.kill(mail, signal.SIGSTOP)
    await eventually(
        lambda: State.load(folder).status().amiss == ["mail"], within=60, what="word that mail hangs"
    )
    assert State.load(folder).status().parts["mail"].state == "does not answer"
    os.kill(mail, signal.SIGCONT)
    await eventually(lambda: State.load(folder).status().well, within=60, what="word that mail answers")

    sent = [submit(State.load(folder), number) for number in range(5)]
    kill_everything(folder)
    code, text = call(folder, "status", "--json")
    assert (code, json.loads(text)) == (1, {"phase": "down", "fault": "", "parts": {}, "well": False})
    assert call(folder, "down") == (0, "Attune was not running.\n")

    code, text = call(folder, "up")
    assert code == 0, text
    state = State.load(folder)
    assert [stands(state, request_id) for request_id in sent] == [True] * len(sent)
    await eventually(lambda: thanked(state).keys() == set(sent), within=60, what="thanks for each")
    uncertain = sum(status == "uncertain" for status in thanked(state).values())
    mails = recipients(state)
    assert len(set(mails)) == len(mails)
    assert len(sent) - uncertain <= len(mails) <= len(sent)

    assert call(folder, "status")[0] == 0
    assert call(folder, "down") == (0, "Attune is down.\n")
    assert state.left_behind() == []


async def test_a_stack_that_is_stopped_while_it_starts_stops_at_once_and_leaves_nothing(folder: Path) -> None:
    starting = begin(folder, "up")
    await eventually((folder / "postgres" / "data.new").exists, within=60, what="initdb")
    runner = State.load(folder).runner()
    assert runner is not None

    assert call(folder, "down") == (0, "Attune is down.\n")

    text, _ = starting.communicate(timeout=60)
    assert starting.returncode == 1
    assert "another command stopped it" in text
    assert not runner.is_running()
    assert State.load(folder).left_behind() == []


def submit(state: State, number: int) -> str:
    document = json.loads(json.dumps(PEOPLE["request"][0]["submission"]))
    document["reference"] = f"KILL-{number}"
    document["client"]["email"] = f"somebody-{number}@example.com"
    answer = httpx.post(door(state), json=document, headers=key(state))
    assert answer.is_success, answer.text
    return str(answer.json()["request_id"])


def stands(state: State, request_id: str) -> bool:
    return httpx.get(f"{door(state)}/{request_id}", headers=key(state)).is_success


def thanked(state: State) -> dict[str, str]:
    """The requests whose thanks went out, or may have when the kill came between: those are listed."""
    listed = json.loads(services.command(state, "notify", "messages", "list", "--json"))
    return {
        each["request_id"]: each["status"]
        for each in listed
        if each["kind"] == "acknowledgement" and each["status"] in {"sent", "uncertain"}
    }


def door(state: State) -> str:
    return f"http://127.0.0.1:{state.ports['intake']}/api/v1/requests"


def key(state: State) -> dict[str, str]:
    return {"authorization": f"Bearer {state.secrets['partner_key']}"}


def recipients(state: State) -> list[str]:
    return sorted(
        str(message_from_bytes(mail.read_bytes())["X-Envelope-To"]) for mail in state.mails.glob("*.eml")
    )


async def test_a_part_is_not_up_because_somebody_else_answers_in_its_place(tmp_path: Path) -> None:
    async def answers() -> bool:
        # Not before ours has ended: until then nobody could say that it is not the one that answers.
        assert child.process is not None
        child.process.wait(30)
        return True

    supervisor = Supervisor(State.load(tmp_path))
    child = Child("mail", lambda: subprocess.Popen(["false"]), answers)

    with pytest.raises(StackFault, match=f"mail ended {TRIES} times while starting"):
        await supervisor._bring_up(child)


def test_a_second_demo_leaves_the_first_one_alone(tmp_path: Path) -> None:
    with locks.held(tmp_path / "demo.lock"):
        code, text = call(tmp_path / "demo", "demo")

    assert code == 1
    assert "a demo is running in" in text
    assert not (tmp_path / "demo").exists()


def test_a_command_of_a_service_is_run_with_all_of_its_words_and_ends_as_it_ends(tmp_path: Path) -> None:
    state = State.load(tmp_path)
    for claim in state.choose_ports():
        claim.close()
    port = state.ports["postgres"]

    # Nothing but who runs it: the command is told where the database would be, and asks there.
    with state.claimed():
        code, listed = call(tmp_path, "run", "matching", "therapists", "list")
        wrong = [call(tmp_path, "run", *words)[0] for words in (["review", "nothing"], ["nobody", "list"])]
        helped = [call(tmp_path, "run", *words) for words in (["intake", "--help"], ["intake"], ["--help"])]

    assert code == 1
    assert listed == f"the database at 127.0.0.1:{port} did not answer (ConnectionRefusedError)\n"
    assert wrong == [2, 2]
    assert [code for code, _ in helped] == [0, 0, 0]
    assert helped[0] == helped[1]
    assert "partners" in helped[0][1]
    assert "run matching therapists list" in helped[2][1]


def test_a_command_needs_a_stack_that_is_up(tmp_path: Path) -> None:
    down = (1, "Attune is down; `make up` starts it.\n")
    assert call(tmp_path / "none", "run", "matching", "therapists", "list") == down
    assert not (tmp_path / "none").exists()

    State.load(tmp_path)
    assert call(tmp_path, "run", "matching", "therapists", "list") == down


def test_nothing_was_ever_started_is_told_as_such(tmp_path: Path) -> None:
    assert call(tmp_path / "none", "status") == (1, "Attune is down; `make up` starts it.\n")
    assert call(tmp_path / "none", "down") == (0, "Attune was not running.\n")
    assert not (tmp_path / "none").exists()
