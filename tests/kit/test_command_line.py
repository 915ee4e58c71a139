"""What an operator does on the command line of every service: dead letters, and what Kafka refuses."""

import json

import pytest

from shared.kit.database import Database
from shared.kit.keyring import Keyring
from shared.kit.settings import KitSettings
from shared.kit.testing import eventually
from tests.support.builders import a_case, a_request
from tests.support.environment import environment
from tests.support.marks import COMMANDS, PROBE, REQUESTS, up
from tests.support.processes import running
from tests.support.raw import raw
from tests.support.streams import Streams


@pytest.mark.usefixtures("topics")
async def test_dead_letters_are_listed_shown_replayed_and_discarded_by_command(
    database: Database, settings: KitSettings, streams: Streams, keyring: Keyring
) -> None:
    mended, hopeless = a_request(), a_request(details=a_case(in_own_words="refuse"))
    early = await raw(mended, keyring)
    await streams.send(REQUESTS, [await raw(hopeless, keyring)])
    async with running(*PROBE, environment=environment(settings) | {"HANDLER_TRIES": "1"}) as process:
        await up(process)
        await database.pool.execute("ALTER TABLE effects RENAME TO effects_away")
        await streams.send(REQUESTS, [early])

        async def two_parked() -> bool:
            return bool(await database.pool.fetchval("SELECT count(*) = 2 FROM dead_letters"))

        await eventually(two_parked, within=30)
    await database.pool.execute("ALTER TABLE effects_away RENAME TO effects")

    async def command(*arguments: str) -> tuple[int, str]:
        async with running(*COMMANDS, "dead-letters", *arguments, environment=environment(settings)) as run:
            return await run.ended(), run.output

    _, listed = await command("list", "--json")
    letters = {letter["reason"]: letter for letter in json.loads(listed)}
    assert set(letters) == {"refused_by_probe", "handler_failed"}
    _, shown = await command("show", letters["handler_failed"]["id"])
    assert "handler_failed" in shown
    assert "Maya" not in shown

    code, _ = await command("replay", letters["handler_failed"]["id"])
    assert code == 0
    assert await database.pool.fetchval("SELECT request_id FROM effects") == mended.request_id
    code, _ = await command("replay", letters["refused_by_probe"]["id"])
    assert code != 0
    code, _ = await command("discard", letters["refused_by_probe"]["id"])
    assert code == 0
    _, left = await command("list", "--json")
    assert json.loads(left) == []
    kept = await database.pool.fetch("SELECT status, value, cycle FROM dead_letters ORDER BY parked_at")
    assert [(row["status"], row["value"], row["cycle"]) for row in kept] == [
        ("discarded", None, 1),
        ("replayed", None, 1),
    ]


async def test_what_kafka_refuses_for_ever_is_listed_released_and_dropped_by_command(
    database: Database, settings: KitSettings
) -> None:
    async with database.transaction() as tx:
        for _ in range(3):
            await tx.publish(a_request())
    one, other, free = (row["id"] for row in await database.pool.fetch("SELECT id FROM outbox ORDER BY id"))
    await database.pool.execute(
        "UPDATE outbox SET parked_at = now(), parked_reason = 'too_large' WHERE id <> $1", free
    )

    async def command(*arguments: str) -> tuple[int, str]:
        async with running(*COMMANDS, "outbox", *arguments, environment=environment(settings)) as run:
            return await run.ended(), run.output

    _, listed = await command("parked", "--json")
    assert [(row["id"], row["parked_reason"]) for row in json.loads(listed)] == [
        (str(one), "too_large"),
        (str(other), "too_large"),
    ]
    assert await command("drop", str(free)) == (1, f"row {free} is not parked\n")
    assert await command("drop", str(one)) == (0, f"row {one} dropped\n")
    assert await command("release") == (0, "1 rows released\n")
    left = await database.pool.fetch("SELECT id, parked_at, parked_reason FROM outbox ORDER BY id")
    assert [tuple(row) for row in left] == [(other, None, None), (free, None, None)]


async def test_help_teaches_the_commands() -> None:
    async with running(*COMMANDS, "--help", environment={}) as process:
        assert await process.ended() == 0

    for word in ("run", "migrate", "dead-letters", "outbox"):
        assert word in process.output
