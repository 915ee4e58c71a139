"""Who waits is offered what becomes free, the oldest request first."""

from dataclasses import replace
from datetime import date, timedelta

from services.matching import store
from services.matching.handlers import begin_day
from shared.contract.matching import MatchProposed
from shared.contract.vocabulary import Format, Therapy
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.keyring import Keyring
from tests.matching.answers import PAIR, a_choice, kinds, offered, one, shortfalls_said, waiting, who_wait
from tests.matching.builders import RULES, born
from tests.matching.gathering import Hear, in_directory
from tests.support.builders import a_case, a_rematch, a_request, a_withdrawal


async def test_a_new_therapist_is_offered_to_the_oldest_request(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    oldest, *others = await who_wait(hear, clock, 3)

    await in_directory(database, PAIR[0])
    proposed = await offered(database)

    assert proposed == [oldest.request_id]
    assert await waiting(database) == [other.request_id for other in others]


async def test_a_birthday_that_opens_a_pathway_is_noticed_on_its_day(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    today = clock.now().date()
    tomorrow = today + timedelta(days=1)
    born = tomorrow.replace(year=tomorrow.year - 18)
    await in_directory(database, PAIR[0])
    grown_up = a_request(details=a_case(date_of_birth=born, therapy=Therapy.IPT, format=Format.COUPLE))
    assert kinds(await hear(grown_up)) == ["MatchNotFound"]
    assert await offered(database) == []

    looked_on = await begin_day(database, today, today)
    assert await offered(database) == []
    clock.move(timedelta(days=1))
    await begin_day(database, tomorrow, looked_on)

    assert await offered(database) == [grown_up.request_id]


async def test_a_birthday_that_opens_a_pathway_is_said_even_if_nobody_is_free(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    tomorrow = clock.now().date() + timedelta(days=1)
    turns_18 = a_case(date_of_birth=born(18, tomorrow), therapy=Therapy.IPT, format=Format.COUPLE)
    await hear(a_request(details=turns_18))
    clock.move(timedelta(days=1))

    await in_directory(database)
    await offered(database)
    await in_directory(database)
    await offered(database)

    assert await shortfalls_said(database) == [b"nobody_free"]


async def test_a_raised_number_of_seats_reaches_as_many_in_order(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    await in_directory(database, replace(PAIR[0], seats_offered=0))
    first, second, third = await who_wait(hear, clock, 3)

    await in_directory(database, replace(PAIR[0], seats_offered=2))
    proposed = await offered(database)

    assert proposed == [first.request_id, second.request_id]
    assert await waiting(database) == [third.request_id]


async def test_a_freed_seat_is_offered_to_who_waits(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    await in_directory(database, PAIR[0])
    seated = a_request()
    await hear(a_choice(one(await hear(seated), MatchProposed)))
    oldest, *_ = await who_wait(hear, clock, 3)

    await hear(a_withdrawal(seated))
    proposed = await offered(database)

    assert proposed == [oldest.request_id]


async def test_a_seat_offered_to_one_is_offered_to_the_next_only_when_it_was_not_taken(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    first, second, _ = await who_wait(hear, clock, 3)
    await in_directory(database, PAIR[0])
    await offered(database)

    assert await offered(database) == [], "nothing has changed"
    await hear(a_withdrawal(first))
    proposed = await offered(database)

    assert proposed == [second.request_id]


async def test_who_is_rematched_keeps_the_place_in_the_queue(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    await in_directory(database, PAIR[0])
    early = a_request()
    proposal = one(await hear(early), MatchProposed)
    clock.move(timedelta(hours=1))
    late = a_request(details=a_case(languages=("cy",)))
    await hear(late)

    await hear(a_rematch(proposal, "ada"))

    assert await waiting(database) == [early.request_id, late.request_id]


async def test_the_list_is_looked_at_only_when_something_changed(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    await who_wait(hear, clock, 3)
    await offered(database)

    async with database.transaction() as tx:
        await store.save_therapist(tx, PAIR[0])
    quiet = await offered(database)
    await in_directory(database)
    woken = await offered(database)

    assert (len(quiet), len(woken)) == (0, 1)


async def test_a_birthday_opens_a_pathway_for_who_waits(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    await in_directory(database, replace(PAIR[0], confirmed_on=date(2026, 11, 30)))
    child = a_request(details=a_case(date_of_birth=date(2014, 12, 1)))
    await hear(child)

    clock.move(timedelta(days=7))
    await in_directory(database)
    proposed = await offered(database)

    assert proposed == [child.request_id]


async def test_a_day_that_passes_brings_a_start_near_enough(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    today = clock.now().date()
    late = today + timedelta(weeks=RULES.policy.latest_start_weeks, days=1)
    await in_directory(database, replace(PAIR[0], confirmed_on=today, free_from=late))
    [client] = await who_wait(hear, clock, 1)
    too_soon = await offered(database)

    clock.move(timedelta(days=1))
    await begin_day(database, clock.now().date(), today)
    proposed = await offered(database)

    assert (too_soon, proposed) == ([], [client.request_id])


async def test_a_request_that_cannot_be_read_keeps_nobody_behind_it_waiting(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    first, second, third = await who_wait(hear, clock, 3)
    await database.pool.execute(
        "UPDATE requests SET details = set_byte(details, 40, get_byte(details, 40) # 1) WHERE id = $1",
        first.request_id,
    )

    await in_directory(database, PAIR[0])
    proposed = await offered(database)

    assert proposed == [second.request_id]
    assert await waiting(database) == [first.request_id, third.request_id]


async def test_an_erased_person_is_passed_over_and_the_next_is_served(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    first, second, third = await who_wait(hear, clock, 3)
    assert isinstance(database.keys, Keyring)
    await database.keys.destroy(first.subject_id)

    await in_directory(database, PAIR[0])
    proposed = await offered(database)

    assert proposed == [second.request_id]
    assert await waiting(database) == [third.request_id]
