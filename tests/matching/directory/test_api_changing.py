"""Changing the directory through its door: entries are added, changed, confirmed and removed."""

import asyncio
import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.matching import store
from services.matching.domain.directory_json import entry_of
from services.matching.handlers import tell_others
from shared.kit.testing import eventually
from tests.matching.builders import THE_DAY, a_therapist
from tests.matching.directory.door import ADA, NEW, Door, Headers, errors, problem, where
from tests.matching.locks import waits_for_a_lock
from tests.matching.processes import Process
from tests.support.builders import a_request
from tests.support.streams import Seen, Streams


async def test_a_new_entry_is_listed_told_to_others_and_offered_to_who_waits(
    door: Door, editor: Headers
) -> None:
    answer = await door.put(editor, ADA, **NEW)

    assert answer.status_code == 201
    assert answer.headers["location"] == where(ADA)
    assert answer.json() == entry_of(ADA)
    shown = await door.http.get(where(ADA), headers=editor)
    assert shown.headers["etag"] == answer.headers["etag"]
    assert await door.kept(ADA) == ADA
    [seen] = await eventually(lambda: door.streams.read("matching.directory"), within=30)
    assert seen.type == "attune.matching.therapist-listed.v1"
    assert seen.key == str(ADA.id).encode()
    assert b"@" not in (seen.value or b"")


async def test_a_change_needs_the_version_that_was_seen(door: Door, editor: Headers) -> None:
    await door.holds(ADA)
    tag = (await door.http.get(where(ADA), headers=editor)).headers["etag"]
    dearer, cheaper = replace(ADA, fee_pence=9000), replace(ADA, fee_pence=7000)

    blind = await door.put(editor, dearer)
    good = await door.put(editor, dearer, if_match=tag)
    stale = await door.put(editor, cheaper, if_match=tag)
    afresh = await door.put(editor, cheaper, if_match=stale.headers["etag"])

    assert problem(blind) == (428, "version_needed")
    assert (good.status_code, good.json()["fee_pence"]) == (200, 9000)
    assert problem(stale) == (412, "version_changed")
    assert stale.json()["current"] == entry_of(dearer)
    assert stale.headers["etag"] == good.headers["etag"]
    assert afresh.status_code == 200
    assert await door.kept(ADA) == cheaper


async def test_a_weak_tag_is_no_version(door: Door, editor: Headers) -> None:
    await door.holds(ADA)
    tag = (await door.http.get(where(ADA), headers=editor)).headers["etag"]

    assert problem(await door.put(editor, ADA, if_match=f"W/{tag}")) == (412, "version_changed")


async def test_an_entry_is_added_once_and_changed_only_if_it_is_there(door: Door, editor: Headers) -> None:
    nobody = await door.put(editor, ADA, if_match="*")
    first = await door.put(editor, ADA, **NEW)
    again = await door.put(editor, replace(ADA, fee_pence=1), **NEW)

    assert problem(nobody) == problem(again) == (412, "version_changed")
    assert (nobody.json()["current"], again.json()["current"]) == (None, entry_of(ADA))
    assert first.status_code == 201
    assert await door.kept(ADA) == ADA


async def test_of_many_at_once_one_wins_and_the_others_are_told(door: Door, editor: Headers) -> None:
    await door.holds(ADA)
    tag = (await door.http.get(where(ADA), headers=editor)).headers["etag"]
    wanted = [replace(ADA, fee_pence=5000 + number) for number in range(8)]

    answers = await asyncio.gather(*(door.put(editor, each, if_match=tag) for each in wanted))

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    [won] = [answer.json() for answer in answers if answer.status_code == 200]
    kept = await door.kept(ADA)
    assert kept is not None
    assert kept.fee_pence == won["fee_pence"]


