"""The directory's door for other systems, through the real app on real PostgreSQL and Kafka."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from services.matching import store
from services.matching.api.looking import ENTRIES_FOR_ONE, MOST
from services.matching.app import build_app
from services.matching.domain.directory_json import entry_of
from services.matching.domain.therapist import Outcomes, Therapist
from services.matching.settings import Settings
from services.matching.store import Role
from shared.contract.vocabulary import Format, Mode, Variant
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.pace import AT_ONCE
from shared.kit.testing import eventually
from tests.matching.builders import THE_DAY, a_therapist, an_accreditation
from tests.matching.locks import waits_for_a_lock
from tests.matching.processes import Process
from tests.support.builders import a_request
from tests.support.streams import Seen, Streams

PATH = "/api/v1/therapists"
STREAMS = (
    "intake.requests",
    "review.cases",
    "matching.proposals",
    "matching.directory",
    "matching.dead-letters",
)
ADA = a_therapist("ada")
NEW = {"if-none-match": "*"}

Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Door:
    """A running matching, and hands to try its door with."""

    http: httpx.AsyncClient
    database: Database
    streams: Streams
    clock: MovableClock

    async def key(self, name: str, role: Role) -> Headers:
        """Lets a system in; returns the header to show."""
        async with self.database.transaction() as tx:
            key = await store.add_caller(tx, name, role)
        assert key is not None
        return {"authorization": f"Bearer {key}"}

    async def holds(self, *therapists: Therapist) -> None:
        """Puts entries into the directory."""
        async with self.database.transaction() as tx:
            for therapist in therapists:
                await store.save_therapist(tx, therapist)

    async def kept(self, therapist: Therapist) -> Therapist | None:
        """An entry as it is in the table."""
        async with self.database.transaction() as tx:
            return await store.find_therapist(tx, therapist.id)

    async def put(self, key: Headers, therapist: Therapist, **headers: str) -> httpx.Response:
        """Puts an entry whole."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.put(where(therapist), json=entry_of(therapist), headers=key | named)


@pytest.fixture
async def door(
    settings: Settings,
    database: Database,
    clock: MovableClock,
    create_topics: Callable[..., Awaitable[None]],
) -> AsyncIterator[Door]:
    await create_topics(STREAMS)
    app = build_app(settings, clock)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://matching.example") as http:
            yield Door(http, database, Streams(settings.kafka_url, settings.kafka_topic_prefix), clock)


@pytest.fixture
async def reader(door: Door) -> Headers:
    return await door.key("partner site", Role.READER)


@pytest.fixture
async def editor(door: Door) -> Headers:
    return await door.key("practice system", Role.EDITOR)


def where(therapist: Therapist) -> str:
    return f"{PATH}/{therapist.id}"


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    return answer.status_code, document["code"]


def errors(answer: httpx.Response) -> dict[str, str]:
    assert problem(answer) == (422, "invalid")
    return {error["field"]: error["rule"] for error in answer.json()["errors"]}


async def test_an_entry_is_shown_with_a_tag_and_not_again_to_who_has_it(door: Door, reader: Headers) -> None:
    await door.holds(ADA)

    first = await door.http.get(where(ADA), headers=reader)
    tag = first.headers["etag"]
    known = await door.http.get(where(ADA), headers=reader | {"if-none-match": f'"old", W/{tag}'})
    await door.holds(replace(ADA, fee_pence=9000))
    changed = await door.http.get(where(ADA), headers=reader | {"if-none-match": tag})

    assert first.json() == entry_of(ADA, whole=False)
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
    assert (changed.status_code, changed.json()["fee_pence"]) == (200, 9000)
    assert changed.headers["etag"] != tag


async def test_a_taken_seat_changes_the_tag(door: Door, reader: Headers) -> None:
    await door.holds(ADA)
    tag = (await door.http.get(where(ADA), headers=reader)).headers["etag"]

    async with door.database.transaction() as tx:
        await tx.execute("UPDATE therapists SET seats_taken = 1")
    again = await door.http.get(where(ADA), headers=reader | {"if-none-match": tag})

    assert (again.status_code, again.json()["seats_free"]) == (200, ADA.seats_free - 1)


async def test_only_an_editor_sees_addresses_and_how_courses_went(
    door: Door, reader: Headers, editor: Headers
) -> None:
    await door.holds(replace(ADA, outcomes=Outcomes(20, 85)))

    for path in (where(ADA), PATH):
        to_reader = await door.http.get(path, headers=reader)
        to_editor = await door.http.get(path, headers=editor)

        assert ADA.email not in to_reader.text
        assert "outcomes" not in to_reader.text
        assert ADA.email in to_editor.text
        assert '"outcomes":{"cases":20,"change":0.85}' in to_editor.text


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


