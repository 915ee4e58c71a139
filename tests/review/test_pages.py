"""The pages of staff: the queue, signing in and out, and what holds of every page."""

from datetime import timedelta

import pytest

from shared.contract.ids import reference
from shared.contract.notify import FailureReason, MessageFailed
from shared.contract.vocabulary import FlagKind
from tests.review.browsing import Elements, in_order, send
from tests.review.builders import FOURTEEN, PASSWORD, REASON, Office, a_mail, page_url
from tests.support.builders import a_case, a_contact, a_flag


async def test_the_queue_shows_what_needs_attention_first(office: Office) -> None:
    await office.ready_case(contact=a_contact(client_name="Olu Old"))
    office.clock.move(timedelta(hours=80))
    await office.ready_case(contact=a_contact(client_name="Nia New"))
    flags = (a_flag(), a_flag(FlagKind.SELF_HARM))
    await office.ready_case(contact=a_contact(client_name="Fay Flagged"), details=a_case(flags=flags))

    async with office.browser() as bea:
        page = (await bea.get("/")).text

    assert in_order(page, "Fay Flagged", "2 risk flags", "Olu Old", "Overdue", "3 days 8 hours", "Nia New")


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
        fields = [
            each
            for tag in ("input", "textarea", "select")
            for each in elements.all(tag)
            if each.get("type") != "hidden"
        ]
        assert fields
        assert {each.get("id") for each in fields} <= labelled
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
