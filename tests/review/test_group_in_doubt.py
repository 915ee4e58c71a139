"""A match in a formed group that is in doubt comes before a person, who says what becomes of it."""

from datetime import timedelta

import httpx
import pytest

from services.review.domain.case import State, group_in_doubt, withdrawn
from services.review.store.tidying import close_erased
from shared.contract import matching
from shared.contract.ids import DecisionId, SubjectId
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import GroupDoubt
from tests.review.builders import NOON, REASON, Office, a_case_in, a_choice, case_url, page_url
from tests.review.gathering import a_named_request, confirmed_for
from tests.support.builders import (
    a_case,
    a_flag,
    a_group,
    a_group_in_doubt,
    a_seat,
    a_therapist_gone,
    a_withdrawal,
    id_of,
)

LATER = NOON + timedelta(days=3)
HOW = "Ada telephoned: the three go on, and she looks for a fourth."
TOO_FEW, LAPSED = GroupDoubt.TOO_FEW, GroupDoubt.LEADER_LAPSED


async def in_formed_group(
    office: Office, client: httpx.AsyncClient, *names: str
) -> list[tuple[RequestSubmitted, matching.SeatReserved]]:
    """Requests that were matched through the API, all into one group that takes others for a week."""
    requests = [a_named_request(each) for each in names]
    choices = [await confirmed_for(office, client, each) for each in requests]
    group = a_group(
        members=len(names), formed=True, deadline=None, joinable_until=office.clock.now() + timedelta(days=7)
    )
    seats = [a_seat(each, group=group) for each in choices]
    await office.hear(*seats)
    return list(zip(requests, seats, strict=True))


async def queue(client: httpx.AsyncClient) -> list[str]:
    return [each["request_id"] for each in (await client.get("/api/v1/cases")).json()["cases"]]


def test_only_the_match_of_that_very_decision_is_put_in_doubt() -> None:
    decision = a_choice().decision_id

    case = group_in_doubt(a_case_in(State.MATCHED), decision, TOO_FEW, LATER)

    assert case is not None
    assert (case.state, case.doubts, case.doubted_at, case.version) == (State.MATCHED, (TOO_FEW,), LATER, 3)
    assert case.seen_anew_since == LATER
    assert group_in_doubt(a_case_in(State.MATCHED), DecisionId(id_of("another")), TOO_FEW, LATER) is None
    for state in set(State) - {State.MATCHED}:
        assert group_in_doubt(a_case_in(state), decision, TOO_FEW, LATER) is None


def test_a_second_doubt_stands_beside_the_first_and_the_same_again_is_one() -> None:
    case = a_case_in(State.MATCHED, doubts=(LAPSED,), doubted_at=NOON)

    for _ in range(2):
        doubted = group_in_doubt(case, a_choice().decision_id, TOO_FEW, LATER)
        assert doubted is not None
        assert (doubted.doubts, doubted.doubted_at) == ((TOO_FEW, LAPSED), LATER)
        assert doubted.version == case.version + 1, "whoever looks at it must look again"
        case = doubted


def test_a_withdrawal_leaves_nothing_to_say_about_the_group() -> None:
    case = withdrawn(a_case_in(State.MATCHED, doubts=(TOO_FEW,), doubted_at=LATER))

    assert case is not None
    assert (case.doubts, case.doubted_at, case.in_doubt) == ((), None, False)


async def test_members_of_a_group_that_is_too_small_come_to_the_top_of_the_queue_and_it_says_why(
    office: Office,
) -> None:
    flagged, _ = await office.ready_case(details=a_case(flags=(a_flag(),)))
    office.clock.move(timedelta(hours=1))
    async with office.program() as bea:
        (left, _), (stays, seat), _, _ = await in_formed_group(office, bea, "Dev", "Eve", "Fay", "Gus")
        before = await queue(bea)

        await office.hear(a_withdrawal(left), a_group_in_doubt(seat, TOO_FEW))

        after = await queue(bea)
        case = (await bea.get(case_url(stays))).json()
    async with office.browser("cem") as cem:
        overview, page = (await cem.get("/")).text, (await cem.get(page_url(stays))).text

    assert before == [str(flagged.request_id)]
    assert after == [str(stays.request_id), str(flagged.request_id)]
    assert (case["state"], case["allowed"], case["doubts"]) == ("matched", ["keep", "rematch"], ["too_few"])
    assert case["doubted_at"] is not None
    assert '<span class="mark strong">Group too small</span>' in overview
    assert "somebody left the group, and fewer have a place in it than it needs" in page
    assert "As far as is known here, 3 of at least 4 are in it." in page
    assert "Others may still join until" in page
    assert (
        "The client keeps the place until you decide or the course is over, and has been told nothing" in page
    )
    assert "Does the therapy go on?" in page
    assert "Put the match before staff, because somebody left the group" in page
    assert (await office.audit(stays.request_id))[-1] == "group_in_doubt"


