"""PostgreSQL refuses to run as root; the local stack runs for root all the same."""

import os
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from deploy.local import ordinary, postgres, processes
from deploy.local.processes import free_port
from shared.kit.testing import eventually

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root meets this")


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder below one that no other user may enter, as a clone in /root is."""
    folder = Path("~root/.attune-test-of-root").expanduser()
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "stack").mkdir(parents=True)
    folder.chmod(0o700)
    yield folder / "stack"
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "namespaces", [True, False], ids=["in a namespace", "where namespaces are forbidden"]
)
async def test_postgres_runs_for_root_in_a_folder_closed_to_others(
    closed_folder: Path, namespaces: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = ordinary._account()
    way = ordinary._enter_namespace if namespaces else ordinary._drop_to
    if not ordinary._works(partial(way, account)):
        pytest.skip("this machine forbids it")
    monkeypatch.setattr(ordinary, "way_in", lambda: partial(way, account))
    port = free_port()
    postgres.prepare(closed_folder, "secret")
    server = postgres.start(closed_folder, port=port, durable=False)
    try:
        await eventually(lambda: processes.listens(port), within=30)
        connection = await asyncpg.connect(postgres.url(port, "secret"))
        try:
            assert await connection.fetchval("SELECT 1") == 1
        finally:
            await connection.close()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(postgres.url(port, "guessed"))
    finally:
        processes.stop(server, 10)
