"""The local stack remembers rightly, finds free ports, and says what it lacks."""

import json
import os
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from deploy.local import resources
from deploy.local.faults import StackFault
from deploy.local.services import ROOT
from deploy.local.state import State


def test_secrets_are_made_once_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    first = State.load(tmp_path / "stack")
    second = State.load(tmp_path / "stack")
    other = State.load(tmp_path / "other")

    assert first.secrets == second.secrets
    assert not set(first.secrets.values()) & set(other.secrets.values())
    assert stat.S_IMODE((tmp_path / "stack" / "state.json").stat().st_mode) == 0o600


def test_a_taken_port_is_left_alone_and_another_is_found_and_remembered(tmp_path: Path) -> None:
    state = State.load(tmp_path)
    state.choose_ports()
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        taken = somebody.getsockname()[1]
        state.ports["intake"] = taken

        state.choose_ports()

    assert state.ports["intake"] != taken
    # Higher ones are given to outgoing connections, which would take it before the part comes up.
    assert all(port < 32768 for port in state.ports.values())
    assert len(set(state.ports.values())) == len(state.ports)
    assert State.load(tmp_path).ports == state.ports


def test_free_ports_are_the_same_next_time(tmp_path: Path) -> None:
    state = State.load(tmp_path)
    state.choose_ports()
    before = dict(state.ports)

    state.choose_ports()

    assert state.ports == before


def test_the_process_that_runs_the_stack_is_known(tmp_path: Path) -> None:
    state = State.load(tmp_path)

    with state.claimed():
        runner = State.load(tmp_path).runner()

    assert runner is not None
    assert runner.pid == os.getpid()
    assert State.load(tmp_path).runner() is None


def test_two_stacks_that_start_at_once_never_choose_the_same_port(tmp_path: Path) -> None:
    first, second = State.load(tmp_path / "first"), State.load(tmp_path / "second")

    # Nothing listens yet: their parts come up seconds later.
    held = first.choose_ports(), second.choose_ports()

    assert not set(first.ports.values()) & set(second.ports.values())
    for claim in held[0]:
        with socket.socket() as server:
            # As the parts do: an earlier stack's connections may linger on its ports.
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(claim.getsockname())
            server.listen()


def test_commands_that_meet_on_a_fresh_folder_agree_on_its_secrets(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: State.load(tmp_path / "stack").secrets, range(8)))

    assert all(each == found[0] for each in found)


def test_looking_at_a_stack_takes_back_nothing_that_its_runner_wrote(tmp_path: Path) -> None:
    runner = State.load(tmp_path)
    looking = State.load(tmp_path)
    runner.secrets["partner_key"] = "made while it starts"
    runner.save()

    State.load(tmp_path)

    assert looking.secrets != runner.secrets
    assert State.load(tmp_path).secrets["partner_key"] == "made while it starts"


def test_a_runner_that_was_killed_runs_nothing_although_its_note_is_left(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from deploy.local.state import State\n"
        "with State.load(Path(sys.argv[1])).claimed(): print('claimed', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT)
    assert child.stdout is not None
    assert child.stdout.readline() == b"claimed\n"
    assert (found := State.load(tmp_path).runner()) is not None
    assert found.pid == child.pid

    child.kill()
    child.communicate()
    # The number may be anybody's by now: this very process's, for one.
    (tmp_path / "runner.json").write_text(json.dumps({"pid": os.getpid()}))

    assert State.load(tmp_path).runner() is None


def test_what_is_left_of_a_killed_run_is_known_and_a_stranger_with_its_number_is_not_touched(
    tmp_path: Path,
) -> None:
    state = State.load(tmp_path)
    state.note_parts([os.getpid(), 2**22 + 1])
    assert [each.pid for each in state.left_behind()] == [os.getpid()]

    note = tmp_path / "parts.json"
    document = json.loads(note.read_text())
    document["parts"][0]["started"] -= 3600
    note.write_text(json.dumps(document))

    assert state.left_behind() == []


@pytest.mark.parametrize(
    "note",
    [
        pytest.param({"pid": os.getpid(), "started": 1.0}, id="the number was given to another process"),
        pytest.param({"pid": 2**22 + 1, "started": 1.0}, id="no process has the number"),
        pytest.param({"pid": os.getpid()}, id="half written"),
        pytest.param({}, id="empty"),
    ],
)
def test_a_stale_note_of_a_process_counts_as_none(tmp_path: Path, note: dict[str, object]) -> None:
    (tmp_path / "runner.json").write_text(json.dumps(note))

    assert State.load(tmp_path).runner() is None


def test_a_damaged_state_is_not_replaced_by_new_secrets(tmp_path: Path) -> None:
    State.load(tmp_path)
    (tmp_path / "state.json").write_text("{")

    with pytest.raises(StackFault, match="Without its secrets the data cannot be read"):
        State.load(tmp_path)

    assert (tmp_path / "state.json").read_text() == "{"


def test_too_little_memory_and_disk_are_both_named_with_what_is_needed(tmp_path: Path) -> None:
    memory_mb = psutil.virtual_memory().total // 2**20 + 1
    disk_mb = psutil.disk_usage(str(tmp_path)).total // 2**20 + 1

    with pytest.raises(StackFault) as fault:
        resources.require(tmp_path, memory_mb=memory_mb, disk_mb=disk_mb)

    assert f"{memory_mb} MB of free memory" in str(fault.value)
    assert f"{disk_mb} MB of free disk" in str(fault.value)


def test_enough_memory_and_disk_are_no_fault(tmp_path: Path) -> None:
    resources.require(tmp_path, memory_mb=1, disk_mb=1)
