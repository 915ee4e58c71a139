"""The partners' door over HTTP, through the real app."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.contract.intake import RequestSubmitted, RequestWithdrawn
from shared.contract.vocabulary import Door
from shared.kit.pace import AT_ONCE
from tests.intake.builders import MISSING, a_body, a_document, from_a_parent
from tests.intake.conftest import Intake

PATH = "/api/v1/requests"


async def post(
    intake: Intake, partner: dict[str, str], changes: dict[str, Any] | None = None, **headers: str
) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await intake.http.post(PATH, json=a_document(changes), headers=partner | named)


def errors(answer: httpx.Response) -> dict[str, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return {error["field"]: error["rule"] for error in answer.json()["errors"]}


async def test_a_request_is_taken_in_and_said_on_kafka(intake: Intake) -> None:
    gp = await intake.partner("gp")

    answer = await post(intake, gp, {"reference": "EMIS-1"})

    assert answer.status_code == 201
    assert answer.json()["state"] == "received"
    request_id = answer.json()["request_id"]
    assert answer.headers["location"] == f"{PATH}/{request_id}"
    [seen] = await intake.requests()
    assert seen.key == request_id.encode()
    assert b"Maya" not in (seen.value or b"")
    said = await intake.opened(seen)
    assert isinstance(said, RequestSubmitted)
    assert (said.door, said.partner) == (Door.API, "gp")
    assert said.contact is not None
    assert said.contact.write_to_email == "maya@example.com"
    assert said.contact.status_url.startswith("https://intake.example/status/")
    assert said.details is not None
    assert said.details.outcode == "E1"


@pytest.mark.parametrize(
    ("headers", "again"),
    [
        ({"idempotency_key": "k1"}, {"idempotency_key": '"k1"'}),
        ({}, {}),
        ({"idempotency_key": "k1"}, {"idempotency_key": "k2"}),
    ],
)
async def test_sending_the_same_again_changes_nothing(
    intake: Intake, headers: dict[str, str], again: dict[str, str]
) -> None:
    gp = await intake.partner("gp")

    first = await post(intake, gp, {"reference": "A-1"}, **headers)
    second = await post(intake, gp, {"reference": "A-1"}, **again)

    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert first.headers["location"] == second.headers["location"]
    assert await intake.database.pool.fetchval("SELECT count(*) FROM requests") == 1


async def test_a_key_alone_makes_a_repeat_harmless(intake: Intake) -> None:
    gp = await intake.partner("gp")

    answers = await asyncio.gather(*(post(intake, gp, idempotency_key="k1") for _ in range(4)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["request_id"] for answer in answers}) == 1


async def test_a_key_with_another_body_is_refused(intake: Intake) -> None:
    gp = await intake.partner("gp")
    await post(intake, gp, {"reference": "A-1"}, idempotency_key="k1")

    answer = await post(intake, gp, {"reference": "A-2"}, idempotency_key="k1")

    assert answer.status_code == 422
    assert list(errors(answer)) == ["Idempotency-Key"]
    assert await intake.database.pool.fetchval("SELECT count(*) FROM requests") == 1


async def test_a_reference_with_another_body_is_refused_and_leaves_the_key_free(intake: Intake) -> None:
    gp = await intake.partner("gp")
    await post(intake, gp, {"reference": "A-1"})

    answer = await post(
        intake, gp, {"reference": "A-1", "client.phone": "020 7946 0123"}, idempotency_key="k1"
    )
    after = await post(intake, gp, {"reference": "A-2"}, idempotency_key="k1")

    assert answer.status_code == 409
    assert list(errors(answer)) == ["reference"]
    assert after.status_code == 201


async def test_two_partners_may_use_the_same_reference_and_key(intake: Intake) -> None:
    gp, eap = await intake.partner("gp"), await intake.partner("eap")

    answers = [await post(intake, each, {"reference": "A-1"}, idempotency_key="k1") for each in (gp, eap)]

    assert len({answer.json()["request_id"] for answer in answers}) == 2


async def test_without_key_and_reference_each_sending_is_a_request(intake: Intake) -> None:
    gp = await intake.partner("gp")

    answers = [await post(intake, gp) for _ in range(2)]

    assert len({answer.json()["request_id"] for answer in answers}) == 2


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"refrence": "A-1"}, "refrence", "is not a field"),
        ({"client.date_of_birth": "2031-01-01"}, "client.date_of_birth", "must not be in the future"),
        ({"client.postcode": "ZZ9 9ZZ"}, "client.postcode", "does not exist"),
        ({"consent": MISSING}, "consent", "is required"),
        ({"consent.to_share": False}, "consent.to_share", "must be given"),
        ({"client.email": "maya@example.com\nBcc: x@example.com"}, "client.email", "line breaks"),
        ({"looking_for.languages": ["zz"]}, "looking_for.languages.0", "must be an ISO 639-1 code"),
    ],
)
async def test_a_faulty_request_is_answered_with_field_and_rule(
    intake: Intake, changes: dict[str, Any], field: str, rule: str
) -> None:
    gp = await intake.partner("gp")

    answer = await post(intake, gp, changes)

    assert answer.status_code == 422
    assert list(errors(answer)) == [field]
    assert rule in errors(answer)[field]


async def test_an_age_that_nothing_serves_is_told_where_to_turn(intake: Intake) -> None:
    gp = await intake.partner("gp")

    answer = await post(intake, gp, from_a_parent({"client.date_of_birth": "2021-01-01"}))

    assert answer.status_code == 422
    assert "under 7" in errors(answer)["client.date_of_birth"]
    assert "NHS 111" in answer.json()["onward_route"]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        ('{"reference": "Zoë"}'.encode("latin-1"), "application/json", 400),
        (b" " * 65_537, "application/json", 413),
        (b"x" * 2_000_000, "application/json", 413),
        (a_body(), "text/plain", 415),
        (a_body(), "", 415),
    ],
)
async def test_a_body_that_cannot_be_read_gets_a_clear_answer(
    intake: Intake, body: bytes, content_type: str, status: int
) -> None:
    gp = await intake.partner("gp")

    answer = await intake.http.post(PATH, content=body, headers=gp | {"content-type": content_type})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("key", ["", "a b", "Ω", "x" * 201, '""'])
async def test_an_idempotency_key_that_is_none_is_refused(intake: Intake, key: str) -> None:
    gp = await intake.partner("gp")

    answer = await intake.http.post(
        PATH, json=a_document(), headers={**_raw(gp), b"idempotency-key": key.encode()}
    )

    assert answer.status_code == 400
    assert list(errors(answer)) == ["Idempotency-Key"]


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer nonsense", "Bearer a.b", "Basic Z3A6Z3A=", "Bearer \xff"]
)
async def test_without_a_key_nobody_gets_in(intake: Intake, header: str | None) -> None:
    headers = [] if header is None else [(b"authorization", header.encode("latin-1"))]
    for method, path in (
        ("POST", PATH),
        ("GET", f"{PATH}/{uuid4()}"),
        ("POST", f"{PATH}/{uuid4()}/withdraw"),
    ):
        answer = await intake.http.request(method, path, content=a_body(), headers=headers)

        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_only_the_partner_that_sent_a_request_sees_it(intake: Intake) -> None:
    gp, eap = await intake.partner("gp"), await intake.partner("eap")
    location = (await post(intake, gp)).headers["location"]

    own = await intake.http.get(location, headers=gp)
    others = await intake.http.get(location, headers=eap)
    withdrawn = await intake.http.post(f"{location}/withdraw", headers=eap)
    nonsense = await intake.http.get(f"{PATH}/nonsense", headers=gp)

    assert own.json()["state"] == "received"
    assert [each.status_code for each in (own, others, withdrawn, nonsense)] == [200, 404, 404, 404]


async def test_withdrawing_twice_is_said_once(intake: Intake) -> None:
    gp = await intake.partner("gp")
    location = (await post(intake, gp)).headers["location"]

    answers = [await intake.http.post(f"{location}/withdraw", headers=gp) for _ in range(2)]
    later = await intake.http.get(location, headers=gp)

    assert [answer.status_code for answer in answers] == [200, 200]
    assert later.json()["state"] == "withdrawn"
    seen = await intake.requests(2)
    assert [each.type for each in seen] == [RequestSubmitted.type, RequestWithdrawn.type]


async def test_an_unknown_address_and_method_get_a_problem(intake: Intake) -> None:
    missing = await intake.http.get("/api/v1/nothing")
    wrong = await intake.http.put(PATH)

    assert (missing.status_code, wrong.status_code) == (404, 405)
    for answer in (missing, wrong):
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_request_that_fails_on_our_side_says_nothing_of_it(intake: Intake) -> None:
    gp = await intake.partner("gp")
    await intake.database.pool.execute("ALTER TABLE requests RENAME TO elsewhere")

    answer = await post(intake, gp)

    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert "relation" not in answer.text
    assert "does not exist" not in answer.text


def _raw(headers: dict[str, str]) -> dict[bytes, bytes]:
    return {name.encode(): value.encode() for name, value in headers.items()}


@pytest.mark.parametrize("with_key", [True, False])
async def test_who_asks_too_often_is_asked_to_wait_and_holds_up_nobody_else(
    intake: Intake, with_key: bool
) -> None:
    gp, other = await intake.partner("gp"), await intake.partner("other")
    path = f"{PATH}/{uuid4()}"

    answers = [await intake.http.get(path, headers=gp if with_key else {}) for _ in range(AT_ONCE + 1)]

    assert {answer.status_code for answer in answers[:-1]} == {404 if with_key else 401}
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "too_fast")
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert (await intake.http.get(path, headers=other)).status_code == 404
