"""What staff read on the page of a case."""

import pytest

from shared.contract import matching
from shared.contract.ids import SubjectId, TherapistId
from shared.contract.vocabulary import Condition, Evidence, Format, Mode, Variant
from tests.review.browsing import in_order
from tests.review.builders import Office, page_url
from tests.support.builders import (
    a_candidate,
    a_case,
    a_flag,
    a_pathway,
    a_proposal,
    a_request,
    id_of,
    nothing_found,
)


async def test_the_case_shows_its_flags_before_everything_else(office: Office) -> None:
    request, _ = await office.ready_case(details=a_case(flags=(a_flag(),)))

    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    assert in_order(
        page,
        "Risk flag: look here first",
        "answered yes",
        "NHS 111, option 2",
        "The person",
        "Shortlist",
        "Decide",
    )


async def test_the_case_shows_everything_that_matching_and_the_person_said(office: Office) -> None:
    request = a_request(details=a_case(in_own_words="First line.\nSecond <b>line</b>."))
    caution = matching.Caution(code="not_first_line", text="IPT is not first line here.")
    shortlist = matching.Shortlist(
        candidates=(a_candidate("ada", unmet=("a woman",), distance_km=3.2, cautions=(caution,)),),
        pathways=(a_pathway(evidence=Evidence.LIMITED, source="NICE NG69", cautions=(caution,)),),
        ruled_out=(matching.RuledOut(variant=Variant.IPT_A, rule="is for 12 to 18", source="ISIPT, IPT-A"),),
        gates=(matching.GateCount(gate="language", therapists=31),),
    )
    await office.hear(request, a_proposal(request, shortlist=shortlist))

    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    for part in (
        "14 March 1991", "maya.okafor-lind@example.com", "do not leave a message", "Tue evening", "up to £90",
        "gender of the therapist: woman (strong wish)", "role transition", "depression (diagnosed)",
        "Second &lt;b&gt;line&lt;/b&gt;.", "limited evidence", "NICE NG69",
        "For ages 18 and over; the client is 35. (ISIPT)", "is for 12 to 18", "ISIPT, IPT-A",
        "IPT is not first line here.", "Works often with role transitions.", "problem areas", "+200",
        "712 points", "3.2 km", "£80 a session", "2 seats free", "Not met:",
        "31: none of the languages asked for", "Policy 2026-11",
    ):  # fmt: skip
        assert part in page, part


async def test_languages_have_names_and_one_that_no_door_would_take_today_is_shown_as_it_came(
    office: Office,
) -> None:
    request, _ = await office.ready_case(details=a_case(languages=("vi", "zz")))

    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    assert "<dd>Vietnamese, zz</dd>" in page


@pytest.mark.parametrize(
    ("outcode", "shown", "where"),
    [
        (None, "3: in person alone, for which no postcode district was given", "no postcode district given"),
        ("E1", "3: too far away", "near E1"),
    ],
)
async def test_who_gave_no_district_is_not_said_to_be_far_from_anybody(
    office: Office, outcode: str | None, shown: str, where: str
) -> None:
    request = a_request(details=a_case(mode=Mode.EITHER, outcode=outcode))
    shortlist = matching.Shortlist(
        candidates=(a_candidate("ada"),),
        pathways=(a_pathway(),),
        gates=(matching.GateCount(gate="distance", therapists=3),),
    )
    await office.hear(request, a_proposal(request, shortlist=shortlist))

    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    assert shown in page
    assert where in page


async def test_a_case_that_nothing_here_fits_says_so_and_is_among_those_to_decide(office: Office) -> None:
    request = a_request()
    await office.hear(request, nothing_found(request, shortfall=matching.Shortfall.NO_WAY_FITS))

    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text
        queue = (await bea.get("/", params={"view": "decide"})).text

    assert "No therapist in the directory works in Welsh." in page
    assert "The client is not told that they wait" in page
    assert "Nothing fits" in queue


async def test_a_waiting_case_says_why_nobody_fits(office: Office) -> None:
    request = a_request()
    await office.hear(request, nothing_found(request))

    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    assert "No therapist in the directory works in Welsh." in page
    assert "Confirm" not in page


