"""A session: without one nothing is shown or done, and what ends it."""

from datetime import timedelta

import pytest

from services.review.settings import Settings
from services.review.store import accounts
from services.review.store.passwords import Passwords
from tests.review.builders import CASES, PASSWORD, SESSION, Office, page_url, sign_in


async def test_a_session_ends_after_its_time_and_when_it_is_not_used(
    office: Office, settings: Settings
) -> None:
    async with office.program("bea") as bea, office.program("cai") as cai:
        step = settings.lifetime.idle - timedelta(minutes=1)
        elapsed = timedelta()
        while elapsed + step < settings.lifetime.longest:
            assert (await bea.get(CASES)).status_code == 200
            office.clock.move(step)
            elapsed += step
        unused = await cai.get(CASES)
        still = await bea.get(CASES)
        office.clock.move(settings.lifetime.longest - elapsed)
        ended = await bea.get(CASES)

    assert unused.status_code == 401
    assert still.status_code == 200
    assert ended.status_code == 401
    assert ended.headers["www-authenticate"] == "Bearer"


async def test_signing_out_ends_the_session_for_good(office: Office) -> None:
    async with office.program() as bea:
        assert (await bea.delete(SESSION)).status_code == 204

        assert (await bea.get(CASES)).status_code == 401


async def test_signing_in_again_ends_the_session_that_the_browser_had(office: Office) -> None:
    await office.hire()

    async with office.visitor() as browser:
        first = (await sign_in(browser)).json()["token"]
        second = (await sign_in(browser)).json()["token"]
        browser.cookies.clear()
        old = await browser.get(CASES, headers={"authorization": f"Bearer {first}"})
        new = await browser.get(CASES, headers={"authorization": f"Bearer {second}"})

    assert first != second
    assert (old.status_code, new.status_code) == (401, 200)


async def test_a_new_password_ends_the_sessions_of_the_old_one(office: Office) -> None:
    async with office.program() as bea:
        hashed = await office.service.provided[Passwords].hash("another password altogether")
        async with office.database.transaction() as tx:
            await accounts.set_password(tx, "bea@clinic.example", hashed)

        assert (await bea.get(CASES)).status_code == 401


async def test_neither_passwords_nor_tokens_lie_in_the_database(office: Office) -> None:
    async with office.program() as bea:
        token = bea.headers["authorization"].removeprefix("Bearer ")

    staff = await office.database.pool.fetchval("SELECT password_hash FROM staff")
    session = await office.database.pool.fetchval("SELECT s::text FROM sessions AS s")
    assert staff.startswith("$argon2id$")
    assert PASSWORD not in staff
    assert token not in session


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_without_a_session_nothing_is_shown_and_nothing_is_done(office: Office, method: str) -> None:
    request, _ = await office.ready_case()

    async with office.visitor(accept="text/html") as visitor:
        api = await visitor.request(method, f"{CASES}/{request.request_id}" + "/claim" * (method == "POST"))
        page = await visitor.request(method, page_url(request, "claim" if method == "POST" else ""))

    assert api.status_code == 401
    assert page.status_code == 303
    assert page.headers["location"].startswith("/login?next=")
    assert await office.audit(request.request_id) == ["submitted", "proposed"]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_what_another_site_makes_a_browser_send_is_refused(office: Office, site: str) -> None:
    request, _ = await office.ready_case()

    async with office.browser() as bea:
        for address in (
            page_url(request, "claim"),
            "/logout",
            f"{CASES}/{request.request_id}/claim",
            "/login",
        ):
            answer = await bea.post(address, data={"version": 2}, headers={"sec-fetch-site": site})
            assert answer.status_code == 403
        still = await bea.get("/")

    assert still.status_code == 200
    assert await office.audit(request.request_id) == ["submitted", "proposed"]


async def test_a_form_sent_after_the_session_has_ended_leads_back_to_its_case(office: Office) -> None:
    request, _ = await office.ready_case()

    async with office.visitor(accept="text/html") as visitor:
        answer = await visitor.post(page_url(request, "decline"), data={"version": 2})

    assert answer.headers["location"] == f"/login?next={page_url(request)}"
