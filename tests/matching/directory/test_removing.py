"""Who is removed is found no more, by anybody; whoever hoped for them hears of it, and no seat is lost."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.matching import store
from services.matching.handlers import tell_others
from services.matching.settings import Settings
from shared.contract.event import Event
from shared.contract.ids import RequestId
from shared.contract.matching import (
    DIRECTORY,
    SeatRefusal,
    SeatReserved,
    SeatUnavailable,
    TherapistGone,
)
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.testing import recording
from tests.matching.builders import a_therapist
from tests.matching.gathering import LEAST, a_leader, gather, in_directory, shown
from tests.matching.processes import Process
from tests.matching.recorded import all_the_same, made_again
from tests.matching.undecided import a_proposal, named, said_of
from tests.support.builders import a_confirmation, a_rematch, a_request, a_withdrawal, id_of

ADA, BEN = a_therapist("ada", seats_offered=2, seats_free=2), a_therapist("ben")


async def remove(database: Database, name: str = "ada") -> list[RequestId] | None:
    async with database.transaction() as tx:
        return await store.remove_therapist(tx, id_of(name))


async def seats(database: Database) -> dict[str, tuple[int, int]]:
    """Of each therapist how many seats are taken, and how many somebody holds."""
    rows = await database.pool.fetch(
        """
        SELECT name, seats_taken, (SELECT count(*) FROM seats WHERE therapist_id = t.id AND freed_at IS NULL)
            + (SELECT count(*) FROM groups WHERE therapist_id = t.id AND state <> 'dissolved') AS held
        FROM therapists t
        """
    )
    return {row["name"].split()[0]: (row["seats_taken"], row["held"]) for row in rows}


async def test_nothing_of_the_entry_is_left(database: Database) -> None:
    await in_directory(database, ADA)

    async with recording(database) as tx:
        assert await store.remove_therapist(tx, ADA.id) == []
    async with recording(database) as again:
        assert await store.remove_therapist(again, ADA.id) is None

    assert tx.published == again.published == []
    left = await database.pool.fetchrow(
        """
        SELECT (SELECT count(*) FROM therapists), (SELECT count(*) FROM registrations),
               (SELECT count(*) FROM accreditations)
        """
    )
    assert left is not None
    assert tuple(left) == (0, 0, 0)


async def test_the_stream_ends_with_a_record_at_which_kafka_forgets_them(
    database: Database, clock: MovableClock
) -> None:
    await in_directory(database, ADA, BEN)
    await tell_others(database, 24)
    await remove(database)
    clock.move(timedelta(days=1))
    await tell_others(database, 24)

    rows = await database.pool.fetch(
        "SELECT key, payload, header_names FROM outbox WHERE stream = $1 ORDER BY id", DIRECTORY
    )

    assert [row["payload"] is None for row in rows] == [False, False, False, True]
    assert rows[-1]["key"] == rows[-2]["key"] == str(ADA.id).encode()
    assert rows[-1]["header_names"] == []


async def test_every_process_forgets_them_at_its_next_look(
    database: Database, process: Process, another: Process
) -> None:
    await in_directory(database, ADA, BEN)
    for each in (process, another):
        assert len(await named(database, (await a_proposal(each)).request_id)) == 2

    await remove(database)

    for each in (process, another):
        assert await named(database, (await a_proposal(each)).request_id) == [BEN.id]


async def test_a_removal_that_is_undone_has_removed_nobody(database: Database, process: Process) -> None:
    await in_directory(database, ADA)
    await a_proposal(process)

    async def remove_and_fail() -> None:
        async with database.transaction() as tx:
            await store.remove_therapist(tx, ADA.id)
            async with process.matcher.directory.current(tx) as engine:
                assert len(engine) == 0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await remove_and_fail()

    assert await named(database, (await a_proposal(process)).request_id) == [ADA.id]


async def test_who_was_removed_on_another_server_and_has_come_back_is_there(
    database: Database, process: Process
) -> None:
    await in_directory(database, ADA)
    await remove(database)
    # Restored into a server that numbers transactions lower.
    await database.pool.execute(
        "UPDATE therapist_history SET changed_by = '999999999'::xid8 WHERE entry IS NULL"
    )
    async with database.transaction() as tx:
        assert await store.begin_era_if_moved(tx)
    await in_directory(database, ADA)
    # Another transaction has begun and ended since: what she is by now is old.
    await in_directory(database, a_therapist("cem", registration=None))

    assert [await named(database, (await a_proposal(process)).request_id) for _ in range(2)] == [[ADA.id]] * 2
    assert await process.renew() == 0


async def test_proposals_that_name_them_are_made_anew_at_once_and_others_stay(
    database: Database, process: Process
) -> None:
    await in_directory(database, ADA)
    with_ada = await a_proposal(process)
    await in_directory(database, BEN)
    with_both = await a_proposal(process)
    assert await process.renew() == 0
    await process.hear(a_rematch(with_both, "ada"))
    with_ben = with_both.request_id

    await remove(database)
    renewed = await asyncio.gather(process.renew(), process.renew())

    assert sum(renewed) == 1
    assert await named(database, with_ada.request_id) == [BEN.id]
    assert await said_of(database, with_ben) == []


async def test_a_decision_for_who_has_gone_is_refused_with_a_fresh_list(
    database: Database, process: Process
) -> None:
    await in_directory(database, ADA, BEN)
    proposal = await a_proposal(process)
    await remove(database)

    refused, fresh = await process.hear(a_confirmation(proposal, "ada"))

    assert isinstance(refused, SeatUnavailable)
    assert refused.reason is SeatRefusal.NO_LONGER_ELIGIBLE
    assert shown(fresh).therapist_id == BEN.id


async def test_a_group_that_they_gathered_is_dissolved_with_something_else_for_everybody(
    database: Database, process: Process
) -> None:
    await in_directory(database, a_leader("ada"))
    choices = await gather(process.hear, 2)
    await in_directory(database, a_leader("ben"))

    assert await remove(database) == []

    assert await process.dissolve() == 1
    for each in choices:
        said = await said_of(database, each.request_id)
        assert said == ["seat-unavailable", "match-proposed"]


async def test_clients_keep_their_therapist_until_a_person_decides_otherwise(
    database: Database, process: Process
) -> None:
    await in_directory(database, ADA, BEN)
    kept, moved = await a_proposal(process), await a_proposal(process)
    seated = [await process.hear(a_confirmation(each, "ada")) for each in (kept, moved)]

    async with recording(database) as tx:
        cases = await store.remove_therapist(tx, ADA.id)
    await process.renew()
    [said] = await process.hear(a_rematch(moved))

    assert cases is not None
    assert set(cases) == {kept.request_id, moved.request_id}
    assert {each for each in tx.published if isinstance(each, TherapistGone)} == {
        TherapistGone(
            request_id=seat.request_id,
            decision_id=seat.decision_id,
            seat_id=seat.seat_id,
            therapist_id=ADA.id,
        )
        for [seat, *_] in seated
        if isinstance(seat, SeatReserved)
    }
    assert shown(said).therapist_id == BEN.id
    held = await database.pool.fetch("SELECT request_id FROM seats WHERE freed_at IS NULL")
    assert [each["request_id"] for each in held] == [kept.request_id]


async def test_members_of_a_formed_group_are_named_as_well(database: Database, process: Process) -> None:
    await in_directory(database, a_leader("ada"))
    choices = await gather(process.hear, LEAST)

    async with recording(database) as tx:
        cases = await store.remove_therapist(tx, a_leader("ada").id)

    assert set(cases or ()) == {each.request_id for each in choices}
    gone = [each for each in tx.published if isinstance(each, TherapistGone)]
    assert {(each.request_id, each.decision_id) for each in gone} == {
        (each.request_id, each.decision_id) for each in choices
    }
    assert await process.dissolve() == 0


async def test_who_comes_back_has_the_clients_that_stayed(database: Database, process: Process) -> None:
    await in_directory(database, ADA)
    proposal = await a_proposal(process)
    await process.hear(a_confirmation(proposal, "ada"))
    await remove(database)

    async with database.transaction() as tx:
        back = await store.save_therapist(tx, ADA)
    before = await seats(database)
    await process.hear(a_withdrawal(a_request(request_id=proposal.request_id)))

    assert (back.seats_offered, back.seats_free) == (2, 1)
    assert before == {"Ada": (1, 1)}
    assert await seats(database) == {"Ada": (0, 0)}


@pytest.mark.parametrize("by_import", [False, True])
async def test_a_seat_that_is_given_back_while_its_therapist_comes_back_is_counted_right(
    database: Database, process: Process, by_import: bool
) -> None:
    await in_directory(database, ADA)
    proposals = [await a_proposal(process) for _ in range(2)]
    for each in proposals:
        await process.hear(a_confirmation(each, "ada"))
    await remove(database)

    async def come_back() -> None:
        async with database.transaction() as tx:
            if by_import:
                await store.lock_directory(tx)
                await store.save_therapists(tx, [ADA])
            else:
                await store.save_therapist(tx, ADA)

    withdrawals = [a_withdrawal(a_request(request_id=each.request_id)) for each in proposals]
    await asyncio.gather(process.hear(withdrawals[0]), come_back(), process.hear(withdrawals[1]))

    assert await seats(database) == {"Ada": (0, 0)}


async def test_of_a_decision_and_a_removal_at_once_either_comes_first(
    database: Database, process: Process, settings: Settings, clock: MovableClock
) -> None:
    await in_directory(database, ADA)
    proposal = await a_proposal(process)

    async def decide() -> list[Event]:
        return await process.hear(a_confirmation(proposal, "ada"))

    said, cases = await asyncio.gather(decide(), remove(database))

    seated = isinstance(said[0], SeatReserved)
    assert cases == ([proposal.request_id] if seated else [])


async def test_what_was_ranked_while_they_were_there_can_be_made_again(
    database: Database, process: Process
) -> None:
    await in_directory(database, ADA, BEN)
    await a_proposal(process)
    await remove(database)
    await a_proposal(process)
    await in_directory(database, replace(ADA, fee_pence=100))
    await a_proposal(process)

    again = await made_again(database)

    assert len(again) == 3
    assert all_the_same(again)
