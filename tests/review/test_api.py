"""Deciding through the JSON door, on a real database."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.review.domain.staff import Role
from shared.contract.matching import Caution, SeatRefusal, Shortfall, Shortlist, WaitWeeks
from shared.contract.notify import FailureReason, MessageFailed, MessageUncertain
from shared.contract.review import (
    InformationRequested,
    MatchConfirmed,
    RematchRequested,
    RequestDeclined,
)
from tests.review.builders import NOTE, REASON, Office, a_mail, case_url
from tests.support.builders import (
    a_candidate,
    a_case,
    a_confirmation,
    a_flag,
    a_pathway,
    a_proposal,
    a_request,
    a_seat,
    a_seat_gone,
    a_withdrawal,
    id_of,
    nothing_found,
)

FOURTEEN = date(2012, 6, 1)


async def decide(
    client: httpx.AsyncClient,
    request: Any,
    action: str,
    version: int = 2,
    *,
    look: bool = True,
    **fields: Any,
) -> httpx.Response:
    """Opens a case and acts on it."""
    if look:
        await client.get(case_url(request))
    return await client.post(case_url(request, action), json={"version": version, **fields})


def faults(answer: httpx.Response) -> set[str]:
    """The fields that an answer finds wrong."""
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    return {each["field"] for each in answer.json()["errors"]}


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
    [way] = case["shortlist"]["pathways"]
    assert (way["evidence"], way["source"]) == ("strong", "NICE NG222")
    assert (way["rule"], way["rule_sources"]) == ("For ages 18 and over; the client is 35.", ["ISIPT"])
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


async def test_confirming_says_so_to_matching_once_and_is_audited_with_it(office: Office) -> None:
    request, proposal = await office.ready_case()

    async with office.program() as bea:
        await bea.get(case_url(request))
        office.clock.move(timedelta(seconds=95))
        answer = await decide(bea, request, "confirm", look=False)

    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["version"]) == ("confirmed", 3)
    [said] = await office.said(request.request_id)
    assert said.type == MatchConfirmed.type
    assert said.document["therapist_id"] == str(id_of("ada"))
    assert said.document["proposal_id"] == str(proposal.proposal_id)
    assert said.document["decision_id"] == answer.json()["decision_id"]
    assert said.document["considered_seconds"] == 95
    assert said.document["overruled"] is False
    assert await office.audit(request.request_id) == ["submitted", "proposed", "confirm"]


async def test_the_time_on_a_case_counts_from_the_shortlist_that_is_decided_on(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.program() as bea:
        await bea.get(case_url(request))
        office.clock.move(timedelta(minutes=40))
        await office.hear(a_proposal(request, "dev"))
        await bea.get(case_url(request))
        office.clock.move(timedelta(seconds=30))
        await decide(bea, request, "confirm", version=3, look=False)

    [said] = await office.said(request.request_id)
    assert said.document["considered_seconds"] == 30


async def test_a_long_break_is_not_time_spent_on_the_case(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.program() as bea:
        await bea.get(case_url(request))
        office.clock.move(timedelta(minutes=25))
        await bea.get(case_url(request))
        office.clock.move(timedelta(seconds=40))
        await decide(bea, request, "confirm", look=False)

    [said] = await office.said(request.request_id)
    assert said.document["considered_seconds"] == 15 * 60 + 40


@pytest.mark.parametrize(
    ("action", "fields", "event", "state"),
    [
        ("choose", {"therapist_id": str(id_of("ben")), "reason": REASON}, MatchConfirmed, "confirmed"),
        ("rematch", {"exclude": [str(id_of("ada"))]}, RematchRequested, "awaiting_proposal"),
        ("decline", {"onward_route": "gp", "reason": REASON}, RequestDeclined, "declined"),
        ("ask", {"question": "Which evenings are free?"}, InformationRequested, "information_asked"),
    ],
)
async def test_every_decision_is_said_and_audited_once(
    office: Office, action: str, fields: dict[str, Any], event: Any, state: str
) -> None:
    request, _ = await office.ready_case()

    async with office.program() as bea:
        answer = await decide(bea, request, action, **fields)
        case = (await bea.get(case_url(request))).json()

    assert answer.json()["state"] == case["state"] == state
    assert [each.type for each in await office.said(request.request_id)] == [event.type]
    entry = case["history"][-1]
    assert (entry["action"], entry["who"], entry["version"]) == (action, "Bea", 3)
    assert entry["decision_id"] == answer.json()["decision_id"]
    assert entry["codes"]["considered_seconds"] == 0


async def test_who_was_left_out_is_still_known_by_name_when_the_shortlist_has_gone(office: Office) -> None:
    request, _ = await office.ready_case("ada", "ben", "cy")

    async with office.program() as bea:
        await decide(bea, request, "rematch", exclude=[str(id_of("ben")), str(id_of("cy"))])
        case = (await bea.get(case_url(request))).json()

    assert case["shortlist"] is None
    assert case["history"][-1]["words"] == {"left_out": "Therapist Ben, Therapist Cy"}


async def test_what_a_reviewer_writes_is_sealed_in_the_audit_and_on_the_wire(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.program() as bea:
        await decide(bea, request, "decline", onward_route="eating_disorder_service", reason=REASON)
        entry = (await bea.get(case_url(request))).json()["history"][-1]

    assert entry["words"] == {"onward_route": "eating_disorder_service", "reason": REASON}
    rows = await office.database.pool.fetch("SELECT a::text AS row FROM audit AS a")
    [said] = await office.said(request.request_id)
    for kept in (*(row["row"] for row in rows), str(said.document)):
        assert "eating_disorder" not in kept
        assert REASON not in kept


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


async def test_what_is_missing_is_named_and_nothing_happens(office: Office) -> None:
    request, _ = await office.ready_case(details=a_case(flags=(a_flag(),), date_of_birth=FOURTEEN))

    async with office.program() as bea:
        choose = faults(await decide(bea, request, "choose", therapist_id=str(uuid4())))
        decline = faults(await decide(bea, request, "decline"))
        rematch = faults(await decide(bea, request, "rematch", flags_seen=True))
        unknown = faults(await decide(bea, request, "confirm", surprise=1))

    assert choose == {"therapist_id", "reason", "flags_seen", "under_16_basis", "under_16_note"}
    assert decline == {"onward_route", "reason", "flags_seen"}
    assert rematch == {"reason"}
    assert unknown == {"surprise"}
    assert await office.said(request.request_id) == []
    assert await office.audit(request.request_id) == ["submitted", "proposed"]


async def test_a_person_under_16_is_matched_once_somebody_has_recorded_who_consents(office: Office) -> None:
    request, _ = await office.ready_case(details=a_case(date_of_birth=FOURTEEN))

    async with office.program() as bea:
        refused = await decide(bea, request, "confirm")
        allowed = await decide(bea, request, "confirm", under_16_basis="parental_consent", under_16_note=NOTE)
        entry = (await bea.get(case_url(request))).json()["history"][-1]

    assert faults(refused) == {"under_16_basis", "under_16_note"}
    assert allowed.status_code == 200
    assert entry["codes"]["under_16_basis"] == "parental_consent"
    assert entry["words"]["under_16_note"] == NOTE


async def test_nobody_decides_on_a_case_unseen(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.program("bea") as bea, office.program("cai") as cai:
        await cai.get(case_url(request))
        answer = await decide(bea, request, "confirm", look=False)

    assert (answer.status_code, answer.json()["code"]) == (422, "unseen")


async def test_a_look_that_began_a_moment_before_the_news_it_shows_counts(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.program() as bea:
        office.clock.move(timedelta(milliseconds=-5))
        await bea.get(case_url(request))
        office.clock.move(timedelta(seconds=30))
        answer = await decide(bea, request, "confirm", look=False)

    assert answer.status_code == 200


async def test_a_seat_that_has_gone_reopens_the_case_at_the_top_of_the_queue(office: Office) -> None:
    flagged, _ = await office.ready_case(details=a_case(flags=(a_flag(),)))
    office.clock.move(timedelta(hours=1))
    request, proposal = await office.ready_case()

    async with office.program() as bea:
        decided = (await decide(bea, request, "confirm")).json()
        confirmation = a_confirmation(proposal, decision_id=UUID(decided["decision_id"]))
        await office.hear(a_seat_gone(confirmation))
        queue = (await bea.get("/api/v1/cases")).json()["cases"]
        case = (await bea.get(case_url(request))).json()
        again = await decide(bea, request, "confirm", version=4)

    assert [each["request_id"] for each in queue] == [str(request.request_id), str(flagged.request_id)]
    assert case["reopened_because"] == SeatRefusal.NO_SEAT_LEFT
    assert case["first"] == str(id_of("ben"))
    assert again.status_code == 200
    assert (await office.said(request.request_id))[-1].document["therapist_id"] == str(id_of("ben"))


async def test_a_seat_makes_the_match_and_names_the_decision(office: Office) -> None:
    request, proposal = await office.ready_case()

    async with office.program() as bea:
        decided = (await decide(bea, request, "confirm")).json()
        decision = UUID(decided["decision_id"])
        await office.hear(a_seat(a_confirmation(proposal, decision_id=decision)))
        case = (await bea.get(case_url(request))).json()
        late = await decide(bea, request, "decline", version=4, onward_route="gp", reason=REASON)

    assert case["state"] == "matched"
    assert case["decision"]["therapist"] == "Therapist Ada"
    assert case["decision"]["decided_by"] == "Bea"
    assert (late.status_code, late.json()["code"]) == (409, "not_now")


async def test_the_queue_shows_reopened_then_flagged_then_oldest(office: Office) -> None:
    oldest, _ = await office.ready_case()
    office.clock.move(timedelta(hours=80))
    newest, _ = await office.ready_case()
    flagged, _ = await office.ready_case(details=a_case(flags=(a_flag(), a_flag())))

    async with office.program() as bea:
        await decide(bea, newest, "claim")
        queue = (await bea.get("/api/v1/cases")).json()["cases"]

    assert [each["request_id"] for each in queue] == [
        str(each.request_id) for each in (flagged, oldest, newest)
    ]
    assert [each["flags"] for each in queue] == [2, 0, 0]
    assert [each["overdue"] for each in queue] == [False, True, False]
    assert queue[2]["claimed_by"]["name"] == "Bea"
    assert "Okafor" not in str(queue)


async def test_a_request_that_nothing_here_fits_comes_before_all_others_and_its_clock_runs(
    office: Office,
) -> None:
    flagged, _ = await office.ready_case(details=a_case(flags=(a_flag(),)))
    nowhere = a_request()
    await office.hear(nowhere, nothing_found(nowhere, shortfall=Shortfall.NO_WAY_FITS))
    office.clock.move(timedelta(hours=80))

    async with office.program() as bea:
        queue = (await bea.get("/api/v1/cases")).json()["cases"]
        case = (await bea.get(case_url(nowhere))).json()
        declined = await decide(bea, nowhere, "decline", onward_route="gp", reason=REASON)

    assert [each["request_id"] for each in queue] == [str(each.request_id) for each in (nowhere, flagged)]
    assert (queue[0]["state"], queue[0]["overdue"]) == ("no_way_fits", True)
    assert case["history"][-1]["what"] == "Found that no form of therapy here is for this request"
    assert declined.status_code == 200


async def test_a_waiting_case_says_how_long_others_waited_or_that_it_is_not_known(office: Office) -> None:
    known, unknown = a_request(), a_request()
    await office.hear(known, nothing_found(known, wait_weeks=WaitWeeks(least=3, most=7)))
    await office.hear(unknown, nothing_found(unknown))

    async with office.program() as bea:
        cases = [(await bea.get(case_url(each))).json() for each in (known, unknown)]

    assert [each["findings"]["wait_weeks"] for each in cases] == [{"least": 3, "most": 7}, None]


async def test_the_queue_can_be_asked_for_states_and_pages(office: Office) -> None:
    request, _ = await office.ready_case()
    waiting = a_request()
    await office.hear(waiting, nothing_found(waiting))

    async with office.program() as bea:
        found = (await bea.get("/api/v1/cases", params={"state": "waiting"})).json()
        both = (await bea.get("/api/v1/cases", params={"state": ["waiting", "ready"]})).json()
        beyond = (await bea.get("/api/v1/cases", params={"page": "2"})).json()
        wrong = [
            await bea.get("/api/v1/cases", params=each)
            for each in ({"state": "happy"}, {"page": "0"}, {"page": "x"}, {"page": "9" * 30})
        ]

    assert [each["request_id"] for each in found["cases"]] == [str(waiting.request_id)]
    assert {each["request_id"] for each in both["cases"]} == {
        str(waiting.request_id),
        str(request.request_id),
    }
    assert (beyond["cases"], beyond["total"], beyond["pages"]) == ([], 2, 1)
    assert [faults(each) for each in wrong] == [{"state"}, {"page"}, {"page"}, {"page"}]


async def test_a_mail_in_trouble_stays_in_the_queue_until_somebody_settles_it(office: Office) -> None:
    request, _ = await office.ready_case()
    await office.hear(a_mail(request, MessageUncertain))
    async with office.program() as bea:
        await decide(bea, request, "decline", onward_route="gp", reason=REASON)
        [before] = (await bea.get("/api/v1/cases")).json()["cases"]
        mail = {"message_id": str(id_of("mail")), "note": "Told on the telephone."}
        unsaid = await bea.post(case_url(request, "mails/settle"), json=mail | {"note": ""})
        settled = await bea.post(case_url(request, "mails/settle"), json=mail)
        twice = await bea.post(case_url(request, "mails/settle"), json=mail)
        after = (await bea.get("/api/v1/cases")).json()["cases"]

    assert (before["state"], before["mails_in_trouble"]) == ("declined", 1)
    assert faults(unsaid) == {"note"}
    assert settled.status_code == 204
    assert faults(twice) == {"message_id"}
    assert after == []
    assert (await office.audit(request.request_id))[-1] == "mail_settled"


async def test_a_settled_mail_that_is_tried_again_in_vain_is_in_trouble_again(office: Office) -> None:
    request, _ = await office.ready_case()
    await office.hear(a_mail(request, MessageUncertain))
    async with office.program() as bea:
        mail = {"message_id": str(id_of("mail")), "note": "Told on the telephone."}
        await bea.post(case_url(request, "mails/settle"), json=mail)
        [settled] = (await bea.get("/api/v1/cases")).json()["cases"]
        await office.hear(a_mail(request, MessageFailed, attempts=2, reason=FailureReason.REFUSED))
        [again] = (await bea.get("/api/v1/cases")).json()["cases"]

    assert settled["mails_in_trouble"] == 0
    assert again["mails_in_trouble"] == 1


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/api/v1/cases/{uuid4()}", 404, "no_such_case"),
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


async def test_a_decision_whose_audit_cannot_be_written_is_not_made(office: Office) -> None:
    request, _ = await office.ready_case()
    await office.service.database.pool.execute(
        "ALTER TABLE audit ADD CONSTRAINT nothing_more CHECK (action <> 'confirm') NOT VALID"
    )

    async with office.program() as bea:
        answer = await decide(bea, request, "confirm")
        case = (await bea.get(case_url(request))).json()

    assert answer.status_code == 500
    assert (case["state"], case["version"]) == ("ready", 2)
    assert await office.said(request.request_id) == []


async def test_an_action_on_a_case_that_does_not_exist_is_a_404(office: Office) -> None:
    async with office.program() as bea:
        answer = await decide(bea, a_request(), "claim", version=1)

    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_case")


async def test_a_withdrawn_case_cannot_be_decided(office: Office) -> None:
    request, _ = await office.ready_case()
    async with office.program() as bea:
        await bea.get(case_url(request))
        await office.hear(a_withdrawal(request))
        stale = await decide(bea, request, "confirm", look=False)
        fresh = await decide(bea, request, "confirm", version=3)

    assert [each["action"] for each in stale.json()["changes"]] == ["withdrawn"]
    assert (fresh.status_code, fresh.json()["code"]) == (409, "not_now")
    assert await office.said(request.request_id) == []
