"""The directory in memory is what the table is, whoever changed it, and whether or not it was kept."""

import asyncio
from dataclasses import replace
from random import Random
from uuid import UUID

import pytest

from services.matching import store
from services.matching.domain.engine import Engine, entry_of
from services.matching.domain.ranking import search_for
from services.matching.domain.therapist import Therapist
from services.matching.store.seats import leave_caseload
from shared.kit.database import Database
from shared.kit.transaction import Transaction
from tests.matching.builders import RULES, a_registration, a_search, a_therapist
from tests.matching.random_matching import random_case, random_therapist
from tests.support.builders import id_of

ADA, BEN = a_therapist("ada"), a_therapist("ben")


class UndoneError(Exception):
    """Ends a transaction without keeping it."""


async def keep(database: Database, *therapists: Therapist) -> None:
    async with database.transaction() as tx:
        for therapist in therapists:
            await store.save_therapist(tx, therapist)


async def found(directory: store.DirectoryInMemory, tx: Transaction) -> list[UUID]:
    async with directory.current(tx) as engine:
        return [placed.therapist_id for placed in engine.best(a_search(on=tx.now.date()), 10)]


async def seen(directory: store.DirectoryInMemory, database: Database) -> list[UUID]:
    async with database.transaction() as tx:
        return await found(directory, tx)


@pytest.fixture
def directory() -> store.DirectoryInMemory:
    return store.DirectoryInMemory(RULES)


async def test_what_others_change_is_seen_at_the_next_look(
    database: Database, directory: store.DirectoryInMemory
) -> None:
    assert await seen(directory, database) == []
    await keep(database, ADA)
    assert await seen(directory, database) == [ADA.id]
    await keep(database, BEN, replace(ADA, registration=None))
    assert await seen(directory, database) == [BEN.id]
    await keep(
        database, replace(BEN, registration=a_registration(expires_on=a_search().on.replace(year=2025)))
    )
    assert await seen(directory, database) == []


async def test_a_transaction_sees_its_own_changes_and_nobody_does_once_they_are_undone(
    database: Database, directory: store.DirectoryInMemory
) -> None:
    await keep(database, ADA)
    assert await seen(directory, database) == [ADA.id]

    async def change_and_undo() -> None:
        async with database.transaction() as tx:
            await store.save_therapist(tx, replace(ADA, seats_offered=0, seats_free=0))
            await store.save_therapist(tx, BEN)
            assert await found(directory, tx) == [BEN.id]
            raise UndoneError

    with pytest.raises(UndoneError):
        await change_and_undo()

    assert await seen(directory, database) == [ADA.id]


async def test_a_seat_that_is_taken_or_given_back_is_seen_at_the_next_look_and_by_nobody_once_undone(
    database: Database, directory: store.DirectoryInMemory
) -> None:
    one_seat = replace(ADA, seats_offered=1, seats_free=1)
    await keep(database, one_seat)
    assert await seen(directory, database) == [ADA.id]

    async def take_and_undo() -> None:
        async with database.transaction() as tx:
            assert await store.join_caseload(tx, ADA.id)
            assert await found(directory, tx) == []
            raise UndoneError

    with pytest.raises(UndoneError):
        await take_and_undo()
    assert await seen(directory, database) == [ADA.id]

    async with database.transaction() as tx:
        assert await store.join_caseload(tx, ADA.id)
    assert await seen(directory, database) == []
    async with database.transaction() as tx:
        await leave_caseload(tx, ADA.id)
    assert await seen(directory, database) == [ADA.id]


@pytest.mark.parametrize("credential_first", [True, False])
async def test_a_credential_that_changes_beside_a_seat_is_seen(
    database: Database, directory: store.DirectoryInMemory, credential_first: bool
) -> None:
    await keep(database, replace(ADA, seats_offered=3, seats_free=3))
    assert await seen(directory, database) == [ADA.id]

    async with database.transaction() as tx:
        if not credential_first:
            assert await store.join_caseload(tx, ADA.id)
        await tx.execute("UPDATE registrations SET expires_on = '2020-01-01' WHERE therapist_id = $1", ADA.id)
        if credential_first:
            assert await store.join_caseload(tx, ADA.id)

    assert await seen(directory, database) == []


async def test_after_many_changes_of_seats_and_entries_it_is_what_the_table_says(
    database: Database, directory: store.DirectoryInMemory
) -> None:
    dice = Random(9)
    therapists = [replace(random_therapist(dice), seats_offered=3, seats_free=3) for _ in range(20)]
    await keep(database, *therapists)
    await seen(directory, database)

    for _ in range(60):
        async with database.transaction() as tx:
            for _ in range(dice.randint(1, 3)):
                one = dice.choice(therapists)
                if dice.random() < 0.3:
                    await store.save_therapist(tx, replace(random_therapist(dice, one.id), seats_offered=3))
                else:
                    await store.join_caseload(tx, one.id)
        if dice.random() < 0.5:
            await seen(directory, database)

    fresh = store.DirectoryInMemory(RULES)
    async with database.transaction() as tx, directory.current(tx) as kept, fresh.current(tx) as loaded:
        for _ in range(100):
            search = search_for(random_case(dice), a_search().on, RULES)
            assert kept.best(search, 50) == loaded.best(search, 50)
            assert kept.tally(search) == loaded.tally(search)


async def test_a_change_that_commits_late_is_not_missed(
    database: Database, directory: store.DirectoryInMemory
) -> None:
    await keep(database, ADA)
    await seen(directory, database)

    async with database.transaction() as slow:
        await store.save_therapist(slow, BEN)
        # Others come and go meanwhile, with later transactions than the slow one's.
        await keep(database, a_therapist("cleo"))
        assert BEN.id not in await seen(directory, database)

    assert await seen(directory, database) == sorted([ADA.id, BEN.id, id_of("cleo")])


async def test_two_processes_and_many_changes_end_in_what_the_table_says(database: Database) -> None:
    processes = [store.DirectoryInMemory(RULES) for _ in range(2)]
    names = ["ada", "ben", "cleo", "dov", "efua", "finn"]

    async def change(name: str, times: int) -> None:
        for turn in range(times):
            free = turn % 2
            await keep(database, a_therapist(name, seats_offered=free, seats_free=free))

    async def watch(directory: store.DirectoryInMemory) -> None:
        for _ in range(30):
            await seen(directory, database)

    await asyncio.gather(
        *(change(name, 9 + place % 2) for place, name in enumerate(names)), *map(watch, processes)
    )

    open_ones = sorted(id_of(name) for place, name in enumerate(names) if place % 2 == 1)
    for directory in processes:
        assert await seen(directory, database) == open_ones


async def test_the_table_is_read_as_the_entries_are(database: Database) -> None:
    dice = Random(5)
    therapists = [random_therapist(dice) for _ in range(120)]
    await keep(database, *therapists)
    directory = store.DirectoryInMemory(RULES)
    async with database.transaction() as tx:
        kept = await store.therapists(tx)
    twin = Engine(RULES.policy, RULES.places, a_search().on)
    twin.put([entry_of(therapist) for therapist in kept])

    async with database.transaction() as tx, directory.current(tx) as engine:
        for _ in range(200):
            search = search_for(random_case(dice), a_search().on, RULES)
            assert engine.best(search, 50) == twin.best(search, 50)
            assert engine.tally(search) == twin.tally(search)
