"""How other systems are let in to the directory, as real processes."""

import json

import pytest

from services.matching import store
from services.matching.settings import Settings
from services.matching.store import Role
from shared.kit.database import Database
from tests.support.environment import environment
from tests.support.processes import running


async def api_keys(settings: Settings, *arguments: str) -> tuple[int, str]:
    given = environment(settings)
    needed = {"DATABASE_URL": given["DATABASE_URL"]}
    async with running("-m", "services.matching", "api-keys", *arguments, environment=needed) as process:
        return await process.ended(), process.output


async def test_a_system_is_let_in_listed_and_shut_out(settings: Settings, database: Database) -> None:
    code, output = await api_keys(settings, "add", "Practice System", "--role", "editor", "--json")
    added = json.loads(output)
    _, listed = await api_keys(settings, "list", "--json")
    again, why = await api_keys(settings, "add", "Practice System")

    assert code == 0
    assert [(each["name"], each["role"]) for each in json.loads(listed)] == [("Practice System", "editor")]
    assert added["key"] not in listed
    assert again == 1
    assert "there is, or was, a system of this name" in why
    async with database.transaction() as tx:
        caller = await store.find_caller(tx, added["key"])
    assert caller is not None
    assert (caller.name, caller.role) == ("Practice System", Role.EDITOR)

    revoked, told = await api_keys(settings, "revoke", "Practice System", "--json")
    twice, _ = await api_keys(settings, "revoke", "Practice System")

    assert (revoked, twice) == (0, 1)
    assert json.loads(told) == {"name": "Practice System", "revoked": True}
    async with database.transaction() as tx:
        assert await store.find_caller(tx, added["key"]) is None


async def test_who_is_let_in_may_only_read_unless_something_else_is_said(
    settings: Settings, database: Database
) -> None:
    _, output = await api_keys(settings, "add", "Partner Site")

    assert "Partner Site may read the directory." in output
    async with database.transaction() as tx:
        assert [each.role for each in await store.callers(tx)] == [Role.READER]


@pytest.mark.parametrize("command", ["add", "revoke"])
async def test_help_says_that_the_name_of_who_was_shut_out_is_never_given_again(
    settings: Settings, command: str
) -> None:
    code, output = await api_keys(settings, command, "--help")

    assert code == 0
    assert "is never given again" in " ".join(output.replace("│", " ").split())


async def test_a_name_that_is_none_is_refused(settings: Settings, database: Database) -> None:
    code, output = await api_keys(settings, "add", "<script>")

    assert code == 1
    assert "letters" in output
