"""A decision takes the seat that a person chose, or it is said why not."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from shared.contract.matching import MatchProposed, SeatRefusal, SeatReserved, SeatUnavailable
from shared.contract.sealing import opened
from shared.contract.vocabulary import Mode
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.errors import NotYet
from tests.matching.answers import PAIR, a_choice, candidates, kinds, one
from tests.matching.builders import a_registration, a_therapist
from tests.matching.gathering import Hear, in_directory, seats_free
from tests.support.builders import a_case, a_confirmation, a_decline, a_proposal, a_rematch, a_request, id_of


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
    proposal = a_proposal(request)

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
