"""Which cases are in the queue, and in what order."""

from datetime import timedelta
from uuid import UUID

from shared.contract.matching import SeatRefusal, Shortfall
from shared.contract.notify import FailureReason, MessageFailed, MessageUncertain
from tests.review.builders import REASON, Office, a_mail, case_url, decide, faults
from tests.support.builders import (
    a_case,
    a_confirmation,
    a_flag,
    a_request,
    a_seat_gone,
    id_of,
    nothing_found,
)


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
