"""What review's tests of groups speak of: somebody proposed a group, and the decision for it."""

from uuid import UUID

import httpx

from shared.contract import matching
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import MatchProposed
from shared.contract.review import MatchConfirmed
from tests.review.builders import Office, case_url
from tests.support.builders import (
    a_candidate,
    a_confirmation,
    a_contact,
    a_group,
    a_pathway,
    a_proposal,
    a_request,
)

UNOPENED = {"group_id": None, "members": 0, "deadline": None}


def a_group_proposal(request: RequestSubmitted, **group: object) -> MatchProposed:
    """A shortlist whose first stands for a group, and whose second sees people alone."""
    shortlist = matching.Shortlist(
        candidates=(a_candidate("ada", group=a_group(**group)), a_candidate("ben", score=700)),
        pathways=(a_pathway(),),
    )
    return a_proposal(request, shortlist=shortlist)


async def confirmed(office: Office, client: httpx.AsyncClient) -> tuple[RequestSubmitted, MatchConfirmed]:
    """A case that was confirmed for a group."""
    request = a_request()
    return request, await confirmed_for(office, client, request)


def a_named_request(name: str) -> RequestSubmitted:
    return a_request(contact=a_contact(client_name=name))


async def confirmed_for(
    office: Office, client: httpx.AsyncClient, request: RequestSubmitted
) -> MatchConfirmed:
    """The decision for the group that a new request is proposed."""
    proposal = a_group_proposal(request)
    await office.hear(request, proposal)
    await client.get(case_url(request))
    answer = await client.post(case_url(request, "confirm"), json={"version": 2})
    return a_confirmation(proposal, decision_id=UUID(answer.json()["decision_id"]))


async def shown(client: httpx.AsyncClient, request: RequestSubmitted) -> dict[str, object]:
    case: dict[str, object] = (await client.get(case_url(request))).json()
    return case
