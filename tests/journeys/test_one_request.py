"""One request per door, from submission to the mails, with a person deciding."""

import re
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import httpx
from cloudevents.core.bindings.kafka import to_binary_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from shared.contract.submission import Submission
from shared.kit.testing import eventually
from tests.journeys.steps import acknowledged, assert_proper, confirm, mails_about
from tests.support.builders import a_submission
from tests.support.system import System

JSON = {"content-type": "application/json"}
STREAMS = ("intake.requests", "matching.proposals", "review.cases", "notify.messages")


async def test_a_partners_request_over_http_ends_in_a_seat_and_two_mails(system: System) -> None:
    async with system.at_intake() as intake, await system.at_review() as review:
        answer = await intake.post("/api/v1/requests", json=a_submission())
        assert answer.status_code == httpx.codes.CREATED, answer.text
        request_id = answer.json()["request_id"]
        again = await intake.post("/api/v1/requests", json=a_submission())
        assert again.json()["request_id"] == request_id

        await acknowledged(system, "maya.okafor-lind@example.com")
        case = await confirm(system, review, request_id)
        matched = await system.case(review, request_id, "matched")
        mails = await mails_about(system, "maya.okafor-lind@example.com", 2)

        async def all_reported() -> bool:
            found = await review.get(f"/api/v1/cases/{request_id}")
            return [mail["state"] for mail in found.json()["mails"]] == ["sent"] * 3

        await eventually(all_reported, within=30, what="review heard of three sent mails")
        status = await intake.get(f"/api/v1/requests/{request_id}")

    first = case["shortlist"]["candidates"][0]
    assert first["reasons"]
    assert sum(reason["points"] for reason in first["reasons"]) == first["score"]
    assert matched["decision"]["therapist_id"] == first["therapist_id"]
    assert matched["decision"]["decided_by"]
    assert status.json()["state"] == "matched"
    acknowledgement, match = mails
    assert first["name"] in match.text
    assert first["name"] not in acknowledgement.text
    [referral] = [mail for mail in system.mail.mails if mail.recipients[0].endswith("therapists.example")]
    assert "Maya" not in referral.text
    for mail in (*mails, referral):
        assert_proper(mail)
    said = await system.streams.read(*STREAMS)
    assert sorted(seen.type.split(".")[2] for seen in said) == [
        "match-confirmed",
        "match-proposed",
        "message-sent",
        "message-sent",
        "message-sent",
        "request-submitted",
        "seat-reserved",
    ]
    assert {seen.key for seen in said} == {request_id.encode()}
    wire = b"".join(
        (seen.value or b"") + b"".join(value or b"" for _, value in seen.headers) for seen in said
    )
    assert b"Maya" not in wire
    assert b"depression" not in wire
    assert "Maya" not in system.output


async def test_a_parents_request_by_the_form_needs_a_recorded_consent(system: System) -> None:
    today = datetime.now(UTC).date()
    form = {
        "requester.role": "parent",
        "requester.name": "Ines Duarte",
        "requester.email": "ines.duarte@example.com",
        "client.name": "Lea Duarte",
        "client.date_of_birth.day": "1",
        "client.date_of_birth.month": "2",
        "client.date_of_birth.year": str(date(today.year - 14, 1, 1).year),
        "looking_for.mode": "online",
        "looking_for.format": "individual",
        "looking_for.therapy": "either",
        "looking_for.languages": "en",
        "looking_for.availability": ["mon_evening", "wed_evening", "sat_morning"],
        "consent.to_process": "yes",
        "consent.to_share": "yes",
    }
    async with httpx.AsyncClient(base_url=system.site("intake"), timeout=30) as browser:
        page = (await browser.get("/request")).text
        once = re.search(r'name="once" value="([^"]+)"', page)
        assert once is not None
        for crisis_help in ("999", "116 123", "0800 1111"):
            assert crisis_help in page
        incomplete = await browser.post("/request", data={**form, "client.name": "", "once": once.group(1)})
        assert incomplete.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert "Ines Duarte" in incomplete.text
        sent = await browser.post("/request", data={**form, "once": once.group(1)})
        assert sent.status_code == httpx.codes.SEE_OTHER
        request_id = sent.headers["location"].split("/")[2]

    async with await system.at_review() as review:
        case = await system.case(review, request_id, "ready")
        assert case["under_16"] is True
        refused = await review.post(f"/api/v1/cases/{request_id}/confirm", json={"version": case["version"]})
        assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert "under_16_basis" in {error["field"] for error in refused.json()["errors"]}
        await acknowledged(system, "ines.duarte@example.com")
        await confirm(
            system,
            review,
            request_id,
            under_16_basis="parental_consent",
            under_16_note="Spoke with the mother by telephone.",
        )
        await system.case(review, request_id, "matched")

    mails = await mails_about(system, "ines.duarte@example.com", 2)
    for mail in mails:
        assert_proper(mail)