async def test_of_many_who_add_one_entry_at_once_one_does(door: Door, editor: Headers) -> None:
    answers = await asyncio.gather(*(door.put(editor, ADA, **NEW) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [201] + [412] * 7


async def test_a_taken_seat_stays_taken_whatever_is_put(door: Door, editor: Headers) -> None:
    await door.holds(ADA)
    async with door.database.transaction() as tx:
        await tx.execute("UPDATE therapists SET seats_taken = 1")

    answer = await door.put(editor, replace(ADA, seats_offered=2, seats_free=2), if_match="*")

    assert (answer.json()["seats_offered"], answer.json()["seats_free"]) == (2, 1)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"fee_pence": "80"}, "fee_pence"),
        ({"gender": "other"}, "gender"),
        ({"outcode": "ZZ9"}, "outcode"),
        ({"accreditations": []}, "accreditations"),
        ({"confirmed_on": "2026-11-25"}, "confirmed_on"),
        ({"seat": 1}, "seat"),
        ({"id": str(a_therapist("ben").id)}, "id"),
        ({"registration": {"body": "bacp"}}, "registration.number"),
    ],
)
async def test_an_entry_is_held_to_the_rules_of_the_import(
    door: Door, editor: Headers, change: dict[str, Any], field: str
) -> None:
    answer = await door.http.put(where(ADA), json=entry_of(ADA) | change, headers=editor | NEW)

    assert field in errors(answer)
    assert await door.kept(ADA) is None


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 422),
        (b'{"id": 1, "id": 2}', "application/json", 400),
        (b"{}", "text/plain", 415),
        (b'{"name": "' + b"a" * 70_000 + b'"}', "application/json", 413),
    ],
)
async def test_a_body_that_is_no_entry_is_refused(
    door: Door, editor: Headers, body: bytes, media_type: str, status: int
) -> None:
    headers = editor | NEW | {"content-type": media_type}

    answer = await door.http.put(where(ADA), content=body, headers=headers)

    assert problem(answer)[0] == status


async def test_of_a_whole_postcode_only_the_district_is_kept(door: Door, editor: Headers) -> None:
    body = entry_of(ADA) | {"outcode": "e2 8aa"}

    answer = await door.http.put(where(ADA), json=body, headers=editor | NEW)

    assert answer.json()["outcode"] == "E2"


@pytest.mark.parametrize("left_out", [True, False])
async def test_putting_what_is_known_already_confirms_nothing(
    door: Door, editor: Headers, left_out: bool
) -> None:
    long_ago, any_version = date(2026, 10, 1), editor | {"if-match": "*"}
    await door.holds(replace(ADA, confirmed_on=long_ago))
    undated = entry_of(ADA) | {"confirmed_on": None}
    if left_out:
        del undated["confirmed_on"]

    same = await door.http.put(where(ADA), json=undated, headers=any_version)
    changed = await door.http.put(where(ADA), json=undated | {"fee_pence": 9000}, headers=any_version)

    assert same.json()["confirmed_on"] == str(long_ago)
    assert changed.json()["confirmed_on"] == str(THE_DAY)


async def test_who_waits_is_offered_a_therapist_whose_entry_is_confirmed(door: Door, editor: Headers) -> None:
    await door.holds(replace(ADA, confirmed_on=date(2026, 1, 1)))
    await Process(door.database).take(a_request())

    async def has(state: str, reoffers: int) -> bool:
        row = await door.database.pool.fetchrow(
            "SELECT (SELECT state FROM requests), (SELECT count(*) FROM reoffers)"
        )
        return tuple(row or ()) == (state, reoffers)

    await eventually(lambda: has("waiting", 0), within=30, what="the list was offered, in vain")
    await door.http.post(f"{where(ADA)}/confirm", headers=editor)

    await eventually(lambda: has("proposed", 0), within=30, what="the list was offered again")


