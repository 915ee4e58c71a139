"""A match whose therapist has left the directory comes before a person, who says what becomes of it."""

from datetime import timedelta
from uuid import UUID

import httpx

from services.review.domain.case import State, therapist_gone, withdrawn
from services.review.store.tidying import close_erased
from shared.contract import intake, matching
from shared.contract.ids import DecisionId, SubjectId
from tests.review.builders import NOON, REASON, Office, a_case_in, a_choice, case_url, page_url
from tests.support.builders import (
    a_case,
    a_confirmation,
    a_flag,
    a_group,
    a_proposal,
    a_seat,
    a_therapist_gone,
    id_of,
)

LATER = NOON + timedelta(days=3)
HOW = "Ada telephoned: she has moved house and sees this client on."


async def matched(
    office: Office, client: httpx.AsyncClient, **changes: object
) -> tuple[intake.RequestSubmitted, matching.SeatReserved]:
    """A request that was matched through the API."""
    request, proposal = await office.ready_case(**changes)
    await client.get(case_url(request))
    answer = await client.post(case_url(request, "confirm"), json={"version": 2, "flags_seen": True})
    seat = a_seat(a_confirmation(proposal, decision_id=UUID(answer.json()["decision_id"])))
    await office.hear(seat)
    return request, seat


async def queue(client: httpx.AsyncClient) -> list[str]:
    return [each["request_id"] for each in (await client.get("/api/v1/cases")).json()["cases"]]


def test_only_the_match_of_that_very_decision_is_put_in_doubt() -> None:
    decision = a_choice().decision_id

    case = therapist_gone(a_case_in(State.MATCHED), decision, LATER)

    assert case is not None
    assert (case.state, case.therapist_gone_at, case.version) == (State.MATCHED, LATER, 3)
    assert case.seen_anew_since == LATER
    assert therapist_gone(a_case_in(State.MATCHED), DecisionId(id_of("another")), LATER) is None
    for state in set(State) - {State.MATCHED}:
        assert therapist_gone(a_case_in(state), decision, LATER) is None


def test_a_withdrawal_leaves_nothing_to_say_about_the_match() -> None:
    case = withdrawn(a_case_in(State.MATCHED, therapist_gone_at=LATER))

    assert case is not None
    assert case.therapist_gone_at is None


async def test_the_match_comes_to_the_top_of_the_queue_and_says_whose_therapist_has_left(
    office: Office,
) -> None:
    await office.ready_case(details=a_case(flags=(a_flag(),)))
    office.clock.move(timedelta(hours=1))
    async with office.program() as bea:
        request, seat = await matched(office, bea)
        before = await queue(bea)

        await office.hear(a_therapist_gone(seat))

        after = await queue(bea)
        case = (await bea.get(case_url(request))).json()
    async with office.browser("cem") as cem:
        overview, page = (await cem.get("/")).text, (await cem.get(page_url(request))).text

    assert str(request.request_id) not in before
    assert after[0] == str(request.request_id)
    assert (case["state"], case["allowed"]) == ("matched", ["keep", "rematch"])
    assert case["therapist_gone_at"] is not None
    assert "Therapist has left" in overview
    assert "Therapist Ada has left the directory" in page
    assert "the client keeps the seat until you decide, and has been told nothing" in page.lower()
    assert "Does the therapy go on?" in page
    assert await office.audit(request.request_id) == [
        "submitted", "proposed", "confirm", "seat_reserved", "therapist_gone",
    ]  # fmt: skip


async def test_a_match_that_goes_on_is_kept_with_a_reason_and_nobody_is_told(office: Office) -> None:
    async with office.program() as bea:
        request, seat = await matched(office, bea)
        await office.hear(a_therapist_gone(seat))
        said = await office.said(request.request_id)
        await bea.get(case_url(request))

        short = await bea.post(case_url(request, "keep"), json={"version": 5, "reason": "fine"})
        kept = await bea.post(case_url(request, "keep"), json={"version": 5, "reason": HOW})
        again = await bea.post(case_url(request, "keep"), json={"version": 6, "reason": HOW})

        assert (short.status_code, short.json()["errors"][0]["field"]) == (422, "reason")
        assert (kept.status_code, kept.json()["state"]) == (200, "matched")
        assert (again.status_code, again.json()["code"]) == (409, "not_now")
        assert await queue(bea) == []
    async with office.browser("cem") as cem:
        page = (await cem.get(page_url(request))).text
    assert await office.said(request.request_id) == said
    assert "has left the directory" not in page
    assert HOW in page


