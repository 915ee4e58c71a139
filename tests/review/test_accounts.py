"""The commands that keep staff accounts, run as an operator runs them."""

import asyncio
import json
import os
import sys
from pathlib import Path

from services.review.settings import Settings
from services.review.store import cases
from services.review.store.passwords import Passwords
from tests.review.builders import PASSWORD, Office, case_url
from tests.support.environment import environment

ROOT = Path(__file__).parents[2]


async def command(settings: Settings, *arguments: str, given: str = "") -> tuple[int, str, str]:
    """Runs one of review's commands; exit code, output, errors."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.review",
        *arguments,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment(settings)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, errors = await process.communicate(given.encode())
    return process.returncode or 0, out.decode(), errors.decode()


async def test_an_account_that_was_added_can_sign_in_with_the_password_that_was_made(
    settings: Settings, office: Office
) -> None:
    added = ("accounts", "add", "Sam@Clinic.example", "--name", "Sam", "--role", "supervisor", "--json")

    code, out, _ = await command(settings, *added)
    told = json.loads(out)
    async with office.visitor() as visitor:
        credentials = {"email": "sam@clinic.example", "password": told["password"]}
        answer = await visitor.post("/api/v1/session", json=credentials)

    assert code == 0
    assert told["role"] == "supervisor"
    assert answer.json()["staff"] == {"id": told["id"], "name": "Sam", "role": "supervisor"}


async def test_a_password_can_be_given_on_standard_input_and_is_not_printed(
    settings: Settings, office: Office
) -> None:
    added = ("accounts", "add", "bea@clinic.example", "--name", "Bea", "--password-stdin")

    code, out, _ = await command(settings, *added, given=PASSWORD + "\n")
    async with office.visitor() as visitor:
        credentials = {"email": "bea@clinic.example", "password": PASSWORD}
        answer = await visitor.post("/api/v1/session", json=credentials)

    assert code == 0
    assert PASSWORD not in out
    assert (answer.status_code, answer.json()["staff"]["role"]) == (201, "reviewer")


async def test_accounts_are_listed_disabled_and_given_new_passwords(
    settings: Settings, office: Office
) -> None:
    request, _ = await office.ready_case()
    async with office.program("bea") as bea:
        await bea.post(case_url(request, "claim"), json={"version": 2})
        reset, out, _ = await command(settings, "accounts", "reset-password", "bea@clinic.example", "--json")
        disabled, _, _ = await command(settings, "accounts", "disable", "bea@clinic.example")
        _, listed, _ = await command(settings, "accounts", "list", "--json")
        ended = await bea.get("/api/v1/cases")

    [account] = json.loads(listed)
    stored = await office.database.pool.fetchval("SELECT password_hash FROM staff")
    async with office.database.transaction() as tx:
        case = await cases.get_case(tx, request.request_id)
    assert (reset, disabled, ended.status_code) == (0, 0, 401)
    assert await Passwords(1).check(json.loads(out)["password"], stored)
    assert account["email"] == "bea@clinic.example"
    assert account["disabled_at"] is not None
    assert case.claimed_by is None
    assert await office.audit(request.request_id) == ["submitted", "proposed", "claim", "released"]


async def test_a_disabled_account_is_enabled_again_with_its_old_password(
    settings: Settings, office: Office
) -> None:
    await office.hire("bea")
    credentials = {"email": "bea@clinic.example", "password": PASSWORD}
    await command(settings, "accounts", "disable", "bea@clinic.example")

    async with office.visitor() as visitor:
        shut_out = await visitor.post("/api/v1/session", json=credentials)
        code, _, _ = await command(settings, "accounts", "enable", "bea@clinic.example")
        let_in = await visitor.post("/api/v1/session", json=credentials)
    again, _, errors = await command(settings, "accounts", "enable", "bea@clinic.example")

    assert (shut_out.status_code, code, let_in.status_code) == (401, 0, 201)
    assert (again, errors) == (1, "there is no disabled account for bea@clinic.example\n")


async def test_what_is_wrong_with_a_command_is_said_in_one_line(settings: Settings, office: Office) -> None:
    await office.hire("bea")
    add = ("accounts", "add")

    answers = [
        await command(settings, *add, "bea@clinic.example", "--name", "Bea"),
        await command(settings, *add, "not an address", "--name", "Bea"),
        await command(
            settings, *add, "cai@clinic.example", "--name", "Cai", "--password-stdin", given="short\n"
        ),
        await command(settings, "accounts", "disable", "nobody@clinic.example"),
    ]

    assert [code for code, _, _ in answers] == [1, 1, 1, 1]
    rules = ("already an account", "must look like", "12 to 200 characters", "no account for")
    for (_, _, errors), rule in zip(answers, rules, strict=True):
        assert rule in errors
        assert len(errors.strip().splitlines()) == 1
