"""The JSON door: a case as it is shown, and what is answered to what cannot be done."""

import pytest

from services.review.domain.staff import Role
from shared.contract.matching import Caution, Shortlist, WaitWeeks
from tests.review.builders import Office, case_url, decide
from tests.support.builders import (
    a_candidate,
    a_case,
    a_flag,
    a_pathway,
    a_proposal,
    a_request,
    id_of,
    nothing_found,
)


async def test_a_case_is_shown_whole(office: Office) -> None:
    request, _ = await office.ready_case(details=a_case(flags=(a_flag(),)))

    async with office.program() as bea:
        case = (await bea.get(case_url(request))).json()

    assert (case["state"], case["version"], case["age"]) == ("ready", 2, 35)
    assert case["flags"][0]["evidence"] == "answered yes"
    assert "999" in case["flags"][0]["what_to_do"]
    assert not {"level", "severity", "score"} & set(case["flags"][0])
    assert [each["name"] for each in case["shortlist"]["candidates"]] == [
        "Therapist Ada",
        "Therapist Ben",
        "Therapist Cem",
    ]
    assert case["shortlist"]["candidates"][0]["reasons"][0]["field"] == "details.problem_areas"
    assert case["shortlist"]["candidates"][0]["for_therapist"] == ["For an adult from 25 to 39."]
    [pathway] = case["shortlist"]["pathways"]
    assert (pathway["evidence"], pathway["source"]) == ("strong", "NICE NG222")
    assert (pathway["rule"], pathway["rule_sources"]) == (
        "For ages 18 and over; the client is 35.",
        ["ISIPT"],
    )
    assert case["contact"]["write_to_email"] == "maya.okafor-lind@example.com"
    assert [each["action"] for each in case["history"]] == ["submitted", "proposed"]


async def test_a_case_says_what_counts_of_a_price_and_why_somebody_is_listed_lower(office: Office) -> None:
    request = a_request()
    held_back = Caution(code="held_back", text="Scores more, but this seat is held back.")
    shortlist = Shortlist(
        candidates=(
            a_candidate("ben", score=770),
            a_candidate("ada", score=774, price=300, cautions=(held_back,)),
        ),
        pathways=(a_pathway(),),
    )
    await office.hear(request, a_proposal(request, shortlist=shortlist))

    async with office.program() as bea:
        case = (await bea.get(case_url(request))).json()

    shown = case["shortlist"]["candidates"]
    assert [each["price"] for each in shown] == [0, 300]
    assert [[said["code"] for said in each["cautions"]] for each in shown] == [[], ["held_back"]]


async def test_opening_a_case_is_noted(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.program("bea") as bea, office.program("sam", Role.SUPERVISOR) as sam:
        seen_by_reviewer = (await bea.get(case_url(request))).json()
        seen_by_supervisor = (await sam.get(case_url(request))).json()

    assert seen_by_reviewer["views"] == []
    assert [each["staff_name"] for each in seen_by_supervisor["views"]] == ["Sam", "Bea"]


async def test_a_waiting_case_says_how_long_others_waited_or_that_it_is_not_known(office: Office) -> None:
    known, unknown = a_request(), a_request()
    await office.hear(known, nothing_found(known, wait_weeks=WaitWeeks(least=3, most=7)))
    await office.hear(unknown, nothing_found(unknown))

    async with office.program() as bea:
        cases = [(await bea.get(case_url(each))).json() for each in (known, unknown)]

    assert [each["findings"]["wait_weeks"] for each in cases] == [{"least": 3, "most": 7}, None]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/api/v1/cases/{id_of('nobody')}", 404, "no_such_case"),
        ("/api/v1/cases/not-an-id", 404, "not_found"),
        ("/api/v1/cases/{id}/explode", 404, "no_such_action"),
    ],
)
async def test_what_is_not_there_is_said_as_a_problem(
    office: Office, path: str, status: int, code: str
) -> None:
    request, _ = await office.ready_case()

    async with office.program() as bea:
        method = "POST" if path.endswith("explode") else "GET"
        answer = await bea.request(method, path.format(id=request.request_id), json={"version": 2})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"version": 2', 400),
        (b'{"version": 2, "version": 3}', 400),
        (b'{"version": NaN}', 400),
        ('{"reason": "Zoë"}'.encode("latin-1"), 400),
        (b"[" * 5_000, 400),
        (b"[]", 422),
        (b'{"version": 2, "reason": "' + b"x" * 400_000 + b'"}', 413),
    ],
)
async def test_a_body_that_cannot_be_read_changes_nothing(office: Office, body: bytes, status: int) -> None:
    request, _ = await office.ready_case()

    async with office.program() as bea:
        await bea.get(case_url(request))
        answer = await bea.post(
            case_url(request, "decline"), content=body, headers={"content-type": "application/json"}
        )
        case = (await bea.get(case_url(request))).json()

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert (case["state"], case["version"]) == ("ready", 2)


async def test_an_action_on_a_case_that_does_not_exist_is_a_404(office: Office) -> None:
    async with office.program() as bea:
        answer = await decide(bea, a_request(), "claim", version=1)

    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_case")
