"""The door for people, through the real app, read as a browser would read it."""

import hashlib
import re
from html.parser import HTMLParser
from uuid import uuid4

import httpx
import pytest

from shared.contract.intake import RequestSubmitted, RequestWithdrawn
from shared.contract.vocabulary import Door
from tests.intake.builders import a_document, a_form
from tests.intake.conftest import Intake

CRISIS = ("999", "NHS 111", "116 123", "85258", "0800 068 4141", "0800 1111")


class Page(HTMLParser):
    """The elements of a page, as far as the tests ask about them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        return [
            attributes
            for each, attributes in self.elements
            if each == tag and wanted.items() <= attributes.items()
        ]

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]


async def status_path(intake: Intake) -> str:
    [seen] = await intake.requests()
    event = await intake.opened(seen)
    assert isinstance(event, RequestSubmitted)
    assert event.contact is not None
    return event.contact.status_url.removeprefix("https://intake.example")


async def test_the_form_cannot_be_used_to_flood_a_mailbox(intake: Intake) -> None:
    async def send(**changes: str) -> httpx.Response:
        return await intake.http.post("/request", data=a_form({"once": str(uuid4()), **changes}))

    once = str(uuid4())
    sent = [await send(), *[await send() for _ in range(3)], await send(once=once)]
    again = await send(once=once)
    more = await send()
    other = await send(**{"client.email": "somebody-else@example.com"})

    assert [each.status_code for each in sent] == [303] * 5
    assert again.status_code == 303
    assert more.status_code == 429
    assert all(number in more.text for number in CRISIS)
    assert other.status_code == 303
    assert len(await intake.requests(6)) == 6


async def test_a_request_made_with_the_form_is_taken_in(intake: Intake) -> None:
    form = Page((await intake.http.get("/request")).text)
    [once] = form.all("input", name="once")

    answer = await intake.http.post("/request", data=a_form({"once": once["value"]}))
    landed = await intake.http.get(answer.headers["location"])

    assert answer.status_code == 303
    assert re.fullmatch(r"/request/[0-9a-f-]{36}/sent", answer.headers["location"])
    assert "Your request has arrived" in landed.text
    assert "Maya" not in landed.text
    event = await intake.opened((await intake.requests())[0])
    assert isinstance(event, RequestSubmitted)
    assert (event.door, event.partner) == (Door.WEB, None)
    assert event.details is not None
    assert event.details.outcode == "E1"


async def test_sending_the_form_twice_makes_one_request(intake: Intake) -> None:
    first = await intake.http.post("/request", data=a_form())
    second = await intake.http.post("/request", data=a_form())

    assert first.headers["location"] == second.headers["location"]
    assert await intake.database.pool.fetchval("SELECT count(*) FROM requests") == 1


async def test_going_back_and_sending_something_else_is_not_swallowed(intake: Intake) -> None:
    await intake.http.post("/request", data=a_form())

    answer = await intake.http.post("/request", data=a_form({"client.name": "Maya Lind"}))

    assert answer.status_code == 409
    assert "already sent" in answer.text


async def test_a_faulty_form_comes_back_with_everything_kept_and_links_to_what_to_mend(
    intake: Intake,
) -> None:
    answer = await intake.http.post(
        "/request",
        data=a_form(
            {
                "client.name": 'Maya "M" <b>',
                "client.date_of_birth.year": "2031",
                "client.email": "",
                "consent.to_share": "",
                "story.in_own_words": "\nSince the </textarea> move",
                "story.conditions": ["anxiety"],
                "safety.harming_self": "no",
            }
        ),
    )
    page = Page(answer.text)

    assert answer.status_code == 422
    assert "<title>Error: " in answer.text
    links = [link["href"][1:] for link in page.all("a") if link["href"].startswith("#")]
    for anchor in ("client.date_of_birth", "client.email", "consent.to_share"):
        assert anchor in links
        assert anchor in page.ids
        [field] = [
            attributes
            for _, attributes in page.elements
            if f"{anchor}-fault" in attributes.get("aria-describedby", "")
        ]
        assert field["aria-invalid"] == "true"
    assert page.all("input", name="client.name")[0]["value"] == 'Maya "M" <b>'
    assert "Since the &lt;/textarea&gt; move" in answer.text
    assert "checked" in page.all("input", name="story.conditions", value="anxiety")[0]
    assert "checked" in page.all("input", name="safety.harming_self", value="no")[0]
    assert "checked" in page.all("input", name="looking_for.availability", value="thu_evening")[0]
    assert page.all("input", name="once")[0]["value"] == a_form()["once"]
    assert await intake.database.pool.fetchval("SELECT count(*) FROM requests") == 0


async def test_a_child_that_nothing_here_serves_is_told_where_to_turn(intake: Intake) -> None:
    answer = await intake.http.post("/request", data=a_form({"client.date_of_birth.year": "2021"}))

    assert answer.status_code == 422
    assert "Help for a young child" in answer.text
    assert "CAMHS" in answer.text


async def test_every_control_of_the_form_has_a_label_and_every_id_is_there_once(intake: Intake) -> None:
    answer = await intake.http.get("/request")
    text, page = answer.text, Page(answer.text)

    labelled = {label["for"] for label in page.all("label") if "for" in label}
    wrapped = re.findall(r"<label[^>]*>[^<]*<input[^>]*>", text)
    free = [
        control
        for tag in ("input", "select", "textarea")
        for control in page.all(tag)
        if control.get("type") != "hidden" and control.get("id") not in labelled
    ]
    assert answer.status_code == 200
    assert len(free) == len(wrapped) > 60
    assert len(page.ids) == len(set(page.ids))
    described = {
        part for _, attributes in page.elements for part in attributes.get("aria-describedby", "").split()
    }
    assert described <= set(page.ids)
    assert page.all("html", lang="en-GB")


async def test_crisis_help_is_on_every_page_errors_included(intake: Intake) -> None:
    sent = await intake.http.post("/request", data=a_form())
    status = await status_path(intake)
    pages = {
        "start": await intake.http.get("/"),
        "form": await intake.http.get("/request"),
        "form with faults": await intake.http.post("/request", data={}),
        "sent": await intake.http.get(sent.headers["location"]),
        "sent before": await intake.http.post("/request", data=a_form({"client.name": "Other"})),
        "status": await intake.http.get(status),
        "no such page": await intake.http.get("/nothing"),
        "no such request": await intake.http.get(f"/request/{uuid4()}/sent"),
        "no such status": await intake.http.get("/status/guess"),
        "wrong method": await intake.http.put("/request"),
        "unreadable": await intake.http.post("/request", content=b"a=%ff"),
        "too large": await intake.http.post("/request", content=b"a=" + b"x" * 300_000),
    }
    await intake.database.pool.execute("ALTER TABLE requests RENAME TO elsewhere")
    pages["our fault"] = await intake.http.get(status)

    for name, answer in pages.items():
        assert answer.headers["content-type"] == "text/html; charset=utf-8", name
        for number in CRISIS:
            assert number in answer.text, f"{number} is not on {name}"
    assert [answer.status_code for answer in pages.values()] == [
        *(200, 200, 422, 200, 409, 200, 404, 404, 404, 405, 400, 413, 500)
    ]


async def test_pages_load_nothing_from_elsewhere_and_carry_no_style_of_their_own(intake: Intake) -> None:
    for path in ("/", "/request"):
        answer = await intake.http.get(path)
        page = Page(answer.text)

        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers
        assert not page.all("style")
        assert not page.all("script")
        assert all("style" not in attributes for _, attributes in page.elements)
        for tag in ("link", "img", "form", "a"):
            for element in page.all(tag):
                address = element.get("href") or element.get("src") or element.get("action") or ""
                assert address.startswith(("/", "#", "tel:", "sms:", "data:,")), address


async def test_the_style_sheet_is_served_under_an_address_that_changes_with_it(intake: Intake) -> None:
    page = Page((await intake.http.get("/")).text)
    [link] = page.all("link", rel="stylesheet")

    answer = await intake.http.get(link["href"])

    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert link["href"].partition("?v=")[2] == hashlib.sha256(answer.content).hexdigest()[:12]


async def test_the_status_page_says_where_things_stand_and_nothing_of_the_story(intake: Intake) -> None:
    await intake.http.post("/request", data=a_form({"story.in_own_words": "Since the move"}))

    answer = await intake.http.get(await status_path(intake))

    assert "We have your request" in answer.text
    assert "2 June 2025" in answer.text
    for secret in ("Maya", "maya@example.com", "Since the move", "E1 6AN"):
        assert secret not in answer.text


async def test_withdrawing_on_the_status_page_ends_the_search_once(intake: Intake) -> None:
    await intake.http.post("/request", data=a_form())
    path = await status_path(intake)
    form = Page((await intake.http.get(path)).text).all("form")
    assert [each["action"] for each in form] == [f"{path}/withdraw"]

    answers: list[httpx.Response] = [await intake.http.post(f"{path}/withdraw") for _ in range(2)]
    after = await intake.http.get(path)

    assert [(answer.status_code, answer.headers["location"]) for answer in answers] == [(303, path)] * 2
    assert "has been withdrawn" in after.text
    assert not Page(after.text).all("form")
    seen = await intake.requests(2)
    assert [each.type for each in seen] == [RequestSubmitted.type, RequestWithdrawn.type]


@pytest.mark.parametrize("token", ["guess", "a" * 43, "%00", "../etc", "é"])
async def test_a_guessed_link_shows_nothing(intake: Intake, token: str) -> None:
    assert (await intake.http.get(f"/status/{token}")).status_code == 404
    assert (await intake.http.post(f"/status/{token}/withdraw")).status_code == 404


async def test_a_request_from_a_partner_has_no_sent_page(intake: Intake) -> None:
    gp = await intake.partner("gp")

    answer = await intake.http.post("/api/v1/requests", json=a_document(), headers=gp)

    page = await intake.http.get(f"/request/{answer.json()['request_id']}/sent")
    assert page.status_code == 404
