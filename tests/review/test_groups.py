"""What staff see of groups: which one a candidate means, a place that is held, and what became of it."""

from datetime import timedelta

from shared.contract.matching import SeatRefusal
from tests.review.builders import Office, case_url, page_url
from tests.review.gathering import UNOPENED, a_group_proposal, confirmed, shown
from tests.support.builders import a_group, a_place, a_request, a_seat, a_seat_gone, a_withdrawal


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