async def test_the_pages_together_hold_every_entry_once(door: Door, reader: Headers) -> None:
    everyone = [a_therapist(f"t{number}") for number in range(7)]
    await door.holds(*everyone)

    pages, path = [], f"{PATH}?limit=3"
    while path:
        page = (await door.http.get(path, headers=reader)).json()
        pages.append([entry["id"] for entry in page["therapists"]])
        path = page["next"]

    assert [len(page) for page in pages] == [3, 3, 1]
    assert [each for page in pages for each in page] == sorted(str(each.id) for each in everyone)


async def test_an_entry_that_comes_between_two_pages_moves_none_out_of_sight(
    door: Door, reader: Headers
) -> None:
    everyone = sorted((a_therapist(f"t{number}") for number in range(5)), key=lambda each: str(each.id))
    await door.holds(*everyone[1:])

    first = (await door.http.get(f"{PATH}?limit=2", headers=reader)).json()
    await door.holds(everyone[0])
    second = (await door.http.get(first["next"], headers=reader)).json()

    assert [entry["id"] for entry in second["therapists"]] == [str(each.id) for each in everyone[3:]]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("variant=ipt-a", {"Ben"}),
        ("mode=in_person", {"Ada"}),
        ("format=family", {"Ben"}),
        ("language=pl", {"Ben"}),
        ("outcode=N1", {"Ben"}),
        ("outcode=n1 9gu", {"Ben"}),
        ("variant=ipt&language=pl", set()),
        ("", {"Ada", "Ben"}),
    ],
)
async def test_entries_are_asked_for_by_what_they_hold(
    door: Door, reader: Headers, query: str, names: set[str]
) -> None:
    ada = replace(
        ADA, accreditations=(an_accreditation(Variant.IPT),), formats=frozenset({Format.INDIVIDUAL})
    )
    ben = a_therapist(
        "ben",
        modes=frozenset({Mode.ONLINE}),
        accreditations=(an_accreditation(Variant.IPT_A),),
        languages=frozenset({"en", "pl"}),
        outcode="N1",
    )
    await door.holds(ada, ben)

    page = (await door.http.get(f"{PATH}?{query}", headers=reader)).json()

    assert {entry["name"].split()[0] for entry in page["therapists"]} == names


async def test_the_filters_are_kept_from_page_to_page(door: Door, reader: Headers) -> None:
    await door.holds(*(a_therapist(f"t{number}", outcode="N1") for number in range(3)), ADA)

    first = (await door.http.get(f"{PATH}?outcode=N1&limit=2", headers=reader)).json()
    second = (await door.http.get(first["next"], headers=reader)).json()

    assert [entry["outcode"] for entry in first["therapists"] + second["therapists"]] == ["N1"] * 3


async def test_a_page_too_is_not_sent_again_to_who_has_it(door: Door, reader: Headers) -> None:
    await door.holds(ADA)
    tag = (await door.http.get(PATH, headers=reader)).headers["etag"]

    known = await door.http.get(PATH, headers=reader | {"if-none-match": tag})
    await door.holds(a_therapist("ben"))
    changed = await door.http.get(PATH, headers=reader | {"if-none-match": tag})

    assert (known.status_code, changed.status_code) == (304, 200)


async def test_what_cannot_be_asked_for_is_refused_by_name(door: Door, reader: Headers) -> None:
    query = (
        "limit=0&after=x&variant=magic&mode=either&outcode=London&language=xx&email=a@b.example"
        "&format=a&format=b"
    )

    answer = await door.http.get(f"{PATH}?{query}", headers=reader)

    assert set(errors(answer)) == {
        "limit", "after", "variant", "mode", "outcode", "language", "email", "format",
    }  # fmt: skip
    assert "a@b.example" not in answer.text


@pytest.mark.parametrize("written", ["nobody", "8e0a030140605606913 5e14ce7577614", f"{{{ADA.id}}}"])
async def test_nobody_is_found_under_what_is_no_id(door: Door, editor: Headers, written: str) -> None:
    await door.holds(ADA)

    shown = await door.http.get(f"{PATH}/{written}", headers=editor)
    confirmed = await door.http.post(f"{PATH}/{written}/confirm", headers=editor)

    assert problem(shown) == problem(confirmed) == (404, "no_such_therapist")


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
    door.clock.move(timedelta(days=2))

    first = await door.http.post(f"{where(ADA)}/confirm", headers=editor)
    again = await door.http.post(f"{where(ADA)}/confirm", headers=editor)

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["confirmed_on"] == str(THE_DAY + timedelta(days=2))
    assert again.headers["etag"] == first.headers["etag"]
    said = await eventually(
        lambda: _at_least(door.streams, 2), within=30, what="the listing and one confirmation"
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

    async def told() -> list[Seen]:
        seen = await door.streams.read("matching.directory")
        return seen if len(seen) == 4 else []

    *_, last, forgets = await eventually(told, within=30)
    assert last.type == "attune.matching.therapist-removed.v1"
    assert last.document == {"therapist_id": str(ADA.id)}
    assert (forgets.key, forgets.value) == (last.key, None)


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


async def _at_least(streams: Streams, count: int) -> list[Any]:
    seen = [json.loads(each.value or b"") for each in await streams.read("matching.directory")]
    return seen if len(seen) >= count else []
