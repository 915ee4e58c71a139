"""Colleagues on one case: deciding at once, on what has changed, and on what another has claimed."""

import asyncio

from services.review.domain.staff import Role
from tests.review.builders import REASON, Office, case_url, decide
from tests.support.builders import a_proposal


async def test_of_two_reviewers_who_decide_at_once_exactly_one_wins(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.program("bea") as bea, office.program("cai") as cai:
        await asyncio.gather(bea.get(case_url(request)), cai.get(case_url(request)))
        answers = await asyncio.gather(
            decide(bea, request, "confirm", look=False),
            decide(cai, request, "decline", look=False, onward_route="gp", reason=REASON),
        )

    won, lost = sorted(answers, key=lambda each: each.status_code)
    assert (won.status_code, lost.status_code) == (200, 409)
    problem = lost.json()
    winner = "Bea" if won is answers[0] else "Cai"
    assert problem["code"] == "case_changed"
    assert problem["current_version"] == 3
    assert [(each["who"], each["action"], each["version"]) for each in problem["changes"]] == [
        (winner, "confirm" if winner == "Bea" else "decline", 3)
    ]
    assert problem["changes"][0]["at"]
    assert problem["changes"][0]["what"]
    assert len(await office.said(request.request_id)) == 1
    assert len(await office.audit(request.request_id)) == 3


async def test_many_reviewers_who_decide_at_once_make_one_decision(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.program("bea") as bea:
        await bea.get(case_url(request))
        answers = await asyncio.gather(*(decide(bea, request, "confirm", look=False) for _ in range(8)))

    assert sorted(each.status_code for each in answers) == [200] + [409] * 7
    assert len(await office.said(request.request_id)) == 1


async def test_a_decision_on_an_older_shortlist_is_told_that_there_is_a_newer_one(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.program() as bea:
        await bea.get(case_url(request))
        await office.hear(a_proposal(request, "dev"))
        answer = await decide(bea, request, "confirm", look=False)

    assert answer.status_code == 409
    assert [each["action"] for each in answer.json()["changes"]] == ["proposed"]
    assert await office.said(request.request_id) == []


async def test_a_claimed_case_is_not_decided_by_another(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.program("bea") as bea, office.program("cai") as cai:
        claimed = await decide(bea, request, "claim")
        again = await decide(cai, request, "claim", version=3)
        decided = await decide(cai, request, "confirm", version=3)
        mine = await decide(bea, request, "confirm", version=3)

    assert claimed.status_code == 200
    assert (again.status_code, again.json()["code"]) == (409, "claimed")
    assert (decided.status_code, decided.json()["code"]) == (409, "claimed")
    assert mine.status_code == 200


async def test_a_supervisor_takes_a_case_over_and_that_is_audited(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.program("bea") as bea, office.program("sam", Role.SUPERVISOR) as sam:
        await decide(bea, request, "claim")
        answer = await decide(sam, request, "claim", version=3)
        case = (await sam.get(case_url(request))).json()

    assert answer.status_code == 200
    assert case["claimed_by"]["name"] == "Sam"
    assert "taken_from" in case["history"][-1]["codes"]
