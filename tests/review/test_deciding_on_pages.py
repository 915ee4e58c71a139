"""Deciding with the forms of a case's page."""

from datetime import timedelta

from services.review.domain.staff import Role
from shared.contract.notify import FailureReason, MessageFailed
from tests.review.browsing import Elements, in_order, send
from tests.review.builders import FOURTEEN, NOTE, REASON, Office, a_mail, page_url
from tests.support.builders import a_case, a_flag, a_proposal, id_of


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
    ben = next(each for each in elements.all("input") if each.get("value") == f"{id_of('ben')} ipt")
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


async def test_a_form_that_is_not_ours_is_refused_on_the_case(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.browser() as bea:
        answer = await send(bea, request, "confirm", version="soon", surprise="1")

    assert answer.status_code == 422
    assert "surprise" in answer.text.lower()
    assert await office.said(request.request_id) == []
