"""What staff see of groups: which one a candidate means, a place that is held, and what became of it."""

import json
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from shared.contract import matching
from shared.contract.intake import RequestSubmitted
from shared.contract.matching import MatchProposed, SeatRefusal
from shared.contract.review import MatchConfirmed
from shared.kit.keyring.sealing import open_event
from tests.review.builders import Office, case_url, page_url
from tests.support.builders import (
    a_candidate,
    a_confirmation,
    a_contact,
    a_group,
    a_pathway,
    a_place,
    a_proposal,
    a_request,
    a_seat,
    a_seat_gone,
    a_withdrawal,
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


async def test_the_shortlist_says_which_group_a_candidate_stands_for(office: Office) -> None:
    gathers, opens = a_request(), a_request()
    await office.hear(gathers, a_group_proposal(gathers), opens, a_group_proposal(opens, **UNOPENED))

    async with office.browser() as bea:
        gathering = (await bea.get(page_url(gathers))).text
        opened = (await bea.get(page_url(opens))).text

    for part in ("Tue evening, in English", "gathering: 2 of 4, until 22 Dec", "2 sessions alone"):
        assert part in gathering
    assert "would be opened: 4 to 7 members" in opened


async def test_a_place_that_is_held_is_no_match_and_says_how_many_have_one(office: Office) -> None:
    async with office.program() as bea:
        request, first = await confirmed(office, bea)
        await office.hear(a_place(first, group=a_group(members=1)))
        alone = await shown(bea, request)
        _, second = await confirmed(office, bea)
        await office.hear(a_place(second, group=a_group(members=2)))
        case = await shown(bea, request)
    async with office.browser("cem") as cem:
        page = (await cem.get(page_url(request))).text

    assert case["state"] == "place_held"
    assert [each["group"]["members"] for each in (alone, case)] == [1, 2]  # type: ignore[index]
    assert "Group gathering: 2 of 4" in page
    assert "The seat is taken" not in page
    assert await office.audit(request.request_id) == ["submitted", "proposed", "confirm", "place_held"]


async def test_staff_see_who_else_has_a_place_before_they_decide_and_after(office: Office) -> None:
    first, second = a_named_request("Ana Fictional"), a_named_request("Bo Fictional")
    async with office.program() as bea:
        choice = await confirmed_for(office, bea, first)
        await office.hear(a_place(choice))
        await office.hear(second, a_group_proposal(second))
        before = await shown(bea, second)
    async with office.browser("cem") as cem:
        deciding = (await cem.get(page_url(second))).text
        alone = (await cem.get(page_url(first))).text

    [member] = before["beside"][before["first"]]  # type: ignore[index]
    assert (member["request_id"], member["name"]) == (str(first.request_id), "Ana Fictional")
    assert f'<a href="/cases/{first.request_id}">Ana Fictional</a> ({member["age"]})' in deciding
    assert "Also in it" not in alone, "nobody stands beside themselves"


@pytest.mark.parametrize("shown_as", [{}, UNOPENED], ids=["gathers", "opened since"])
async def test_nobody_is_decided_for_a_group_that_somebody_joined_unseen(
    office: Office, shown_as: dict[str, object]
) -> None:
    first, second = a_request(), a_request()
    async with office.program() as bea:
        choice = await confirmed_for(office, bea, first)
        await office.hear(second, a_group_proposal(second, **shown_as))
        ben = (await shown(bea, second))["shortlist"]["candidates"][1]["therapist_id"]  # type: ignore[index]
        office.clock.move(timedelta(minutes=1))
        await office.hear(a_place(choice))
        office.clock.move(timedelta(minutes=1))
        unseen = await bea.post(case_url(second, "confirm"), json={"version": 2})
        alone = await bea.post(case_url(second, "choose"), json={"version": 2, "therapist_id": ben})
        await shown(bea, second)
        seen = await bea.post(case_url(second, "confirm"), json={"version": 2})

    assert (unseen.status_code, unseen.json()["type"]) == (422, "urn:attune:problem:unseen")
    assert "who else is in a group" in unseen.text
    assert [each["field"] for each in alone.json()["errors"]] == ["reason"], (
        "the group is no matter for one alone"
    )
    assert seen.status_code == httpx.codes.OK


async def test_a_decision_for_a_group_says_sealed_whom_its_author_saw_in_it(office: Office) -> None:
    first, second, alone = a_request(), a_request(), a_request()
    async with office.program() as bea:
        choice = await confirmed_for(office, bea, first)
        await office.hear(a_place(choice))
        await confirmed_for(office, bea, second)
        proposal = a_proposal(alone)
        await office.hear(alone, proposal)
        await bea.get(case_url(alone))
        await bea.post(case_url(alone, "confirm"), json={"version": 2})

    said = [(await office.said(each.request_id))[-1].document for each in (first, second, alone)]
    beside = []
    for each in said:
        event = await open_event(MatchConfirmed, each, office.service.keyring)
        assert isinstance(event, MatchConfirmed)
        beside.append(event.beside)
    assert beside == [(), (first.request_id,), None]
    assert str(first.request_id) not in json.dumps(said[1])


async def test_a_group_that_somebody_joined_unseen_is_put_before_staff_again(office: Office) -> None:
    async with office.program() as bea:
        request, choice = await confirmed(office, bea)
        await office.hear(
            a_seat_gone(choice, reason=SeatRefusal.JOINED_UNSEEN), a_group_proposal(request, **UNOPENED)
        )
        case = await shown(bea, request)
        again = await bea.post(case_url(request, "confirm"), json={"version": case["version"]})
    async with office.browser("cem") as cem:
        page = (await cem.get(page_url(request))).text

    why = "somebody else had come into the group by then: look who it is before you decide again"
    assert (case["state"], case["reopened_because"]) == ("ready", "joined_unseen")
    assert again.status_code == httpx.codes.OK
    assert f"Could not take the seat: reopened, because {why}" in page


async def test_whoever_leaves_is_counted_no_more(office: Office) -> None:
    async with office.program() as bea:
        request, first = await confirmed(office, bea)
        leaving, second = await confirmed(office, bea)
        await office.hear(a_place(first), a_place(second))
        await office.hear(a_withdrawal(leaving))
        case = await shown(bea, request)
        gone = await shown(bea, leaving)

    assert case["group"]["members"] == 1  # type: ignore[index]
    assert (gone["state"], gone["group"]) == ("withdrawn", None)


async def test_a_formed_group_makes_the_match(office: Office) -> None:
    formed = a_group(members=4, formed=True, deadline=None, joinable_until=office.clock.now())
    async with office.program() as bea:
        request, choice = await confirmed(office, bea)
        await office.hear(a_place(choice), a_seat(choice, group=formed))
        case = await shown(bea, request)
    async with office.browser("cem") as cem:
        page = (await cem.get(page_url(request))).text

    assert (case["state"], case["decision"]["therapist"]) == ("matched", "Therapist Ada")  # type: ignore[index]
    assert "Group formed" in page


async def test_a_group_heard_of_only_when_it_is_formed_makes_the_match_as_well(office: Office) -> None:
    async with office.program() as bea:
        request, choice = await confirmed(office, bea)
        await office.hear(a_seat(choice, group=a_group(members=4, formed=True)))
        # Whatever comes late and is older changes nothing.
        await office.hear(a_place(choice))
        case = await shown(bea, request)

    assert case["state"] == "matched"


async def test_a_dissolved_group_reopens_the_case_on_top_and_can_be_decided_anew(office: Office) -> None:
    async with office.program() as bea:
        request, choice = await confirmed(office, bea)
        await office.hear(a_place(choice))
        office.clock.move(timedelta(minutes=10))
        other, _ = await office.ready_case()
        await office.hear(
            a_seat_gone(choice, reason=SeatRefusal.GROUP_DISSOLVED), a_group_proposal(request, **UNOPENED)
        )
        queue = (await bea.get("/api/v1/cases")).json()["cases"]
        case = await shown(bea, request)
        again = await bea.post(case_url(request, "confirm"), json={"version": case["version"]})
    async with office.browser("cem") as cem:
        page = (await cem.get(page_url(request))).text

    assert [each["request_id"] for each in queue] == [str(request.request_id), str(other.request_id)]
    assert (case["state"], case["group"]) == ("ready", None)
    assert case["reopened_because"] == "group_dissolved"
    assert again.status_code == 200
    assert "Dissolved the group: reopened, because too few had a place" in page


async def test_a_held_place_is_given_back_by_asking_for_another_shortlist(office: Office) -> None:
    async with office.program() as bea:
        request, choice = await confirmed(office, bea)
        await office.hear(a_place(choice))
        case = await shown(bea, request)
        exclude = {"exclude": [str(choice.therapist_id)], "version": case["version"]}
        answer = await bea.post(case_url(request, "rematch"), json=exclude)
        after = await shown(bea, request)

    assert answer.status_code == 200, answer.text
    assert (after["state"], after["group"], after["decision"]) == ("awaiting_proposal", None, None)
    assert (await office.said(request.request_id))[-1].type == "attune.review.rematch-requested.v1"