@pytest.mark.parametrize(
    ("weeks", "shown"),
    [
        (None, "How long people wait is not known yet; the client is told so."),
        (
            matching.WaitWeeks(least=3, most=7),
            "About half of those who waited lately had a shortlist after 3 to 7 weeks; "
            "the client is told so.",
        ),
        (
            matching.WaitWeeks(least=0, most=1),
            "Most of those who waited lately had a shortlist within 1 week; the client is told so.",
        ),
    ],
)
async def test_a_waiting_case_says_what_the_client_is_told_of_the_wait(
    office: Office, weeks: matching.WaitWeeks | None, shown: str
) -> None:
    request = a_request()
    await office.hear(request, nothing_found(request, wait_weeks=weeks))

    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    assert shown in page


async def test_staff_read_in_plain_words_what_may_be_said_to_client_and_therapist(office: Office) -> None:
    request, _ = await office.ready_case("ada")

    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    told = page.partition("In plain words, for talking with")[2].partition("</details>")[0]
    client, therapist = told.split("not saying who the client is")
    assert "<li>Interpersonal therapy, one to one, online.</li>" in client
    assert "<li>For an adult from 25 to 39.</li>" in therapist


async def test_staff_read_for_which_condition_the_evidence_is(office: Office) -> None:
    request = a_request()
    supports = tuple(
        matching.Support(condition=condition, evidence=evidence, source=source)
        for condition, evidence, source in (
            (Condition.DEPRESSION, Evidence.STRONG, "Cuijpers 2016"),
            (Condition.ANXIETY, Evidence.LIMITED, "Markowitz 2014"),
        )
    )
    shortlist = matching.Shortlist(candidates=(a_candidate("ada"),), pathways=(a_pathway(supports=supports),))
    await office.hear(request, a_proposal(request, shortlist=shortlist))

    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    pathways = page.partition('<ul class="pathways">')[2].partition("</ul>")[0]
    strong, limited = pathways.split("limited evidence with anxiety")
    assert "strong evidence with depression" in strong
    assert "Cuijpers 2016" in strong
    assert "Markowitz 2014" in limited


async def test_staff_read_each_pathway_with_its_format_once(office: Office) -> None:
    request = a_request()
    pathways = (a_pathway(), a_pathway(variant=Variant.IPT_G, format=Format.GROUP))
    shortlist = matching.Shortlist(candidates=(a_candidate("ada"),), pathways=pathways)
    await office.hear(request, a_proposal(request, shortlist=shortlist))

    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    assert "<strong>IPT, one to one</strong>:" in page
    assert "<strong>IPT in a group</strong>:" in page


async def test_staff_read_whom_one_rule_alone_keeps_off_the_list(office: Office) -> None:
    request = a_request()
    missed = matching.NextBest(
        therapist_id=TherapistId(id_of("ben")),
        name="Therapist Ben",
        variant=Variant.IPT,
        score=731,
        gate="seat",
        text="has no free seat",
    )
    shortlist = matching.Shortlist(
        candidates=(a_candidate("ada"),), pathways=(a_pathway(),), next_best=missed
    )
    await office.hear(request, a_proposal(request, shortlist=shortlist))

    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text

    assert "Therapist Ben for IPT (731 points), kept off by one rule alone: has no free seat." in page


async def test_staff_read_why_a_higher_score_is_listed_lower(office: Office) -> None:
    request = a_request()
    held_back = matching.Caution(code="held_back", text="Scores more, but this seat is held back.")
    shortlist = matching.Shortlist(
        candidates=(
            a_candidate("ben", score=770),
            a_candidate("ada", score=774, price=300, cautions=(held_back,)),
        ),
        pathways=(a_pathway(),),
    )
    await office.hear(request, a_proposal(request, shortlist=shortlist))

    async with office.browser() as bea:
        page = (await bea.get(page_url(request))).text
    assert "770 points</p>" in page
    assert "774 points, listed as 474</p>" in page
    assert "Scores more, but this seat is held back." in page


async def test_a_person_who_was_erased_leaves_a_case_without_them(office: Office) -> None:
    request, _ = await office.ready_case()
    await office.service.keyring.destroy(SubjectId(request.subject_id))

    async with office.browser() as bea:
        page = await bea.get(page_url(request))
        queue = await bea.get("/")

    assert page.status_code == 200
    assert "This person has been erased" in page.text
    assert "Okafor" not in page.text + queue.text
    assert "Erased person" in queue.text
