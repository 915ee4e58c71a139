"""Whom staff see in a group before they decide for it, and what becomes of deciding without."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from services.review.store.groups import groups_shown, members_beside
from shared.contract.ids import RequestId
from shared.contract.matching import SeatRefusal
from shared.contract.review import MatchConfirmed
from shared.kit.database import Database
from shared.kit.keyring.sealing import open_event
from tests.review.builders import REASON, Office, case_url, decide, page_url
from tests.review.gathering import (
    UNOPENED,
    a_group_proposal,
    a_named_request,
    confirmed,
    confirmed_for,
    shown,
)
from tests.support.builders import a_group, a_place, a_request, a_seat, a_seat_gone, a_withdrawal, id_of
from tests.support.keys import Counted


async def members_seen(office: Office, request_id: UUID) -> tuple[RequestId, ...] | None:
    """What the last decision says of them; sealed on its way."""
    said = (await office.said(request_id))[-1]
    assert said.type == MatchConfirmed.type
    event = await open_event(MatchConfirmed, said.document, office.database.keys)
    assert isinstance(event, MatchConfirmed)
    return event.beside


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


async def test_somebody_whose_word_of_a_place_began_before_the_look_and_came_after_it_is_unseen(
    office: Office,
) -> None:
    first, second = a_request(), a_request()
    async with office.program() as bea:
        choice = await confirmed_for(office, bea, first)
        await office.hear(second, a_group_proposal(second))
        await shown(bea, second)
        office.clock.move(timedelta(seconds=-1))
        await office.hear(a_place(choice))
        office.clock.move(timedelta(minutes=1))

        unseen = await bea.post(case_url(second, "confirm"), json={"version": 2})

    assert unseen.json()["type"] == "urn:attune:problem:unseen"


async def test_a_decision_for_a_group_tells_whom_its_author_saw_in_it(office: Office) -> None:
    first, second, alone = a_request(), a_request(), a_request()
    async with office.program() as bea:
        choice = await confirmed_for(office, bea, first)
        await office.hear(a_place(choice))
        await confirmed_for(office, bea, second)
        await office.hear(alone, a_group_proposal(alone))
        ben = (await shown(bea, alone))["shortlist"]["candidates"][1]["therapist_id"]  # type: ignore[index]
        chosen = await decide(bea, alone, "choose", therapist_id=ben, reason=REASON)

    assert chosen.status_code == httpx.codes.OK
    assert await members_seen(office, first.request_id) == ()
    assert await members_seen(office, second.request_id) == (first.request_id,)
    assert await members_seen(office, alone.request_id) is None, "no group is decided for"
    [said] = [each for each in await office.said(second.request_id) if each.type == MatchConfirmed.type]
    assert str(first.request_id) not in str(said.document)


async def test_whom_a_colleague_alone_was_shown_the_author_has_not_seen(office: Office) -> None:
    first, second = a_request(), a_request()
    async with office.program() as bea, office.program("cem") as cem:
        choice = await confirmed_for(office, bea, first)
        await office.hear(second, a_group_proposal(second))
        await shown(bea, second)
        await office.hear(a_place(choice))
        await shown(cem, second)

        unseen = await bea.post(case_url(second, "confirm"), json={"version": 2})

    assert unseen.json()["type"] == "urn:attune:problem:unseen"


async def test_who_has_left_since_they_were_seen_is_told_all_the_same(office: Office) -> None:
    first, second = a_request(), a_request()
    async with office.program() as bea:
        await office.hear(a_place(await confirmed_for(office, bea, first)))
        await office.hear(second, a_group_proposal(second))
        await shown(bea, second)
        # Matching may hear of it later than review.
        await office.hear(a_withdrawal(first))
        answer = await bea.post(case_url(second, "confirm"), json={"version": 2})

    assert answer.status_code == httpx.codes.OK
    assert await members_seen(office, second.request_id) == (first.request_id,)


async def test_a_decision_that_did_not_know_of_somebody_is_reopened_on_top_to_be_looked_at_again(
    office: Office,
) -> None:
    first, second = a_named_request("Ana Fictional"), a_request()
    await office.ready_case()
    office.clock.move(timedelta(minutes=10))
    async with office.program() as bea:
        held = await confirmed_for(office, bea, first)
        late = await confirmed_for(office, bea, second)
        await office.hear(
            a_place(held),
            a_seat_gone(late, reason=SeatRefusal.JOINED_UNSEEN, members=(first.request_id,)),
            a_group_proposal(second),
        )
        queue = (await bea.get("/api/v1/cases")).json()["cases"]
        async with office.browser("cem") as cem:
            page = (await cem.get(page_url(second))).text
        case = await shown(bea, second)
        office.clock.move(timedelta(minutes=1))
        again = await bea.post(case_url(second, "confirm"), json={"version": case["version"]})

    why = "somebody else had come into the group by then: look who it is before you decide again"
    assert queue[0]["request_id"] == str(second.request_id), "although others have waited longer"
    assert (case["state"], case["reopened_because"], case["unavailable"]) == ("ready", "joined_unseen", [])
    assert case["beside"][case["first"]][0]["name"] == "Ana Fictional"  # type: ignore[index]
    assert f"a therapist had been decided on, but {why}." in page
    assert f"Could not take the seat: reopened, because {why}" in page
    assert "The client has not been told anything yet." in page
    assert f'<a href="/cases/{first.request_id}">Ana Fictional</a>' in page
    assert "not available any more" not in page
    assert again.status_code == httpx.codes.OK
    assert await members_seen(office, second.request_id) == (first.request_id,)


async def test_a_member_of_whose_place_no_word_has_come_is_shown_as_matching_told_of_them(
    office: Office,
) -> None:
    first, gone, second = a_named_request("Ana Fictional"), a_request(), a_request()
    async with office.program() as bea:
        await confirmed_for(office, bea, first)
        await confirmed_for(office, bea, gone)
        late = await confirmed_for(office, bea, second)
        both = (first.request_id, gone.request_id)
        await office.hear(
            a_withdrawal(gone),
            a_seat_gone(late, reason=SeatRefusal.JOINED_UNSEEN, members=both),
            a_group_proposal(second),
        )
        case = await shown(bea, second)
        again = await bea.post(case_url(second, "confirm"), json={"version": case["version"]})

    beside = case["beside"][case["first"]]  # type: ignore[index]
    assert [each["name"] for each in beside] == ["Ana Fictional"], "the other has withdrawn"
    assert again.status_code == httpx.codes.OK
    assert await members_seen(office, second.request_id) == tuple(sorted(both))
    told = await office.database.pool.fetchval(
        "SELECT members_told FROM cases WHERE request_id = $1", second.request_id
    )
    assert told is None, "once it is decided, that is over"


@pytest.mark.parametrize("shown_as", [{}, UNOPENED], ids=["gathers", "opened since"])
async def test_however_many_are_in_a_group_they_are_read_at_once_and_nobody_else_is(
    office: Office, shown_as: dict[str, object]
) -> None:
    begun = a_group(group_id=id_of("begun"), formed=True, deadline=None, joinable_until=office.clock.now())
    request = a_request()
    async with office.program() as bea:
        for _ in range(3):
            _, choice = await confirmed(office, bea)
            await office.hear(a_place(choice))
        for _ in range(2):
            _, choice = await confirmed(office, bea)
            await office.hear(a_seat(choice, group=begun))
    proposal = a_group_proposal(request, **shown_as)
    await office.hear(request, proposal)
    keys = Counted(office.database.keys)
    counting = Database(office.database.pool, service="review", keys=keys, clock=office.clock)

    async with counting.transaction() as tx:
        found = await members_beside(tx, request.request_id, groups_shown(proposal.shortlist))

    [members] = found.values()
    assert len(members) == 3
    # One look for each purpose, and of each member the key of each.
    assert (keys.single, keys.looks, keys.kids) == (0, 2, 6)
