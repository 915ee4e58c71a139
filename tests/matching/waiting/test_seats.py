"""Seats on a real database: never more than are offered, taken and given back once, whoever comes at once."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from services.matching import store
from shared.contract.ids import RequestId
from shared.kit.database import Database
from tests.matching.builders import a_therapist
from tests.matching.seated import a_proposed_request, take

ADA = a_therapist("ada", seats_offered=1, seats_free=1)


async def free(database: Database, request_id: RequestId) -> bool:
    async with database.transaction() as tx:
        return await store.free_seat(tx, request_id, "test")


async def offer(database: Database, seats: int) -> None:
    async with database.transaction() as tx:
        await store.save_therapist(tx, replace(ADA, seats_offered=seats))


async def seats_free(database: Database) -> int:
    async with database.transaction() as tx:
        entry = await store.find_therapist(tx, ADA.id)
    assert entry is not None
    return entry.seats_free


async def test_of_many_who_want_the_last_seat_exactly_one_gets_it(database: Database) -> None:
    await offer(database, 1)
    wanted = [await a_proposed_request(database, ADA.id) for _ in range(20)]

    got = await asyncio.gather(*(take(database, ADA.id, *each) for each in wanted))

    assert sum(got) == 1
    assert await seats_free(database) == 0


async def test_as_many_get_a_seat_as_are_offered(database: Database) -> None:
    await offer(database, 3)
    wanted = [await a_proposed_request(database, ADA.id) for _ in range(10)]

    got = await asyncio.gather(*(take(database, ADA.id, *each) for each in wanted))

    assert sum(got) == 3


async def test_a_seat_is_given_back_once_however_often_it_is_asked(database: Database) -> None:
    await offer(database, 1)
    request_id, proposal_id = await a_proposed_request(database, ADA.id)
    await take(database, ADA.id, request_id, proposal_id)

    freed = await asyncio.gather(*(free(database, request_id) for _ in range(10)))

    assert sum(freed) == 1
    assert await seats_free(database) == 1


async def test_a_request_holds_one_seat_at_a_time(database: Database) -> None:
    await offer(database, 5)
    request_id, proposal_id = await a_proposed_request(database, ADA.id)
    await take(database, ADA.id, request_id, proposal_id)

    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await take(database, ADA.id, request_id, proposal_id)

    assert refused.value.constraint_name == "seats_one_open_per_request"
    assert await seats_free(database) == 4


async def test_fewer_seats_than_are_taken_means_none_free_until_enough_are_given_back(
    database: Database,
) -> None:
    await offer(database, 3)
    held = [await a_proposed_request(database, ADA.id) for _ in range(3)]
    for each in held:
        await take(database, ADA.id, *each)

    await offer(database, 1)

    assert await seats_free(database) == 0
    assert [await free(database, request_id) for request_id, _ in held[:2]] == [True, True]
    assert await seats_free(database) == 0
    assert not await take(database, ADA.id, *await a_proposed_request(database, ADA.id))
    await free(database, held[2][0])
    assert await seats_free(database) == 1


async def test_importing_again_leaves_taken_seats_taken(database: Database) -> None:
    await offer(database, 2)
    await take(database, ADA.id, *await a_proposed_request(database, ADA.id))

    await offer(database, 2)

    assert await seats_free(database) == 1


async def test_the_database_itself_refuses_a_seat_freed_twice(database: Database) -> None:
    await offer(database, 1)

    with pytest.raises(asyncpg.CheckViolationError) as refused:
        async with database.transaction() as tx:
            await tx.execute("UPDATE therapists SET seats_taken = seats_taken - 1 WHERE id = $1", ADA.id)

    assert refused.value.constraint_name == "therapists_no_seat_is_freed_twice"