async def test_a_partners_cloudevent_is_answered_and_a_reviewer_may_overrule(system: System) -> None:
    good, broken = (
        _event(system, a_submission()),
        _event(system, a_submission(consents={}, reference="NG-205")),
    )
    await system.streams.send("intake.submissions", [good, broken, good])

    async def rejected() -> Any:
        return await system.streams.read("intake.rejections")

    [rejection] = await eventually(rejected, within=60, what="the broken submission was rejected")
    assert rejection.document["reference"] == "NG-205"
    assert [fault["field"] for fault in rejection.document["faults"]] == ["consents"]

    async with await system.at_review() as review:

        async def queued() -> Any:
            cases = (await review.get("/api/v1/cases")).json()["cases"]
            return [case for case in cases if case["state"] == "ready"]

        [waiting] = await eventually(queued, within=60, what="the case is in the queue")
        request_id = waiting["request_id"]
        case = await system.case(review, request_id, "ready")
        second = case["shortlist"]["candidates"][1]
        choice = {"version": case["version"], "therapist_id": second["therapist_id"]}
        without_reason = await review.post(f"/api/v1/cases/{request_id}/choose", json=choice)
        assert without_reason.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        await acknowledged(system, "maya.okafor-lind@example.com")
        chosen = await review.post(
            f"/api/v1/cases/{request_id}/choose",
            json=choice | {"reason": "The client knows the first one's family."},
        )
        assert chosen.status_code == httpx.codes.OK, chosen.text
        late = await review.post(f"/api/v1/cases/{request_id}/confirm", json={"version": case["version"]})
        assert late.status_code == httpx.codes.CONFLICT
        assert late.json()["changes"]
        matched = await system.case(review, request_id, "matched")

    assert matched["decision"]["therapist_id"] == second["therapist_id"]
    mails = await mails_about(system, "maya.okafor-lind@example.com", 2)
    assert second["name"] in mails[1].text


async def test_what_comes_in_wrong_at_any_door_is_answered_and_leaves_no_word_of_it_in_a_log(
    system: System,
) -> None:
    word, case = "Marker-of-a-person", f"/api/v1/cases/{uuid4()}"
    faulty = a_submission(reference=word, story={"in_own_words": word, "nickname": word})
    async with system.at_intake() as intake, await system.at_review() as review:
        answers = [
            await intake.post("/api/v1/requests", json=faulty),
            await intake.post("/api/v1/requests", content=f'{{"{word}": '.encode()),
            await intake.post("/api/v1/requests", json={"story": word * 20_000}),
            await intake.post("/request", data={"client.name": word, "client.email": f"{word}\r\nBcc: all"}),
            await intake.get(f"/status/{word}"),
            await intake.get("/api/v1/requests", headers={"authorization": f"Bearer {word}"}),
            await review.post("/api/v1/session", json={"email": f"{word}@example.com", "password": word}),
            await review.post(f"{case}/confirm", json={"version": 1, word: word}),
            await review.post(
                f"/api/v1/cases/{uuid4()}/confirm", content=f'{{"{word}"'.encode(), headers=JSON
            ),
            await review.post(f"{case}/ask", json={"version": 1, "question": word * 40_000}),
        ]
        await system.streams.send("intake.submissions", [_event(system, faulty)])

        async def rejected() -> Any:
            return await system.streams.read("intake.rejections")

        await eventually(rejected, within=60, what="the faulty submission was rejected")

    assert all(400 <= answer.status_code < 500 for answer in answers), [each.status_code for each in answers]
    assert "Traceback" not in "".join(answer.text for answer in answers)
    assert "request served" in system.output
    assert word not in system.output


async def test_a_decline_names_the_way_onward(system: System) -> None:
    async with system.at_intake() as intake, await system.at_review() as review:
        request_id = (await intake.post("/api/v1/requests", json=a_submission())).json()["request_id"]
        case = await system.case(review, request_id, "ready")
        without_route = await review.post(
            f"/api/v1/cases/{request_id}/decline",
            json={"version": case["version"], "reason": "Needs more than we can offer."},
        )
        assert without_route.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        await acknowledged(system, "maya.okafor-lind@example.com")
        declined = await review.post(
            f"/api/v1/cases/{request_id}/decline",
            json={
                "version": case["version"],
                "reason": "Needs more than we can offer.",
                "onward_route": "gp",
            },
        )
        assert declined.status_code == httpx.codes.OK, declined.text

    _, told = await mails_about(system, "maya.okafor-lind@example.com", 2)
    assert "GP" in told.text
    assert_proper(told)


def _event(system: System, document: dict[str, Any]) -> tuple[bytes | None, bytes | None, list[Any]]:
    """A submission as a partner's CloudEvents library writes it."""
    event = CloudEvent(
        attributes={
            "id": str(uuid4()),
            "type": Submission.type,
            "source": system.partner["source"],
            "specversion": "1.0",
            "time": datetime.now(UTC),
            "datacontenttype": "application/json",
        },
        data=document,
    )
    message = to_binary_event(event, JSONFormat())
    return None, message.value, list(message.headers.items())
