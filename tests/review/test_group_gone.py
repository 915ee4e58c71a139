"""A group that could not be joined as it was shown is not put down to the therapist."""

from uuid import UUID

from shared.contract import matching
from shared.contract.matching import SeatRefusal
from tests.review.builders import Office, case_url, page_url
from tests.support.builders import (
    a_candidate,
    a_confirmation,
    a_group,
    a_pathway,
    a_proposal,
    a_request,
    a_seat_gone,
)


async def test_staff_read_that_the_group_had_gone_and_not_that_the_therapist_may_not(office: Office) -> None:
    request = a_request()
    shortlist = matching.Shortlist(
        candidates=(a_candidate("ada", group=a_group()), a_candidate("ben", score=700)),
        pathways=(a_pathway(),),
    )
    proposal = a_proposal(request, shortlist=shortlist)
    await office.hear(request, proposal)
    async with office.program() as bea:
        await bea.get(case_url(request))
        answer = await bea.post(case_url(request, "confirm"), json={"version": 2})
        choice = a_confirmation(proposal, decision_id=UUID(answer.json()["decision_id"]))

        await office.hear(a_seat_gone(choice, reason=SeatRefusal.GROUP_GONE))
        case = (await bea.get(case_url(request))).json()
    async with office.browser("cem") as cem:
        page = (await cem.get(page_url(request))).text

    why = "the group could not be joined as it was shown: it was full, gone, had begun or had changed"
    assert (case["state"], case["reopened_because"]) == ("ready", "group_gone")
    assert f"a therapist had been decided on, but {why}." in page
    assert f"Could not take the seat: reopened, because {why}" in page
    assert "The client has not been told anything yet." in page
    assert "not available any more" in page
    assert "may not take this client" not in page
