"""What is said is kept with what was done, or not at all; versions count without gaps."""

import asyncio

import pytest

from shared.kit.database import Database
from shared.kit.errors import Rejected
from shared.kit.outbox import PAYLOAD_LIMIT, Outgoing, lay
from tests.support.builders import a_request, a_withdrawal, id_of
from tests.support.directory import a_change, a_listing


async def outbox(database: Database) -> list[tuple[str, int]]:
    rows = await database.pool.fetch(
        "SELECT encode(key, 'escape') AS key, header_names, header_values FROM outbox ORDER BY id"
    )
    return [
        (
            row["key"],
            int(dict(zip(row["header_names"], row["header_values"], strict=True))[b"ce_aggregateversion"]),
        )
        for row in rows
    ]


async def test_a_transaction_that_fails_has_said_nothing(database: Database) -> None:
    async def speak_and_fail() -> None:
        async with database.transaction() as tx:
            await tx.publish(a_request())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await speak_and_fail()

    assert await outbox(database) == []
    assert await database.pool.fetchval("SELECT count(*) FROM aggregates") == 0


async def test_versions_of_a_request_count_without_gaps_even_when_transactions_fail(
    database: Database,
) -> None:
    request = a_request()

    for fails in (False, True, False, True, False):
        try:
            async with database.transaction() as tx:
                await tx.publish(a_withdrawal(request))
                if fails:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            continue

    assert [version for _, version in await outbox(database)] == [1, 2, 3]


async def test_what_is_said_about_one_request_enters_the_outbox_in_order_of_its_versions(
    database: Database,
) -> None:
    request = a_request()

    async def speak() -> None:
        async with database.transaction() as tx:
            await tx.publish(a_withdrawal(request))

    await asyncio.gather(*(speak() for _ in range(40)))

    assert await outbox(database) == [(str(request.request_id), version) for version in range(1, 41)]


async def test_an_event_too_large_for_kafka_is_refused_before_it_is_said(database: Database) -> None:
    async with database.transaction() as tx:
        with pytest.raises(Rejected, match="event_too_large"):
            await lay(tx, [Outgoing(id_of("big"), "intake.requests", b"k", b"x" * (PAYLOAD_LIMIT + 1), ())])


async def test_many_events_said_at_once_enter_in_their_order_and_count_per_key(database: Database) -> None:
    request = a_request()
    async with database.transaction() as tx:
        await tx.publish(a_listing("ada"))
        await tx.publish_all([a_change("fee_pence", name="ada"), a_listing("ben"), a_withdrawal(request)])
        await tx.publish_all([])
        await tx.publish_all([a_change("slots", name="ben"), a_change("slots", name="ben")])

    ada, ben = str(id_of("ada")), str(id_of("ben"))
    assert await outbox(database) == [
        (ada, 1), (ada, 2), (ben, 1), (str(request.request_id), 1), (ben, 2), (ben, 3),
    ]  # fmt: skip


async def test_two_who_say_much_about_the_same_things_in_other_orders_do_not_stop_each_other(
    database: Database,
) -> None:
    names = [f"therapist {number}" for number in range(50)]

    async def speak(order: list[str]) -> None:
        async with database.transaction() as tx:
            await tx.publish_all([a_listing(name) for name in order])

    await asyncio.gather(*(speak(names[::step]) for step in (1, -1) * 5))

    said = await outbox(database)
    assert all(
        [version for key, version in said if key == str(id_of(name))] == [*range(1, 11)] for name in names
    )
