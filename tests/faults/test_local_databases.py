"""Each service's role reaches its own database, and notify no clinical key."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from deploy.local import postgres, processes
from shared.kit import migrating
from shared.kit.testing import eventually

SERVICES = ("intake", "matching", "review", "notify")
PASSWORDS = {f"{name.upper()}_DB_PASSWORD": f"of-{name}" for name in ("keyring", *SERVICES)}


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL of this test's own, as roles belong to a whole server."""

    port: int

    def url(self, role: str, database: str) -> str:
        return postgres.url(self.port, f"of-{role}", user=f"attune_{role}", database=database)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    port = processes.free_port()
    postgres.prepare(tmp_path, "secret")
    process = postgres.start(tmp_path, port=port, durable=False)
    yield Server(port)
    processes.stop(process, 10)


async def laid_out(server: Server) -> None:
    await eventually(lambda: processes.listens(server.port), within=30, what="PostgreSQL")
    postgres.lay_out(server.port, "secret", PASSWORDS)
    # Again, as every start does.
    postgres.lay_out(server.port, "secret", PASSWORDS)
    await migrating.migrate(server.url("keyring", "keyring"), migrating.of_keyring())


async def test_every_service_migrates_its_own_database_and_enters_no_other(server: Server) -> None:
    await laid_out(server)

    for name in SERVICES:
        await migrating.migrate(server.url(name, name), migrating.of_service(name))
        for other in set(SERVICES) - {name}:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asyncpg.connect(server.url(name, other))


async def test_notify_uses_contact_keys_and_is_refused_clinical_ones(server: Server) -> None:
    await laid_out(server)
    connection = await asyncpg.connect(server.url("notify", "keyring"))
    try:
        assert await connection.fetchval("SELECT count(*) FROM contact_keys") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetchval("SELECT count(*) FROM clinical_keys")
    finally:
        await connection.close()


@pytest.mark.parametrize("name", ["intake", "matching", "review"])
async def test_the_other_services_use_both_kinds_of_keys(server: Server, name: str) -> None:
    await laid_out(server)
    connection = await asyncpg.connect(server.url(name, "keyring"))
    try:
        assert await connection.fetchval("SELECT count(*) FROM contact_keys") == 0
        assert await connection.fetchval("SELECT count(*) FROM clinical_keys") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("DROP TABLE clinical_keys")
    finally:
        await connection.close()


async def test_a_wrong_password_is_refused_even_from_this_machine(server: Server) -> None:
    await laid_out(server)

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.url(server.port, "guess", user="attune_review", database="review"))
