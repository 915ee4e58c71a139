"""The pages of staff, as a browser without JavaScript sees them."""

from datetime import date, timedelta
from html.parser import HTMLParser

import httpx
import pytest

from services.review.domain.staff import Role
from shared.contract import intake, matching
from shared.contract.ids import SubjectId, TherapistId, reference
from shared.contract.notify import FailureReason, MessageFailed
from shared.contract.vocabulary import Condition, Evidence, FlagKind, Format, Variant
from tests.review.builders import NOTE, PASSWORD, REASON, Office, a_mail, page_url
from tests.support.builders import (
    a_candidate,
    a_case,
    a_contact,
    a_flag,
    a_pathway,
    a_proposal,
    a_request,
    id_of,
    nothing_found,
)

FOURTEEN = date(2012, 6, 1)


class Elements(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of one kind."""
        return [attributes for name, attributes in self.found if name == tag]


def in_order(text: str, *parts: str) -> bool:
    """Whether all parts are there, one after the other."""
    places = [text.find(part) for part in parts]
    return -1 not in places and places == sorted(places)


async def send(
    client: httpx.AsyncClient, request: intake.RequestSubmitted, action: str, **form: object
) -> httpx.Response:
    """Opens the case and sends one of its forms."""
    await client.get(page_url(request))
    return await client.post(page_url(request, action), data={"version": 2, **form})


async def test_the_queue_shows_what_needs_attention_first(office: Office) -> None:
    await office.ready_case(contact=a_contact(client_name="Olu Old"))
    office.clock.move(timedelta(hours=80))
    await office.ready_case(contact=a_contact(client_name="Nia New"))
    flags = (a_flag(), a_flag(FlagKind.SELF_HARM))
    await office.ready_case(contact=a_contact(client_name="Fay Flagged"), details=a_case(flags=flags))

    async with office.browser() as bea:
        page = (await bea.get("/")).text

    assert in_order(page, "Fay Flagged", "2 risk flags", "Olu Old", "Overdue", "3 days 8 hours", "Nia New")


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


async def test_confirming_goes_back_to_the_case_and_says_what_happens_next(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.browser() as bea:
        answer = await send(bea, request, "confirm", therapist_id=id_of("ada"))
        page = (await bea.get(answer.headers["location"])).text

    assert answer.status_code == 303
    assert "The seat is being taken" in page
    assert "Bea decided for <strong>Therapist Ada</strong>" in page
    assert len(await office.said(request.request_id)) == 1


async def test_what_is_missing_is_said_beside_its_field_and_what_was_typed_stays(office: Office) -> None:
    request, _ = await office.ready_case(details=a_case(flags=(a_flag(),), date_of_birth=FOURTEEN))

    async with office.browser() as bea:
        answer = await send(
            bea,
            request,
            "choose",
            therapist_id=id_of("ben"),
            reason=REASON,
            under_16_note="short",
            flags_seen="",
        )

    elements = Elements(answer.text)
    assert answer.status_code == 422
    assert REASON in answer.text
    assert "the client is under 16" in answer.text
    ben = next(each for each in elements.all("input") if each.get("value") == str(id_of("ben")))
    assert "checked" in ben
    wrong = {each.get("name") for each in elements.all("textarea") if each.get("aria-invalid")}
    assert wrong == {"under_16_note"}
    assert await office.said(request.request_id) == []


async def test_a_young_person_is_matched_through_the_page_with_a_recorded_consent(office: Office) -> None:
    request, _ = await office.ready_case(details=a_case(date_of_birth=FOURTEEN))

    async with office.browser() as bea:
        fields = {"under_16_basis": "gillick_assessed", "under_16_note": NOTE}
        answer = await send(bea, request, "confirm", therapist_id=id_of("ada"), **fields)
        page = (await bea.get(answer.headers["location"])).text

    assert answer.status_code == 303
    assert "Gillick assessment" in page
    assert NOTE in page


async def test_a_decision_on_a_case_that_has_changed_says_who_did_what_and_keeps_the_text(
    office: Office,
) -> None:
    request, _ = await office.ready_case()

    async with office.browser("bea") as bea, office.browser("cai") as cai:
        await bea.get(page_url(request))
        await send(cai, request, "decline", onward_route="gp", reason="Needs a service that we do not have.")
        answer = await bea.post(
            page_url(request, "choose"),
            data={"version": 2, "therapist_id": str(id_of("ben")), "reason": REASON},
        )

    assert answer.status_code == 409
    assert in_order(answer.text, "This case has changed", "Cai: Declined the request", REASON)
    assert len(await office.said(request.request_id)) == 1


async def test_a_new_shortlist_while_somebody_writes_leaves_the_form_filled_in(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.browser() as bea:
        await bea.get(page_url(request))
        await office.hear(a_proposal(request, "ada", "ben"))
        form = {"version": 2, "therapist_id": str(id_of("ben")), "reason": REASON}
        answer = await bea.post(page_url(request, "choose"), data=form)
        again = await bea.post(page_url(request, "choose"), data=form | {"version": 3})

    elements = Elements(answer.text)
    assert answer.status_code == 409
    assert "Matching: Proposed a shortlist of 2 therapists" in answer.text
    assert {each["value"] for each in elements.all("input") if each.get("name") == "version"} == {"3"}
    assert f">{REASON}</textarea>" in answer.text
    assert again.status_code == 303


async def test_a_claim_is_seen_by_others_and_only_a_supervisor_can_take_it_over(office: Office) -> None:
    request, _ = await office.ready_case()

    async with (
        office.browser("bea") as bea,
        office.browser("cai") as cai,
        office.browser("sam", Role.SUPERVISOR) as sam,
    ):
        await send(bea, request, "claim")
        hers, others, supervisors = [(await each.get(page_url(request))).text for each in (bea, cai, sam)]

    assert "You have claimed this case" in hers
    assert "Bea is working on this case" in others
    assert "Take it over" not in others
    assert "Take it over" in supervisors


async def test_a_closed_case_with_a_mail_in_trouble_is_counted_where_it_is_shown(office: Office) -> None:
    request, _ = await office.ready_case()
    await office.hear(a_mail(request, MessageFailed, reason=FailureReason.REFUSED, smtp_code=550))

    async with office.browser() as bea:
        await send(bea, request, "decline", onward_route="gp", reason=REASON)
        shown, elsewhere = (await bea.get("/")).text, (await bea.get("/?view=waiting")).text
        beyond = (await bea.get("/?page=7")).text

    for page in (shown, elsewhere):
        assert 'Open <span class="number">1</span>' in page
    assert "not delivered for sure" in beyond


async def test_the_history_says_how_a_decision_was_come_to(office: Office) -> None:
    request, _ = await office.ready_case("ada", "ben", details=a_case(flags=(a_flag(),)))

    async with office.browser() as bea:
        await bea.get(page_url(request))
        office.clock.move(timedelta(minutes=12))
        await send(bea, request, "rematch", exclude=str(id_of("ben")), flags_seen="true")
        page = (await bea.get(page_url(request))).text

    assert "Without Therapist Ben" in page
    assert "Looked at for 12 minutes; read 1 risk flag." in page


async def test_whom_a_case_was_decided_for_is_marked_on_the_shortlist(office: Office) -> None:
    request, _ = await office.ready_case("ada", "ben")

    async with office.browser() as bea:
        await send(bea, request, "choose", therapist_id=str(id_of("ben")), reason=REASON)
        page = (await bea.get(page_url(request))).text

    ben = page.partition("<h4>Therapist Ben")[2].partition("</h4>")[0]
    assert "decided for</span>" in ben
    assert page.count("decided for</span>") == 1


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


async def test_staff_read_each_way_with_its_format_once(office: Office) -> None:
    request = a_request()
    ways = (a_pathway(), a_pathway(variant=Variant.IPT_G, format=Format.GROUP))
    shortlist = matching.Shortlist(candidates=(a_candidate("ada"),), pathways=ways)
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


async def test_a_case_is_found_by_the_reference_that_letters_give(office: Office) -> None:
    request, _ = await office.ready_case()
    other, _ = await office.ready_case()

    async with office.browser() as bea:
        case = (await bea.get(page_url(request))).text
        written = reference(request.request_id)
        found = await bea.get("/", params={"reference": f" {written.lower().replace('-', ' ')} "})
        unknown = await bea.get("/", params={"reference": "0000-<b>"})

    assert written in case
    assert (found.status_code, found.headers["location"]) == (303, page_url(request))
    assert reference(other.request_id) != written
    assert "No case has the reference 0000-&lt;b&gt;" in unknown.text


async def test_a_mail_that_did_not_arrive_is_settled_on_the_case(office: Office) -> None:
    request, _ = await office.ready_case()
    await office.hear(a_mail(request, MessageFailed, reason=FailureReason.REFUSED, smtp_code=550))

    async with office.browser() as bea:
        queue = (await bea.get("/")).text
        refused = await bea.post(page_url(request, "settle-mail"), data={"message_id": str(id_of("mail"))})
        form = {"message_id": str(id_of("mail")), "note": "Told on the telephone."}
        settled = await bea.post(page_url(request, "settle-mail"), data=form)
        after = (await bea.get("/")).text

    assert "1 mail not delivered for sure" in queue
    assert 'Open <span class="number">1</span>' in queue
    assert refused.status_code == 422
    assert settled.status_code == 303
    assert "not delivered for sure" not in after


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


async def test_pages_work_without_scripts_and_without_third_parties(office: Office) -> None:
    request, _ = await office.ready_case(details=a_case(flags=(a_flag(),), date_of_birth=FOURTEEN))

    async with office.browser() as bea:
        pages = [await bea.get(each) for each in ("/", page_url(request), "/login")]
        style = await bea.get("/review.css")

    for page in pages:
        elements = Elements(page.text)
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert page.headers["cache-control"] == "no-store"
        assert not elements.all("script")
        assert not [attributes for _, attributes in elements.found if "style" in attributes]
        links = [each.get("href") or "" for each in elements.all("link") + elements.all("a")]
        assert all(each.startswith(("/", "#", "data:")) for each in links)
    assert "immutable" in style.headers["cache-control"]
    assert "http" not in style.text


async def test_every_field_has_a_label_and_every_id_is_there_once(office: Office) -> None:
    request, _ = await office.ready_case(details=a_case(flags=(a_flag(),), date_of_birth=FOURTEEN))

    async with office.browser() as bea:
        pages = [
            (await bea.get(page_url(request))).text,
            (await send(bea, request, "choose")).text,
            (await send(bea, request, "decline")).text,
            (await bea.get("/login")).text,
        ]

    for page in pages:
        elements = Elements(page)
        ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
        labelled = {each.get("for") for each in elements.all("label")}
        assert len(ids) == len(set(ids))
        for tag in ("textarea", "select"):
            assert {each["id"] for each in elements.all(tag)} <= labelled
        for _, attributes in elements.found:
            for described in (attributes.get("aria-describedby") or "").split():
                assert described in ids


@pytest.mark.parametrize(
    "path", ["/cases/0f6f2d8e-0000-4000-8000-000000000000", "/cases/nonsense", "/nowhere"]
)
async def test_what_is_not_there_is_said_on_a_page(office: Office, path: str) -> None:
    async with office.browser() as bea:
        answer = await bea.get(path)

    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
    assert "Go to the queue" in answer.text


async def test_a_form_that_cannot_be_read_is_not_called_our_fault(office: Office) -> None:
    async with office.visitor(accept="text/html") as visitor:
        answer = await visitor.post("/login", data={f"field{number}": "x" for number in range(20)})

    assert answer.status_code == 400
    assert "That could not be read" in answer.text


async def test_a_form_that_is_not_ours_is_refused_on_the_case(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.browser() as bea:
        answer = await send(bea, request, "confirm", version="soon", surprise="1")

    assert answer.status_code == 422
    assert "surprise" in answer.text.lower()
    assert await office.said(request.request_id) == []


async def test_signing_out_on_the_page_ends_the_session(office: Office) -> None:
    async with office.browser() as bea:
        token = bea.cookies["attune_review"]
        answer = await bea.post("/logout")
        out = await bea.get(answer.headers["location"])
        bea.cookies.set("attune_review", token)
        back = await bea.get("/")

    assert "You have signed out" in out.text
    assert back.status_code == 303


async def test_a_wrong_password_is_said_on_the_page_and_the_address_stays(office: Office) -> None:
    await office.hire()

    async with office.visitor(accept="text/html") as visitor:
        answer = await visitor.post(
            "/login", data={"email": "bea@clinic.example", "password": "x" + PASSWORD}
        )

    assert answer.status_code == 401
    assert "The e-mail address or the password is not right." in answer.text
    assert 'value="bea@clinic.example"' in answer.text
    assert PASSWORD not in answer.text