async def test_a_match_that_does_not_go_on_gives_the_seat_back_and_leaves_that_therapist_out(
    office: Office,
) -> None:
    async with office.browser() as bea:
        request, seat = await matched(office, bea)
        await office.hear(a_therapist_gone(seat))
        await bea.get(page_url(request))

        answer = await bea.post(page_url(request, "rematch"), data={"version": 5, "reason": REASON})
        page = (await bea.get(answer.headers["location"])).text

    said = (await office.said(request.request_id))[-1]
    assert said.type == "attune.review.rematch-requested.v1"
    assert said.document["exclude"] == [str(id_of("ada"))]
    assert "has left the directory" not in page
    assert "Waiting for a shortlist" in page


async def test_nobody_keeps_a_match_whose_page_they_opened_only_before_the_therapist_left(
    office: Office,
) -> None:
    async with office.program() as bea:
        request, seat = await matched(office, bea)
        await bea.get(case_url(request))
        office.clock.move(timedelta(minutes=5))
        await office.hear(a_therapist_gone(seat))

        answer = await bea.post(case_url(request, "keep"), json={"version": 5, "reason": HOW})

    assert (answer.status_code, answer.json()["code"]) == (422, "unseen")


async def test_news_of_a_therapist_whom_the_client_no_longer_sees_changes_nothing(office: Office) -> None:
    async with office.program() as bea:
        request, seat = await matched(office, bea)
        await bea.get(case_url(request))
        await bea.post(case_url(request, "rematch"), json={"version": 4, "reason": REASON})

        await office.hear(a_therapist_gone(seat), a_proposal(request, "ben"))
        case = (await bea.get(case_url(request))).json()

    assert (case["state"], case["therapist_gone_at"]) == ("ready", None)


async def test_nobody_is_said_to_join_a_group_whose_therapist_has_left(office: Office) -> None:
    group = a_group(formed=True, members=4, joinable_until=LATER)
    async with office.program() as bea:
        request, proposal = await office.ready_case()
        await bea.get(case_url(request))
        answer = await bea.post(case_url(request, "confirm"), json={"version": 2})
        choice = a_confirmation(proposal, decision_id=UUID(answer.json()["decision_id"]))
        seat = a_seat(choice, group=group)
        await office.hear(seat)

        async with office.browser("cem") as cem:
            before = (await cem.get(page_url(request))).text
            await office.hear(a_therapist_gone(seat))
            after = (await cem.get(page_url(request))).text

    assert "Others may still join" in before
    assert "Others may still join" not in after
    assert "keeps the seat in the group until you decide" in after
    assert "Every member's case asks the same" in after


async def test_whoever_is_erased_leaves_the_queue_with_all_that_was_to_be_decided_about_them(
    office: Office,
) -> None:
    async with office.program() as bea:
        request, seat = await matched(office, bea)
        await office.hear(a_therapist_gone(seat))
        waiting, _ = await office.ready_case()
        other, _ = await office.ready_case()
        for each in (request, waiting):
            await office.service.keyring.destroy(SubjectId(each.subject_id))
        async with office.browser("dan") as dan:
            not_yet = (await dan.get(page_url(request))).text

        closed = await close_erased(office.database)
        again = await close_erased(office.database)
        left = await queue(bea)
        case = (await bea.get(case_url(request))).json()
    async with office.browser("cem") as cem:
        page = (await cem.get(page_url(request))).text

    assert "say what becomes of the match" not in not_yet
    assert (closed, again) == (2, 0)
    assert left == [str(other.request_id)]
    assert (case["state"], case["therapist_gone_at"], case["allowed"]) == ("withdrawn", None, [])
    assert "This person has been erased" in page
    assert '<span class="tag withdrawn">Erased</span>' in page
    assert "Had the person erased" in page
    assert (await office.audit(request.request_id))[-1] == "erased"


async def test_whoever_was_matched_and_is_erased_stays_where_nobody_has_to_look(office: Office) -> None:
    async with office.program() as bea:
        request, _ = await matched(office, bea)
        await office.service.keyring.destroy(SubjectId(request.subject_id))

        assert await close_erased(office.database) == 0
        assert await queue(bea) == []
