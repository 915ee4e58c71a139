"""A match is not the end: a client withdraws, a therapist cannot after all, or has left."""

import json
from typing import Any

import httpx

from shared.kit.testing import eventually
from tests.journeys.steps import CLIENT, assert_proper, confirm, mails_about, matched
from tests.support.system import System


async def test_a_withdrawal_frees_the_seat_and_is_told_to_both(system: System) -> None:
    async with system.at_intake() as intake, await system.at_review() as review:
        request_id, match = await matched(system, intake, review)
        therapist = match["decision"]["therapist_id"]
        taken = json.loads(await system.command("matching", "therapists", "show", therapist, "--json"))

        withdrawn = await intake.post(f"/api/v1/requests/{request_id}/withdraw")
        assert withdrawn.status_code < httpx.codes.BAD_REQUEST, withdrawn.text
        await system.case(review, request_id, "withdrawn")
        *_, told = await mails_about(system, CLIENT, 3)
        assert_proper(told)

        async def freed() -> bool:
            entry = json.loads(await system.command("matching", "therapists", "show", therapist, "--json"))
            return bool(entry["seats_free"] == taken["seats_free"] + 1)

        await eventually(freed, within=60, what="the seat was freed")

    def told_the_therapist() -> bool:
        return sum(mail.recipients[0].endswith("therapists.example") for mail in system.mail.mails) == 2

    await eventually(told_the_therapist, within=30, what="the therapist was told of both")


async def test_a_therapist_who_cannot_after_all_is_replaced_and_everybody_is_told(system: System) -> None:
    async with system.at_intake() as intake, await system.at_review() as review:
        request_id, match = await matched(system, intake, review)

        reason = "The therapist wrote that they are ill and cannot see anybody new."
        answer = await review.post(
            f"/api/v1/cases/{request_id}/rematch", json={"version": match["version"], "reason": reason}
        )
        assert answer.status_code == httpx.codes.OK, answer.text
        *_, again = await mails_about(system, CLIENT, 3)
        case = await confirm(system, review, request_id)
        other = await system.case(review, request_id, "matched")
        *_, told = await mails_about(system, CLIENT, 4)

        async def at_intake() -> bool:
            status = (await intake.get(f"/api/v1/requests/{request_id}")).json()
            return bool(status["state"] == "matched")

        await eventually(at_intake, within=30, what="the status says matched again")

    first = match["decision"]["therapist_id"]
    assert other["decision"]["therapist_id"] != first
    assert first not in {each["therapist_id"] for each in case["shortlist"]["candidates"]}
    assert_proper(again)
    assert_proper(told)
    entry = json.loads(await system.command("matching", "therapists", "show", first, "--json"))
    assert entry["seats_free"] == entry["seats_offered"]

    def told_the_therapists() -> bool:
        # A referral and its end for the first, a referral for the second.
        return sum(mail.recipients[0].endswith("therapists.example") for mail in system.mail.mails) == 3

    await eventually(told_the_therapists, within=30, what="both therapists were told")


async def test_a_match_whose_therapist_leaves_the_directory_comes_back_to_staff(system: System) -> None:
    async with system.at_intake() as intake, await system.at_review() as review:
        request_id, match = await matched(system, intake, review)
        therapist = match["decision"]["therapist_id"]
        assert (await review.get("/api/v1/cases")).json()["cases"] == []

        removed = json.loads(await system.command("matching", "therapists", "remove", therapist, "--json"))

        async def queued() -> Any:
            return (await review.get("/api/v1/cases")).json()["cases"]

        [case] = await eventually(queued, within=60, what="the case is in the queue again")
        shown = await system.case(review, request_id, "matched")
        reason = "They have stopped working, and the client would like to see somebody else."
        answer = await review.post(
            f"/api/v1/cases/{request_id}/rematch", json={"version": shown["version"], "reason": reason}
        )
        assert answer.status_code == httpx.codes.OK, answer.text
        # Until then nobody was told anything. A decision within a blink would hold back that we look again.
        await mails_about(system, CLIENT, 3)
        await confirm(system, review, request_id)
        other = await system.case(review, request_id, "matched")
        await mails_about(system, CLIENT, 4)

    assert removed["cases"] == [case["request_id"]] == [request_id]
    assert case["therapist_gone_at"] is not None
    assert (other["therapist_gone_at"], other["allowed"]) == (None, ["rematch"])
    assert other["decision"]["therapist_id"] != therapist
