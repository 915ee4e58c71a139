"""The partners' command line, as real processes."""

import json
from urllib.parse import urlsplit

from services.intake import store
from services.intake.settings import Settings
from shared.kit.database import Database
from tests.support.environment import environment
from tests.support.processes import running


async def command(settings: Settings, *arguments: str) -> tuple[int, str]:
    async with running("-m", "services.intake", *arguments, environment=environment(settings)) as process:
        return await process.ended(), process.output


async def test_a_partner_is_let_in_listed_and_shut_out(settings: Settings, database: Database) -> None:
    code, output = await command(settings, "partners", "add", "Brick Lane Practice", "--json")
    added = json.loads(output)
    _, listed = await command(settings, "partners", "list", "--json")
    again, why = await command(settings, "partners", "add", "Brick Lane Practice")

    assert code == 0
    assert added["source"] == "urn:attune:partner:brick-lane-practice"
    assert [each["name"] for each in json.loads(listed)] == ["Brick Lane Practice"]
    assert added["key"] not in listed
    assert again == 1
    assert "there is, or was, a partner" in why
    async with database.transaction() as tx:
        assert await store.find_partner_by_key(tx, added["key"]) == "Brick Lane Practice"

    revoked, _ = await command(settings, "partners", "revoke", "Brick Lane Practice")
    twice, _ = await command(settings, "partners", "revoke", "Brick Lane Practice")

    assert (revoked, twice) == (0, 1)
    async with database.transaction() as tx:
        assert await store.find_partner_by_key(tx, added["key"]) is None


async def test_a_partner_whose_key_leaked_gets_another_under_the_same_name(
    settings: Settings, database: Database
) -> None:
    _, output = await command(settings, "partners", "add", "Brick Lane Practice", "--json")
    leaked = json.loads(output)["key"]
    await command(settings, "partners", "revoke", "Brick Lane Practice")

    code, output = await command(settings, "partners", "new-key", "Brick Lane Practice", "--json")
    unknown, why = await command(settings, "partners", "new-key", "Nobody")

    assert (code, unknown) == (0, 1)
    assert "there is no partner" in why
    async with database.transaction() as tx:
        assert await store.find_partner_by_key(tx, json.loads(output)["key"]) == "Brick Lane Practice"
        assert await store.find_partner_by_key(tx, leaked) is None


async def test_a_name_that_is_none_is_refused(settings: Settings, database: Database) -> None:
    code, output = await command(settings, "partners", "add", "<script>")

    assert code == 1
    assert "letters" in output


async def test_missing_settings_are_named_all_at_once_without_their_values(settings: Settings) -> None:
    given = environment(settings) | {"PUBLIC_URL": "ftp://intake.example", "KEYRING_URL": ""}
    async with running("-m", "services.intake", "run", environment=given) as process:
        code = await process.ended()

    assert code == 2
    assert "PUBLIC_URL" in process.output
    assert "KEYRING_URL" in process.output
    assert "ftp://" not in process.output
    assert urlsplit(settings.database_url.get_secret_value()).path not in process.output
