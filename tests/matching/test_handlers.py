"""What matching does about each event, on a real database; what it says is recorded."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest

from services.matching import store
from services.matching.domain.therapist import Therapist
from services.matching.handlers import Matcher, begin_day, handlers, offer_to_waiting
from shared.contract.event import Event, RequestEvent
from shared.contract.ids import ProposalId
from shared.contract.intake import CaseDetails, RequestSubmitted
from shared.contract.matching import (
    STREAM,
    MatchNotFound,
    MatchProposed,
    SeatRefusal,
    SeatReserved,
    SeatUnavailable,
    Shortfall,
)
from shared.contract.review import MatchConfirmed
from shared.contract.sealing import opened
from shared.contract.vocabulary import Format, Mode, Therapy, Variant
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.errors import NotYet
from shared.kit.identifiers import new_id
from shared.kit.keyring import Keyring
from shared.kit.testing import recording
from tests.matching.builders import RULES, a_registration, a_therapist, born
from tests.support.builders import (
    a_case,
    a_confirmation,
    a_decline,
    a_rematch,
    a_request,
    a_withdrawal,
    id_of,
)

E = TypeVar("E", bound=Event)
Hear = Callable[[Event], Awaitable[list[Event]]]

PAIR = (a_therapist("ada", seats_offered=1, seats_free=1), a_therapist("ben", seats_offered=1, seats_free=1))


def a_matcher() -> Matcher:
    """What a process has for ranking when it has just begun."""
    return Matcher(RULES, store.DirectoryInMemory(RULES))


@pytest.fixture
def hear(database: Database) -> Hear:
    """Lets matching hear an event, and returns what it says about it."""

    matcher = a_matcher()

    async def heard(event: Event) -> list[Event]:
        function = handlers.events[type(event)]
        async with recording(database) as tx:
            needs_matcher = "matcher" in function.__annotations__
            await (function(event, tx, matcher) if needs_matcher else function(event, tx))
        # What the directory says besides has tests of its own.
        return [event for event in tx.published if isinstance(event, RequestEvent)]

    return heard


def one(said: Iterable[Event], kind: type[E]) -> E:
    [event] = [each for each in said if isinstance(each, kind)]
    return event


def kinds(said: Iterable[Event]) -> list[str]:
    return [type(each).__name__ for each in said]


def candidates(proposal: MatchProposed) -> list[Any]:
    return [candidate.therapist_id for candidate in opened(proposal.shortlist).candidates]


def a_choice(proposal: MatchProposed, place: int = 0, **changes: Any) -> MatchConfirmed:
    """A reviewer confirms the candidate at that place of the list."""
    return a_confirmation(proposal, therapist_id=candidates(proposal)[place], overruled=place > 0, **changes)


async def in_directory(database: Database, *therapists: Therapist) -> None:
    async with database.transaction() as tx:
        for therapist in therapists:
            await store.save_therapist(tx, therapist)
        await store.want_reoffer(tx, "test")


async def seats_free(database: Database, name: str) -> int:
    async with database.transaction() as tx:
        entry = await store.find_therapist(tx, id_of(name))
    assert entry is not None
    return entry.seats_free


async def waiting(database: Database) -> list[Any]:
    async with database.transaction() as tx:
        return list(await store.waiting_in_order(tx))


async def offered(database: Database) -> list[Any]:
    """One pass over the waiting list; whose request was proposed to in it, in order."""
    async with database.transaction() as tx:
        before = await tx.fetchval("SELECT coalesce(max(id), 0) FROM outbox")
    await offer_to_waiting(database, a_matcher())
    async with database.transaction() as tx:
        rows = await tx.fetch(
            "SELECT key FROM outbox WHERE id > $1 AND stream = $2 ORDER BY id", before, STREAM
        )
    return [UUID(row["key"].decode()) for row in rows]


async def shortfalls_said(database: Database) -> list[bytes]:
    """Why each `MatchNotFound` in the outbox was said, in order."""
    rows = await database.pool.fetch("SELECT payload FROM outbox ORDER BY id")
    found = (re.search(rb'"shortfall":\s*"(\w+)"', row["payload"]) for row in rows)
    return [each[1] for each in found if each]


# ------------------------------------------------------------------------------------------- a new request


async def test_a_request_gets_a_shortlist(database: Database, hear: Hear) -> None:
    await in_directory(database, *PAIR)
    request = a_request()

    proposal = one(await hear(request), MatchProposed)

    assert proposal.request_id == request.request_id
    assert proposal.subject_id == request.subject_id
    assert proposal.policy_version == RULES.policy.version
    assert sorted(candidates(proposal)) == sorted(each.id for each in PAIR)


async def test_a_birthday_begins_at_midnight_in_london(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    clock.move(datetime(2027, 6, 30, 23, 30, tzinfo=UTC) - clock.now())
    await in_directory(database, a_therapist(confirmed_on=date(2027, 6, 30)))
    turns_18 = a_request(details=a_case(date_of_birth=date(2009, 7, 1)))

    proposal = one(await hear(turns_18), MatchProposed)

    assert Variant.IPT in {each.variant for each in opened(proposal.shortlist).pathways}


async def test_a_request_heard_twice_is_answered_once(database: Database, hear: Hear) -> None:
    await in_directory(database, *PAIR)
    request = a_request()
    await hear(request)

    assert await hear(request) == []


async def test_a_request_for_which_nobody_is_found_waits(database: Database, hear: Hear) -> None:
    await in_directory(database, *PAIR)
    request = a_request(details=a_case(languages=("cy",)))

    said = one(await hear(request), MatchNotFound)

    assert opened(said.findings).gates[0].gate == "language"
    assert await waiting(database) == [request.request_id]


@pytest.mark.parametrize(
    "case",
    [
        a_case(date_of_birth=born(8)),
        a_case(date_of_birth=born(10)),
        a_case(date_of_birth=born(14), format=Format.COUPLE),
    ],
)
async def test_a_request_that_no_way_fits_is_not_said_to_wait_for_a_place(
    database: Database, hear: Hear, case: CaseDetails
) -> None:
    await in_directory(database, *PAIR)

    said = one(await hear(a_request(details=case)), MatchNotFound)

    assert opened(said.findings).pathways == ()
    assert said.shortfall is Shortfall.NO_WAY_FITS


async def test_a_request_that_somebody_may_fit_later_is_said_to_wait(database: Database, hear: Hear) -> None:
    said = one(await hear(a_request()), MatchNotFound)

    assert said.shortfall is Shortfall.NOBODY_FREE


# ------------------------------------------------------------------------------------------- a decision


async def test_a_confirmed_match_takes_the_seat_and_names_the_decision(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, PAIR[0])
    proposal = one(await hear(a_request()), MatchProposed)
    decision = a_choice(proposal)

    said = one(await hear(decision), SeatReserved)

    assert (said.decision_id, said.decided_by) == (decision.decision_id, decision.decided_by)
    assert (said.proposal_id, said.therapist_id) == (proposal.proposal_id, PAIR[0].id)
    assert opened(said.therapist).email == "ada@therapists.example"
    assert await seats_free(database, "ada") == 0


async def test_a_reviewer_may_choose_another_of_the_list(database: Database, hear: Hear) -> None:
    await in_directory(database, *PAIR)
    proposal = one(await hear(a_request()), MatchProposed)

    said = one(await hear(a_choice(proposal, place=1)), SeatReserved)

    assert said.therapist_id == candidates(proposal)[1]


async def test_a_decision_heard_twice_takes_one_seat(database: Database, hear: Hear) -> None:
    await in_directory(database, a_therapist("ada"))
    decision = a_choice(one(await hear(a_request()), MatchProposed))
    await hear(decision)

    assert await hear(decision) == []
    assert await seats_free(database, "ada") == 3


async def test_a_decision_that_comes_before_its_request_waits(hear: Hear) -> None:
    request = a_request()
    proposal = MatchProposed(
        request_id=request.request_id,
        subject_id=request.subject_id,
        proposal_id=ProposalId(new_id()),
        policy_version="test",
        shortlist=None,
    )

    for event in (a_confirmation(proposal), a_rematch(proposal), a_decline(request)):
        with pytest.raises(NotYet):
            await hear(event)


async def test_of_many_decisions_for_the_last_seat_exactly_one_gets_it(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, *PAIR)
    proposals = [one(await hear(a_request()), MatchProposed) for _ in range(8)]

    said = await asyncio.gather(*(hear(a_confirmation(proposal, "ada")) for proposal in proposals))

    first = [each[0] for each in said]
    assert kinds(first).count("SeatReserved") == 1
    assert {each.reason for each in first if isinstance(each, SeatUnavailable)} == {SeatRefusal.NO_SEAT_LEFT}
    assert await seats_free(database, "ada") == 0


async def test_a_gone_seat_is_said_and_a_fresh_list_follows_without_it(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, *PAIR)
    mine, theirs = [one(await hear(a_request()), MatchProposed) for _ in range(2)]
    await hear(a_confirmation(theirs, "ada"))

    said = await hear(a_confirmation(mine, "ada"))

    assert kinds(said) == ["SeatUnavailable", "MatchProposed"]
    assert one(said, SeatUnavailable).reason is SeatRefusal.NO_SEAT_LEFT
    again = one(said, MatchProposed)
    assert candidates(again) == [id_of("ben")]
    assert kinds(await hear(a_confirmation(again, "ben"))) == ["SeatReserved"]


@pytest.mark.parametrize(
    "change",
    [
        {"registration": a_registration(expires_on=date(2026, 11, 23))},
        {"registration": None},
        {"accreditations": ()},
        {"languages": frozenset({"cy"})},
        {"fee_pence": 20_000},
        {"modes": frozenset()},
    ],
)
async def test_a_therapist_who_no_longer_qualifies_gets_nobody(
    database: Database, hear: Hear, change: dict[str, Any]
) -> None:
    await in_directory(database, PAIR[0])
    proposal = one(await hear(a_request()), MatchProposed)
    await in_directory(database, replace(PAIR[0], **change))

    said = await hear(a_choice(proposal))

    assert kinds(said) == ["SeatUnavailable", "MatchNotFound"]
    assert one(said, SeatUnavailable).reason is SeatRefusal.NO_LONGER_ELIGIBLE
    assert await seats_free(database, "ada") == 1


async def test_a_credential_that_lapses_between_proposal_and_decision_counts(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    await in_directory(database, replace(PAIR[0], registration=a_registration(expires_on=date(2026, 11, 24))))
    proposal = one(await hear(a_request()), MatchProposed)
    clock.move(timedelta(days=1))

    said = await hear(a_choice(proposal))

    assert one(said, SeatUnavailable).reason is SeatRefusal.NO_LONGER_ELIGIBLE


async def test_somebody_who_was_not_on_the_list_gets_nobody(database: Database, hear: Hear) -> None:
    await in_directory(database, PAIR[0])
    proposal = one(await hear(a_request()), MatchProposed)
    await in_directory(database, PAIR[1])

    said = await hear(a_confirmation(proposal, "ben"))

    assert one(said, SeatUnavailable).reason is SeatRefusal.NO_LONGER_ELIGIBLE
    assert sorted(candidates(one(said, MatchProposed))) == sorted(each.id for each in PAIR)


async def test_a_therapist_who_now_works_otherwise_is_shown_to_the_reviewer_again(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, PAIR[0])
    proposal = one(await hear(a_request(details=a_case(mode=Mode.EITHER))), MatchProposed)
    await in_directory(database, replace(PAIR[0], modes=frozenset({Mode.ONLINE})))

    said = await hear(a_choice(proposal))

    assert one(said, SeatUnavailable).reason is SeatRefusal.NO_LONGER_ELIGIBLE
    assert [each.mode for each in opened(one(said, MatchProposed).shortlist).candidates] == [Mode.ONLINE]


async def test_an_older_list_is_superseded(database: Database, hear: Hear) -> None:
    await in_directory(database, *PAIR)
    old = one(await hear(a_request()), MatchProposed)
    await hear(a_rematch(old))

    said = await hear(a_choice(old))

    assert kinds(said) == ["SeatUnavailable"]
    assert one(said, SeatUnavailable).reason is SeatRefusal.PROPOSAL_SUPERSEDED


async def test_a_second_decision_on_a_matched_request_is_superseded(database: Database, hear: Hear) -> None:
    await in_directory(database, *PAIR)
    proposal = one(await hear(a_request()), MatchProposed)
    await hear(a_choice(proposal))

    said = await hear(a_choice(proposal, place=1))

    assert one(said, SeatUnavailable).reason is SeatRefusal.PROPOSAL_SUPERSEDED
    assert sorted([await seats_free(database, "ada"), await seats_free(database, "ben")]) == [0, 1]


# ------------------------------------------------------------------------------------------- the end


async def test_a_decision_after_a_withdrawal_gets_no_seat(database: Database, hear: Hear) -> None:
    await in_directory(database, PAIR[0])
    request = a_request()
    proposal = one(await hear(request), MatchProposed)
    await hear(a_withdrawal(request))

    said = await hear(a_choice(proposal))

    assert kinds(said) == ["SeatUnavailable"]
    assert one(said, SeatUnavailable).reason is SeatRefusal.REQUEST_CLOSED
    assert await seats_free(database, "ada") == 1


@pytest.mark.parametrize("end", [a_withdrawal, a_decline])
async def test_a_request_that_ends_gives_its_seat_back_once(
    database: Database, hear: Hear, end: Callable[[RequestSubmitted], Event]
) -> None:
    await in_directory(database, a_therapist("ada", seats_offered=2, seats_free=2))
    request, other = a_request(), a_request()
    for each in (request, other):
        await hear(a_choice(one(await hear(each), MatchProposed)))
    assert await seats_free(database, "ada") == 0

    await hear(end(request))
    await hear(end(request))
    await hear(a_withdrawal(request))

    assert await seats_free(database, "ada") == 1


async def test_a_withdrawal_without_its_request_keeps_a_late_request_closed(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, *PAIR)
    request = a_request()

    await hear(a_withdrawal(request))

    assert await hear(request) == []


async def test_a_request_that_waits_and_ends_leaves_the_list(database: Database, hear: Hear) -> None:
    request = a_request()
    await hear(request)

    await hear(a_withdrawal(request))

    assert await waiting(database) == []


# ------------------------------------------------------------------------------------------- once more


async def test_a_rematch_leaves_out_who_was_turned_down_for_good(database: Database, hear: Hear) -> None:
    await in_directory(database, *PAIR, a_therapist("cem"))
    first = one(await hear(a_request()), MatchProposed)

    second = one(await hear(a_rematch(first, "ada")), MatchProposed)
    third = one(await hear(a_rematch(second, "ben")), MatchProposed)

    assert id_of("ada") not in candidates(second)
    assert candidates(third) == [id_of("cem")]


async def test_a_rematch_with_nobody_left_waits(database: Database, hear: Hear) -> None:
    await in_directory(database, PAIR[0])
    request = a_request()
    first = one(await hear(request), MatchProposed)

    said = one(await hear(a_rematch(first, "ada")), MatchNotFound)

    assert opened(said.findings).gates[0].gate == "excluded"
    assert await waiting(database) == [request.request_id]


async def test_a_rematch_after_the_seat_was_taken_gives_it_back(database: Database, hear: Hear) -> None:
    await in_directory(database, *PAIR)
    proposal = one(await hear(a_request()), MatchProposed)
    await hear(a_confirmation(proposal, "ada"))

    again = one(await hear(a_rematch(proposal, "ada")), MatchProposed)

    assert candidates(again) == [id_of("ben")]
    assert await seats_free(database, "ada") == 1


async def test_a_rematch_of_a_closed_request_says_nothing(database: Database, hear: Hear) -> None:
    await in_directory(database, *PAIR)
    request = a_request()
    proposal = one(await hear(request), MatchProposed)
    await hear(a_withdrawal(request))

    assert await hear(a_rematch(proposal, "ada")) == []


# ------------------------------------------------------------------------------------------- the waiting list


async def three_who_wait(hear: Hear, clock: MovableClock) -> list[RequestSubmitted]:
    requests = [a_request() for _ in range(3)]
    for request in requests:
        clock.move(timedelta(minutes=1))
        await hear(request)
    return requests


async def test_a_new_therapist_is_offered_to_the_oldest_request(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    oldest, *others = await three_who_wait(hear, clock)

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
    first, second, third = await three_who_wait(hear, clock)

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
    oldest, *_ = await three_who_wait(hear, clock)

    await hear(a_withdrawal(seated))
    proposed = await offered(database)

    assert proposed == [oldest.request_id]


async def test_a_seat_offered_to_one_is_offered_to_the_next_only_when_it_was_not_taken(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    first, second, _ = await three_who_wait(hear, clock)
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
    await three_who_wait(hear, clock)
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


async def test_a_request_that_cannot_be_read_keeps_nobody_behind_it_waiting(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    first, second, third = await three_who_wait(hear, clock)
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
    first, second, third = await three_who_wait(hear, clock)
    assert isinstance(database.keys, Keyring)
    await database.keys.destroy(first.subject_id)

    await in_directory(database, PAIR[0])
    proposed = await offered(database)

    assert proposed == [second.request_id]
    assert await waiting(database) == [third.request_id]
