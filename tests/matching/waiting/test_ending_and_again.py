"""A request that ends gives its seat back once; one ranked again leaves out who was turned down."""

from collections.abc import Callable

import pytest

from shared.contract.event import Event
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import MatchNotFound, MatchProposed, SeatRefusal, SeatUnavailable
from shared.contract.sealing import opened
from shared.kit.database import Database
from tests.matching.answers import PAIR, a_choice, candidates, kinds, one, waiting
from tests.matching.builders import a_therapist
from tests.matching.gathering import Hear, in_directory, seats_free
from tests.support.builders import a_confirmation, a_decline, a_rematch, a_request, a_withdrawal, id_of


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
