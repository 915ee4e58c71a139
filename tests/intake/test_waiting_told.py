"""A partner whose client waits is told how long others did, or that it is not known yet."""

from typing import Any
from uuid import UUID

import pytest

from services.intake.handlers import note_proposal, note_waiting
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import Shortfall, WaitWeeks
from tests.intake.builders import a_document
from tests.intake.conftest import Intake
from tests.support import builders

PATH = "/api/v1/requests"


async def taken_in(intake: Intake) -> tuple[RequestSubmitted, dict[str, str]]:
    """A request as others speak of it, and the key of the partner that sent it."""
    partner = await intake.partner("gp")
    answer = await intake.http.post(PATH, json=a_document(), headers=partner)
    request_id = UUID(answer.json()["request_id"])
    subject_id = await intake.database.pool.fetchval("SELECT subject_id FROM requests")
    return builders.a_request(request_id=request_id, subject_id=subject_id), partner


async def hear(intake: Intake, request: RequestSubmitted, **said: Any) -> None:
    async with intake.database.transaction() as tx:
        await note_waiting(builders.nothing_found(request, **said), tx)


async def status(intake: Intake, request: RequestSubmitted, partner: dict[str, str]) -> dict[str, Any]:
    document: dict[str, Any] = (await intake.http.get(f"{PATH}/{request.request_id}", headers=partner)).json()
    return document


async def test_a_partner_reads_how_long_others_waited(intake: Intake) -> None:
    request, partner = await taken_in(intake)

    await hear(intake, request, wait_weeks=WaitWeeks(least=3, most=7))

    told = await status(intake, request, partner)
    assert told["state"] == "waiting"
    assert told["wait_weeks"] == {"least": 3, "most": 7}
    assert "after 3 to 7 weeks" in told["status"]


async def test_a_partner_reads_that_the_wait_is_not_known_yet(intake: Intake) -> None:
    request, partner = await taken_in(intake)

    await hear(intake, request, wait_weeks=None)

    told = await status(intake, request, partner)
    assert told["state"] == "waiting"
    assert told["wait_weeks"] is None
    assert "We do not know yet how long it takes" in told["status"]


@pytest.mark.parametrize("becomes", ["no_way_fits", "being_reviewed", "withdrawn"])
async def test_of_who_does_not_wait_a_partner_reads_nothing_about_waiting(
    intake: Intake, becomes: str
) -> None:
    request, partner = await taken_in(intake)
    await hear(intake, request, wait_weeks=WaitWeeks(least=3, most=7))

    if becomes == "no_way_fits":
        await hear(intake, request, shortfall=Shortfall.NO_WAY_FITS)
    elif becomes == "being_reviewed":
        async with intake.database.transaction() as tx:
            await note_proposal(builders.a_proposal(request), tx)
    else:
        await intake.http.post(f"{PATH}/{request.request_id}/withdraw", headers=partner)

    told = await status(intake, request, partner)
    assert told["state"] == becomes
    assert "wait_weeks" not in told
    assert "weeks" not in told["status"]
