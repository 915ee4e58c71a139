"""PostgreSQL starts again whatever a kill or a reboot left behind, and never beside itself."""

import os
from pathlib import Path

import pytest

from deploy.local import postgres, processes
from shared.kit.testing import eventually


async def test_half_a_folder_of_a_start_that_was_killed_is_made_anew(tmp_path: Path) -> None:
    half = tmp_path / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")

    postgres.prepare(tmp_path, "secret")

    assert not half.exists()
    assert (tmp_path / "data" / "global" / "pg_control").exists()


@pytest.mark.parametrize("number", [str(os.getpid()), ""], ids=["a stranger has its number", "it is empty"])
def test_the_note_of_a_server_that_is_gone_is_taken_away(tmp_path: Path, number: str) -> None:
    (tmp_path / "data").mkdir()
    note = tmp_path / "data" / "postmaster.pid"
    note.write_text(f"{number}\n/somewhere\n")

    postgres.prepare(tmp_path, "secret")

    assert not note.exists()


async def test_the_note_of_a_server_that_runs_stays_and_a_second_one_does_not_start(tmp_path: Path) -> None:
    postgres.prepare(tmp_path, "secret")
    port = processes.free_port()
    first = postgres.start(tmp_path, port=port, durable=False)
    try:
        await eventually(lambda: processes.listens(port), within=30, what="PostgreSQL")

        postgres.prepare(tmp_path, "secret")

        assert (tmp_path / "data" / "postmaster.pid").exists()
        second = postgres.start(tmp_path, port=processes.free_port(), durable=False)
        assert second.wait(30) != 0
        assert first.poll() is None
    finally:
        processes.stop(first, 10)
