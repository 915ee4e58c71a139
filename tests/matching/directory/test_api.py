"""The directory's door for other systems: who is let in, and how much they may ask."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.matching import store
from services.matching.api.looking import ENTRIES_FOR_ONE, MOST
from services.matching.store import Role
from shared.kit.pace import AT_ONCE
from tests.matching.directory.door import ADA, PATH, Door, Headers, problem, where


@pytest.mark.parametrize("shown", [None, "Bearer", "Bearer nonsense", "Basic {key}", "Bearer {key}x"])
async def test_who_shows_no_good_key_is_shown_nothing(door: Door, shown: str | None) -> None:
    await door.holds(ADA)
    key = (await door.key("somebody", Role.EDITOR))["authorization"].partition(" ")[2]
    headers = {} if shown is None else {"authorization": shown.format(key=key)}

    answers = [
        await door.http.get(PATH, headers=headers),
        await door.http.get(where(ADA), headers=headers),
        await door.http.put(where(ADA), json={}, headers=headers),
        await door.http.post(f"{where(ADA)}/confirm", headers=headers),
    ]

    assert [problem(answer) for answer in answers] == [(401, "no_such_key")] * 4
    assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}


async def test_a_revoked_key_opens_nothing_any_more(door: Door, reader: Headers) -> None:
    async with door.database.transaction() as tx:
        await store.revoke_caller(tx, "partner site")

    assert problem(await door.http.get(PATH, headers=reader)) == (401, "no_such_key")


async def test_an_address_tells_what_it_takes(door: Door, editor: Headers) -> None:
    await door.holds(ADA)

    patched = await door.http.patch(where(ADA), headers=editor)
    peeked = await door.http.head(where(ADA), headers=editor)

    assert problem(patched)[0] == 405
    assert {"GET", "PUT", "DELETE"} <= set(patched.headers["allow"].split(", "))
    assert (peeked.status_code, "etag" in peeked.headers) == (200, True)


async def test_a_reader_changes_nothing(door: Door, reader: Headers) -> None:
    await door.holds(ADA)

    put = await door.put(reader, replace(ADA, fee_pence=1), if_match="*")
    confirmed = await door.http.post(f"{where(ADA)}/confirm", headers=reader)

    assert problem(put) == problem(confirmed) == (403, "not_an_editor")
    assert await door.kept(ADA) == ADA


async def test_who_asks_too_often_is_asked_to_wait_and_holds_up_nobody_else(
    door: Door, reader: Headers, editor: Headers
) -> None:
    await door.holds(ADA)
    answers = [await door.http.get(where(ADA), headers=reader) for _ in range(AT_ONCE + 1)]

    assert {answer.status_code for answer in answers[:-1]} == {200}
    assert problem(answers[-1]) == (429, "too_fast")
    wait = int(answers[-1].headers["retry-after"])
    assert (await door.http.get(where(ADA), headers=editor)).status_code == 200
    door.clock.move(timedelta(seconds=wait))
    assert (await door.http.get(where(ADA), headers=reader)).status_code == 200


async def test_a_page_costs_as_much_as_it_holds(door: Door, reader: Headers) -> None:
    largest, cost = f"{PATH}?limit={MOST}", 1 + MOST / ENTRIES_FOR_ONE
    pages = int(AT_ONCE // cost)

    answers = [await door.http.get(largest, headers=reader) for _ in range(pages + 1)]

    assert [answer.status_code for answer in answers] == [200] * pages + [429]
    assert (await door.http.get(f"{PATH}?limit=1", headers=reader)).status_code == 200
    door.clock.move(timedelta(seconds=int(answers[-1].headers["retry-after"])))
    assert (await door.http.get(largest, headers=reader)).status_code == 200


@pytest.mark.parametrize("shown", [{}, {"authorization": "Bearer nobody.knows"}])
async def test_who_knocks_without_a_good_key_too_often_is_asked_to_wait_and_holds_up_nobody_with_one(
    door: Door, reader: Headers, shown: Headers
) -> None:
    answers = [await door.http.get(PATH, headers=shown) for _ in range(AT_ONCE + 1)]

    assert {answer.status_code for answer in answers[:-1]} == {401}
    assert problem(answers[-1]) == (429, "too_fast")
    # From the same address.
    assert (await door.http.get(PATH, headers=reader)).status_code == 200
    door.clock.move(timedelta(seconds=int(answers[-1].headers["retry-after"])))
    assert (await door.http.get(PATH, headers=shown)).status_code == 401