async def test_an_entry_is_confirmed_today_and_repeating_it_is_harmless(door: Door, editor: Headers) -> None:
    await door.holds(replace(ADA, confirmed_on=date(2026, 1, 1)))
    await eventually(lambda: _at_least(door.streams, 1), within=60, what="the listing")
    door.clock.move(timedelta(days=2))

    first = await door.http.post(f"{where(ADA)}/confirm", headers=editor)
    again = await door.http.post(f"{where(ADA)}/confirm", headers=editor)

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["confirmed_on"] == str(THE_DAY + timedelta(days=2))
    assert again.headers["etag"] == first.headers["etag"]
    door.clock.move(timedelta(days=1))
    said = await eventually(
        lambda: _at_least(door.streams, 2), within=60, what="the listing and one confirmation"
    )
    assert [each["changed"] for each in said[1:]] == [["confirmed_on"]]


async def test_what_is_being_changed_is_confirmed_as_it_is_then(door: Door, editor: Headers) -> None:
    await door.holds(replace(ADA, confirmed_on=date(2026, 1, 1)))

    async with door.database.transaction() as tx:
        await store.save_therapist(tx, replace(ADA, fee_pence=9000, confirmed_on=date(2026, 1, 1)))
        confirming = asyncio.create_task(door.http.post(f"{where(ADA)}/confirm", headers=editor))
        await eventually(lambda: waits_for_a_lock(door.database), within=30, what="the confirmation waiting")
    answer = await confirming

    assert (answer.json()["fee_pence"], answer.json()["confirmed_on"]) == (9000, str(THE_DAY))
    kept = await door.kept(ADA)
    assert kept == replace(ADA, fee_pence=9000, confirmed_on=THE_DAY)


async def test_a_version_that_has_gone_is_not_confirmed(door: Door, editor: Headers) -> None:
    await door.holds(ADA)
    tag = (await door.http.get(where(ADA), headers=editor)).headers["etag"]
    await door.holds(replace(ADA, fee_pence=9000))

    answer = await door.http.post(f"{where(ADA)}/confirm", headers=editor | {"if-match": tag})

    assert problem(answer) == (412, "version_changed")
    assert answer.json()["current"]["fee_pence"] == 9000


async def test_an_entry_is_removed_as_it_was_seen_and_kafka_told_to_forget_it(
    door: Door, reader: Headers, editor: Headers
) -> None:
    await door.holds(ADA)
    await eventually(lambda: _at_least(door.streams, 1), within=60, what="the listing")
    tag = (await door.http.get(where(ADA), headers=editor)).headers["etag"]
    await door.holds(replace(ADA, fee_pence=9000))

    forbidden = await door.http.delete(where(ADA), headers=reader | {"if-match": "*"})
    blind = await door.http.delete(where(ADA), headers=editor)
    stale = await door.http.delete(where(ADA), headers=editor | {"if-match": tag})
    removed = await door.http.delete(where(ADA), headers=editor | {"if-match": stale.headers["etag"]})
    again = await door.http.delete(where(ADA), headers=editor | {"if-match": "*"})

    assert problem(forbidden) == (403, "not_an_editor")
    assert problem(blind) == (428, "version_needed")
    assert problem(stale) == (412, "version_changed")
    assert (removed.status_code, removed.json()) == (200, {"id": str(ADA.id), "clients": 0})
    assert problem(again) == problem(await door.http.get(where(ADA), headers=reader))
    assert problem(again) == (404, "no_such_therapist")
    door.clock.move(timedelta(days=1))
    await tell_others(door.database, 24)

    async def told() -> list[Seen]:
        seen = await door.streams.read("matching.directory")
        return seen if len(seen) == 3 else []

    *_, last, forgets = await eventually(told, within=30)
    assert last.type == "attune.matching.therapist-removed.v1"
    assert last.document == {"therapist_id": str(ADA.id)}
    assert (forgets.key, forgets.value) == (last.key, None)


async def _at_least(streams: Streams, count: int) -> list[Any]:
    seen = [json.loads(each.value or b"") for each in await streams.read("matching.directory")]
    return seen if len(seen) >= count else []
