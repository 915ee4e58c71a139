"""A group from four requests to four matches, and one that does not come about."""

import json
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx

from shared.kit.testing import eventually
from tests.journeys.steps import acknowledged, assert_proper, confirm, mails_about
from tests.support.builders import a_submission
from tests.support.system import System


def a_young_person(name: str) -> dict[str, Any]:
    """Somebody of 16 or 17 without a diagnosis, who would come to a group online on Tuesday evenings."""
    whole = a_submission(reference=f"NG-{name}")
    born = f"{datetime.now(UTC).year - 17}-12-30"
    looking_for = {"therapy": "either", "format": "group", "availability": ["tue_evening"], "preferences": []}
    return whole | {
        "client": whole["client"]
        | {"name": f"{name.title()} Example", "email": address(name), "date_of_birth": born},
        "looking_for": whole["looking_for"] | looking_for | {"max_fee_pounds": None},
        "story": {"in_own_words": "It is hard to talk to people."},
    }


def address(name: str) -> str:
    return f"{name}@example.com"


async def decided_for_a_group(
    system: System, intake: httpx.AsyncClient, review: Any, name: str, state: str = "place_held"
) -> str:
    """Somebody asks and is confirmed for the first of the shortlist, which stands for a group."""
    answer = await intake.post("/api/v1/requests", json=a_young_person(name))
    assert answer.status_code == httpx.codes.CREATED, answer.text
    request_id: str = answer.json()["request_id"]
    await acknowledged(system, address(name))
    case = await confirm(system, review, request_id)
    # Whoever decides next must see who is in it.
    await system.case(review, request_id, state)
    assert case["shortlist"]["candidates"][0]["group"]["slot"] == "tue_evening"
    return request_id


async def test_enough_decisions_form_a_group_and_each_member_is_told(system: System) -> None:
    names = ("amir", "bola", "cleo", "dina")
    async with system.at_intake() as intake, await system.at_review() as review:
        requests = [await decided_for_a_group(system, intake, review, names[0])]
        first = await system.case(review, requests[0], "place_held")

        async def gathers() -> bool:
            status = (await intake.get(f"/api/v1/requests/{requests[0]}")).json()
            return bool(status["state"] == "gathering")

        # intake may hear of it later than review.
        await eventually(gathers, within=60, what="the client can read that the group gathers")
        for name in names[1:3]:
            requests.append(await decided_for_a_group(system, intake, review, name))
        third = await system.case(review, requests[0], "place_held")
        for name in names[:3]:
            await mails_about(system, address(name), 2)
        therapist = first["decision"]["therapist_id"]
        before = json.loads(await system.command("matching", "therapists", "show", therapist, "--json"))
        requests.append(await decided_for_a_group(system, intake, review, names[3], "matched"))
        cases = [await system.case(review, each, "matched") for each in requests]
        after = json.loads(await system.command("matching", "therapists", "show", therapist, "--json"))

    assert (first["group"]["members"], third["group"]["members"]) == (1, 3)
    assert {case["decision"]["therapist_id"] for case in cases} == {therapist}
    assert len({case["decision"]["decision_id"] for case in cases}) == len(names)
    assert after["seats_free"] == before["seats_free"], "the group has one seat, whoever comes into it"
    for name in names:
        mails = await mails_about(system, address(name), 2 if name == names[3] else 3)
        assert before["name"] in mails[-1].text
        assert not any(before["name"] in mail.text for mail in mails[:-1])
        for mail in mails:
            assert_proper(mail)

    def referred() -> bool:
        return len(system.mail.to(before["email"])) == len(names)

    await eventually(referred, within=60, what="the therapist was told of each member")

    async with await system.at_review() as review:
        leaving = await system.case(review, requests[0], "matched")
        reason = "Cannot come on Tuesdays any more, and would like to see somebody else."
        answer = await review.post(
            f"/api/v1/cases/{requests[0]}/rematch", json={"version": leaving["version"], "reason": reason}
        )
        assert answer.status_code == httpx.codes.OK, answer.text

        async def in_doubt() -> bool:
            cases = [(await review.get(f"/api/v1/cases/{each}")).json() for each in requests[1:]]
            return all(case["doubts"] == ["too_few"] for case in cases)

        await eventually(in_doubt, within=60, what="staff were asked what becomes of the others' group")
        queued = [each["request_id"] for each in (await review.get("/api/v1/cases")).json()["cases"]]
        stay = [await system.case(review, each, "matched") for each in requests[1:]]

    assert set(requests[1:]) == set(queued[:3])
    assert {case["group"]["members"] for case in stay} == {3}
    await mails_about(system, address(names[0]), 4)
    for name in names[1:]:
        assert len(system.mail.to(address(name))) == (2 if name == names[3] else 3), (
            "nobody else was written to"
        )


async def test_a_group_too_small_at_its_deadline_is_dissolved_and_its_members_are_decided_anew(
    system: System,
) -> None:
    names = ("emil", "fern")
    async with system.at_intake() as intake, await system.at_review() as review:
        requests = [await decided_for_a_group(system, intake, review, name) for name in names]
        held = [await system.case(review, each, "place_held") for each in requests]
        for name in names:
            await mails_about(system, address(name), 2)
        await _time_is_up(system)
        for request_id in requests:
            await system.case(review, request_id, "ready")
        for name in names:
            mails = await mails_about(system, address(name), 3)
            assert "keeps its place" in " ".join(mails[-1].text.split())
            for mail in mails:
                assert_proper(mail)

        async def proposed_anew() -> bool:
            fresh = [(await review.get(f"/api/v1/cases/{each}")).json() for each in requests]
            assert {case["reopened_because"] for case in fresh} == {"group_dissolved"}
            return all(new["proposal_id"] != old["proposal_id"] for new, old in zip(fresh, held, strict=True))

        await eventually(proposed_anew, within=60, what="everybody was proposed somebody anew")
        await confirm(system, review, requests[0])
        again = await system.case(review, requests[0], "place_held")

    assert again["group"]["members"] == 1
    assert again["group"]["group_id"] != held[0]["group"]["group_id"]


async def _time_is_up(system: System) -> None:
    """As if the weeks had passed in which a group gathers."""
    connection = await asyncpg.connect(system.databases["matching"])
    try:
        status = await connection.execute("UPDATE groups SET deadline = now() WHERE state = 'gathering'")
    finally:
        await connection.close()
    assert status == "UPDATE 1"
