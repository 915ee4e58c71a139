"""Signing in, and being kept out."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import ValidationError

from services.review.domain.staff import ATTEMPTS_HERE, ATTEMPTS_OF_ADDRESS, WINDOW, password_fault
from services.review.settings import Settings
from services.review.store import accounts
from services.review.store.passwords import Passwords
from tests.review.builders import CASES, PASSWORD, SESSION, Office, page_url, sign_in
from tests.support.builders import a_request


async def test_the_right_password_gives_a_token_and_a_cookie(office: Office) -> None:
    await office.hire()

    async with office.visitor() as visitor:
        answer = await sign_in(visitor, email="Bea@Clinic.example ")

    assert answer.status_code == 201
    assert answer.json()["staff"]["name"] == "Bea"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("attune_review=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie


async def test_over_https_the_cookie_is_bound_to_the_host_and_to_https(
    office: Office, settings: Settings
) -> None:
    await office.hire()
    secure = settings.model_copy(update={"public_url": "https://review.example.org"})
    office.app.state.provided._things[:] = [  # the same service, told that browsers come by https
        secure if isinstance(each, Settings) else each for each in office.app.state.provided
    ]

    async with office.visitor() as visitor:
        cookie = (await sign_in(visitor)).headers["set-cookie"]

    assert cookie.startswith("__Host-attune_review=")
    assert "Secure" in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize("url", ["http://review.example.org", "ftp://localhost", "localhost:8003"])
def test_staff_pages_are_not_served_in_the_open(settings: Settings, url: str) -> None:
    with pytest.raises(ValidationError, match="public_url"):
        Settings.model_validate(settings.model_dump() | {"public_url": url})


async def test_a_wrong_password_and_an_unknown_account_get_the_same_answer_for_the_same_work(
    office: Office,
) -> None:
    await office.hire()
    checks = office.service.provided[Passwords]

    async with office.visitor() as visitor:
        before = checks.checks
        wrong = await sign_in(visitor, password="not the right one")
        between = checks.checks
        unknown = await sign_in(visitor, email="nobody@clinic.example")
        after = checks.checks

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.content == unknown.content
    assert between - before == after - between == 1


async def test_a_disabled_account_is_as_unknown_and_its_session_ends(office: Office) -> None:
    async with office.program() as bea, office.visitor() as visitor:
        async with office.database.transaction() as tx:
            await accounts.disable(tx, "bea@clinic.example")

        assert (await bea.get(CASES)).status_code == 401
        assert (await sign_in(visitor)).status_code == 401


async def test_too_many_wrong_passwords_shut_the_door_for_a_while_even_to_the_right_one(
    office: Office,
) -> None:
    await office.hire()

    async with office.visitor() as visitor:
        answers = [await sign_in(visitor, password=f"wrong number {n}") for n in range(ATTEMPTS_HERE)]
        shut = await sign_in(visitor)
        office.clock.move(WINDOW + timedelta(seconds=1))
        later = await sign_in(visitor)

    assert {each.status_code for each in answers} == {401}
    assert shut.status_code == 429
    assert shut.headers["retry-after"] == "900"
    assert later.status_code == 201


async def test_wrong_passwords_made_side_by_side_are_counted_as_well(office: Office) -> None:
    await office.hire()

    async with office.visitor() as visitor:
        answers = await asyncio.gather(*(sign_in(visitor, password=f"wrong number {n}") for n in range(12)))

    statuses = [each.status_code for each in answers]
    assert statuses.count(401) == ATTEMPTS_HERE
    assert statuses.count(429) == 12 - ATTEMPTS_HERE


async def test_a_stranger_elsewhere_does_not_lock_a_colleague_out(office: Office) -> None:
    await office.hire()

    async with office.visitor("203.0.113.9") as stranger, office.visitor("10.0.0.7") as colleague:
        for number in range(ATTEMPTS_HERE + 1):
            await sign_in(stranger, password=f"wrong number {number}")

        assert (await sign_in(colleague)).status_code == 201


async def test_one_password_tried_on_everybody_shuts_the_door_to_that_address(office: Office) -> None:
    async with office.visitor("203.0.113.9") as stranger:
        answers = [
            await sign_in(stranger, email=f"colleague{number}@clinic.example")
            for number in range(ATTEMPTS_OF_ADDRESS + 1)
        ]

    assert answers[-1].status_code == 429
    assert {each.status_code for each in answers[:-1]} == {401}


async def test_another_site_cannot_sign_a_browser_in(office: Office) -> None:
    await office.hire()

    async with office.visitor(accept="text/html", **{"sec-fetch-site": "cross-site"}) as visitor:
        answer = await visitor.post("/login", data={"email": "bea@clinic.example", "password": PASSWORD})

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "target", ["//evil.example/", "https://evil.example/x", "\\\\evil.example", "javascript:1", "http://["]
)
async def test_signing_in_never_leads_to_another_site(office: Office, target: str) -> None:
    await office.hire()

    async with office.visitor(accept="text/html") as visitor:
        form = {"email": "bea@clinic.example", "password": PASSWORD, "next": target}
        asked = await visitor.get("/login", params={"next": target})
        answer = await visitor.post("/login", data=form)

    assert asked.status_code == 200
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/")
    assert not answer.headers["location"].startswith(("//", "/\\"))


async def test_signing_in_leads_to_the_case_that_was_asked_for(office: Office) -> None:
    await office.hire()
    path = page_url(a_request())

    async with office.visitor(accept="text/html") as visitor:
        asked = await visitor.get(path)
        form = {"email": "bea@clinic.example", "password": PASSWORD, "next": path}
        answer = await visitor.post("/login", data=form)

    assert asked.headers["location"] == f"/login?next={path}"
    assert answer.headers["location"] == path


@pytest.mark.parametrize("email", ["a\0b@clinic.example", "bea@clinic.example\0", "b\rea@clinic.example"])
async def test_what_cannot_be_an_address_is_a_wrong_sign_in(office: Office, email: str) -> None:
    await office.hire()

    async with office.visitor(accept="text/html") as visitor:
        api = await sign_in(visitor, email=email)
        page = await visitor.post("/login", data={"email": email, "password": PASSWORD})

    assert (api.status_code, page.status_code) == (401, 401)


@pytest.mark.parametrize(
    "body", [b"{", b'{"email": "x"}', b'{"email": 1, "password": "x"}', b'{"email":"a","password":"b","x":1}']
)
async def test_a_sign_in_that_cannot_be_read_is_explained_without_what_was_sent(
    office: Office, body: bytes
) -> None:
    async with office.visitor() as visitor:
        answer = await visitor.post(SESSION, content=body, headers={"content-type": "application/json"})

    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("password", ["short", "x" * 201, "aaaaaaaaaaaaa", "my-bea-password-9"])
def test_a_weak_new_password_is_refused_by_its_rule(password: str) -> None:
    assert password_fault(password, "bea@clinic.example") is not None
    assert password_fault(PASSWORD, "bea@clinic.example") is None