async def test_of_a_leader_who_has_lapsed_it_says_so_and_nobody_is_said_to_join(office: Office) -> None:
    async with office.program() as bea:
        (request, seat), *_ = await in_formed_group(office, bea, "Dev", "Eve", "Fay", "Gus")
    async with office.browser("cem") as cem:
        before = (await cem.get(page_url(request))).text
        await office.hear(a_group_in_doubt(seat, LAPSED))
        overview, page = (await cem.get("/")).text, (await cem.get(page_url(request))).text

    assert "Others may still join until" in before
    assert "Others may still join" not in page
    assert "Group&#39;s leader lapsed" in overview
    assert "has no valid registration, or no valid accreditation for it, any more" in page
    assert "are in it." not in page


async def test_nobody_is_said_to_join_once_the_group_has_begun(office: Office) -> None:
    async with office.program() as bea:
        (request, _), *_ = await in_formed_group(office, bea, "Dev", "Eve", "Fay", "Gus")
    office.clock.move(timedelta(days=7))

    async with office.browser("cem") as cem:
        page = (await cem.get(page_url(request))).text

    assert "Group formed: 4" in page
    assert "Others may still join" not in page


async def test_a_group_that_goes_on_is_kept_with_a_reason_and_nobody_is_told(office: Office) -> None:
    async with office.program() as bea:
        (request, seat), *_ = await in_formed_group(office, bea, "Dev", "Eve", "Fay", "Gus")
        await office.hear(a_group_in_doubt(seat, TOO_FEW), a_group_in_doubt(seat, LAPSED))
        said = await office.said(request.request_id)
        version = (await bea.get(case_url(request))).json()["version"]

        kept = await bea.post(case_url(request, "keep"), json={"version": version, "reason": HOW})

        after = (await bea.get(case_url(request))).json()
        assert (kept.status_code, after["state"], after["doubts"]) == (200, "matched", [])
        assert await queue(bea) == []
        await office.hear(a_group_in_doubt(seat, TOO_FEW))
        assert await queue(bea) == [str(request.request_id)], "it has become smaller again"
    assert await office.said(request.request_id) == said


async def test_a_member_who_shall_have_another_therapist_leaves_nothing_in_doubt(office: Office) -> None:
    async with office.program() as bea:
        (request, seat), *_ = await in_formed_group(office, bea, "Dev", "Eve", "Fay", "Gus")
        await office.hear(a_group_in_doubt(seat, LAPSED))
        version = (await bea.get(case_url(request))).json()["version"]

        answer = await bea.post(case_url(request, "rematch"), json={"version": version, "reason": REASON})
        await office.hear(a_group_in_doubt(seat, TOO_FEW))
        case = (await bea.get(case_url(request))).json()

    assert answer.status_code == 200
    assert (case["state"], case["doubts"], case["doubted_at"]) == ("awaiting_proposal", [], None)
    assert (await office.said(request.request_id))[-1].type == "attune.review.rematch-requested.v1"


async def test_nobody_keeps_a_match_whose_page_they_opened_only_before_the_group_was_in_doubt(
    office: Office,
) -> None:
    async with office.program() as bea:
        (request, seat), *_ = await in_formed_group(office, bea, "Dev", "Eve", "Fay", "Gus")
        version = (await bea.get(case_url(request))).json()["version"]
        office.clock.move(timedelta(minutes=5))
        await office.hear(a_group_in_doubt(seat, TOO_FEW))

        old = await bea.post(case_url(request, "keep"), json={"version": version, "reason": HOW})
        unseen = await bea.post(case_url(request, "keep"), json={"version": version + 1, "reason": HOW})

    assert (old.status_code, old.json()["code"]) == (409, "case_changed")
    assert (unseen.status_code, unseen.json()["code"]) == (422, "unseen")


@pytest.mark.parametrize("doubt", list(GroupDoubt))
async def test_whoever_is_erased_leaves_the_queue_with_what_was_to_be_decided_of_the_group(
    office: Office, doubt: GroupDoubt
) -> None:
    async with office.program() as bea:
        (request, seat), *_ = await in_formed_group(office, bea, "Dev", "Eve", "Fay", "Gus")
        await office.hear(a_group_in_doubt(seat, doubt))
        await office.service.keyring.destroy(SubjectId(request.subject_id))

        assert await close_erased(office.database) == 1
        assert await queue(bea) == []


async def test_a_therapist_who_leaves_and_a_group_too_small_are_both_said(office: Office) -> None:
    async with office.program() as bea:
        (request, seat), *_ = await in_formed_group(office, bea, "Dev", "Eve", "Fay", "Gus")
        await office.hear(a_therapist_gone(seat), a_group_in_doubt(seat, TOO_FEW))
    async with office.browser("cem") as cem:
        page = (await cem.get(page_url(request))).text
        kept = await cem.post(page_url(request, "keep"), data={"version": _version(page), "reason": HOW})
        after = (await cem.get(kept.headers["location"])).text

    assert "has left the directory" in page
    assert "Group too small" in page
    assert "has left the directory" not in after
    assert "What becomes of the group?" not in after


def _version(page: str) -> str:
    return page.split('name="version" value="')[1].split('"', maxsplit=1)[0]
