"""An import holds nobody up while it looks what is new, and loses no change that is made beside it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from services.matching import store
from services.matching.commands import importing
from services.matching.commands.importing import Saved
from services.matching.domain.directory_feed import public_entry
from services.matching.domain.directory_file import Reading
from services.matching.domain.therapist import Therapist
from services.matching.handlers import tell_others
from services.matching.store import directory
from shared.contract.matching import DIRECTORY, DirectoryEntry, MatchProposed
from shared.kit.database import Database
from shared.kit.testing import eventually
from tests.matching.builders import a_therapist
from tests.matching.gathering import in_directory, in_outbox
from tests.matching.locks import waits_for_a_lock
from tests.matching.processes import Process
from tests.support.builders import a_confirmation, a_request, id_of

ADA, BEN, CEM = (a_therapist(name, seats_offered=3, seats_free=3) for name in ("ada", "ben", "cem"))

Before = Callable[[str, Callable[[], Awaitable[object]]], None]


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Before:
    """Has something happen once, just before the next import takes a step."""

    def first(step: str, happens: Callable[[], Awaitable[object]]) -> None:
        real = getattr(directory, step)
        todo = [happens]

        async def overtaken(*arguments: Any) -> Any:
            if todo:
                await todo.pop()()
            return await real(*arguments)

        monkeypatch.setattr(directory, step, overtaken)

    return first


async def import_(database: Database, *therapists: Therapist) -> Saved:
    """What the command does once it has read its file."""
    reading = Reading(len(therapists), therapists, (), (), frozenset())
    async with database.transaction() as tx:
        return await importing._save(tx, reading, quiet=True)


async def kept(database: Database) -> dict[str, Therapist]:
    async with database.transaction() as tx:
        return {each.name.split()[0].lower(): each for each in await store.therapists(tx)}


async def assert_others_know(database: Database) -> None:
    """Whoever follows the stream has what the table holds in the end, and was told of each change by name."""
    await tell_others(database, 24)
    rows = await database.pool.fetch(
        "SELECT key, payload FROM outbox WHERE stream = $1 ORDER BY id", DIRECTORY
    )
    copies: dict[str, DirectoryEntry] = {}
    for row in rows:
        key, said = row["key"].decode(), json.loads(row["payload"] or "{}")
        if "entry" not in said:
            copies.pop(key, None)
            continue
        entry = DirectoryEntry.model_validate_json(json.dumps(said["entry"]))
        if "changed" in said:
            old = copies[key]
            fields = DirectoryEntry.model_fields
            assert said["changed"] == [name for name in fields if getattr(old, name) != getattr(entry, name)]
        else:
            assert key not in copies, "listed once"
        copies[key] = entry
    therapists = (await kept(database)).values()
    assert copies == {str(each.id): public_entry(each) for each in therapists}


async def test_a_decision_goes_through_while_an_import_looks_what_is_new(
    database: Database, process: Process, before: Before
) -> None:
    await in_directory(database, ADA)
    [proposal] = await process.hear(a_request())
    assert isinstance(proposal, MatchProposed)

    async def decide() -> None:
        await asyncio.wait_for(process.take(a_confirmation(proposal, "ada")), 30)

    before("find_therapists", decide)
    await import_(database, replace(ADA, fee_pence=9000))

    assert await in_outbox(database) == [(str(proposal.request_id), "seat-reserved")]
    after = (await kept(database))["ada"]
    assert (after.fee_pence, after.seats_free) == (9000, 2)
    await assert_others_know(database)


async def test_of_two_imports_at_once_the_later_stands_whole(database: Database, before: Before) -> None:
    await in_directory(database, ADA, BEN)
    other = (replace(ADA, fee_pence=1), replace(BEN, fee_pence=1), replace(CEM, fee_pence=1))

    # To the later one Ada looks unchanged, Ben changed and Cem new; all three are not when it writes.
    before("lock_directory", lambda: import_(database, *other))
    later = await import_(database, ADA, replace(BEN, fee_pence=2), replace(CEM, fee_pence=2))

    fees = {name: each.fee_pence for name, each in (await kept(database)).items()}
    assert fees == {"ada": ADA.fee_pence, "ben": 2, "cem": 2}
    assert later == Saved(updated=3)
    await assert_others_know(database)


async def test_who_is_removed_while_an_import_looks_is_back_if_it_names_them(
    database: Database, before: Before
) -> None:
    await in_directory(database, ADA, BEN)

    async def remove() -> None:
        async with database.transaction() as tx:
            await store.remove_therapist(tx, id_of("ada"))

    before("lock_directory", remove)
    saved = await import_(database, ADA, BEN)

    assert saved == Saved(added=1, unchanged=1)
    assert set(await kept(database)) == {"ada", "ben"}
    await assert_others_know(database)


async def test_whoever_changes_an_entry_while_an_import_writes_comes_after_it(
    database: Database, before: Before
) -> None:
    await in_directory(database, ADA)
    beside: list[asyncio.Task[None]] = []

    async def change() -> None:
        beside.append(asyncio.create_task(in_directory(database, replace(ADA, fee_pence=1))))
        await eventually(
            lambda: waits_for_a_lock(database), within=30, what="the change waiting for the import"
        )

    before("write_changes", change)
    await import_(database, replace(ADA, fee_pence=2, outcode="N1"))
    await beside[0]

    after = (await kept(database))["ada"]
    assert (after.fee_pence, after.outcode) == (1, ADA.outcode)
    await assert_others_know(database)


async def test_what_is_as_it_was_is_not_written(database: Database) -> None:
    await in_directory(database, ADA, BEN)
    before = await database.pool.fetch("SELECT changed_by FROM therapists ORDER BY id")

    saved = await import_(database, ADA, BEN)

    assert saved == Saved(unchanged=2)
    assert await database.pool.fetch("SELECT changed_by FROM therapists ORDER BY id") == before
