"""Reading the directory through its door: entries, pages and filters."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.matching.domain.directory_json import entry_for_others
from services.matching.domain.therapist import Outcomes
from services.matching.handlers import tell_others
from shared.contract.vocabulary import Format, Mode, Variant
from shared.kit.testing import eventually
from tests.matching.builders import a_therapist, an_accreditation
from tests.matching.directory.door import ADA, PATH, Door, Headers, errors, problem, where


async def test_an_entry_is_shown_with_a_tag_and_not_again_to_who_has_it(door: Door, reader: Headers) -> None:
    await door.holds(ADA)

    first = await door.http.get(where(ADA), headers=reader)
    tag = first.headers["etag"]
    known = await door.http.get(where(ADA), headers=reader | {"if-none-match": f'"old", W/{tag}'})
    await door.holds(replace(ADA, fee_pence=9000))
    changed = await door.http.get(where(ADA), headers=reader | {"if-none-match": tag})

    assert first.json() == entry_for_others(ADA, None)
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
    assert (changed.status_code, changed.json()["fee_pence"]) == (200, 9000)
    assert changed.headers["etag"] != tag


async def test_a_taken_seat_changes_the_tag_for_who_keeps_the_directory(door: Door, editor: Headers) -> None:
    await door.holds(ADA)
    tag = (await door.http.get(where(ADA), headers=editor)).headers["etag"]

    await door.database.pool.execute("UPDATE therapists SET seats_taken = 1")
    again = await door.http.get(where(ADA), headers=editor | {"if-none-match": tag})

    assert (again.status_code, again.json()["seats_free"]) == (200, ADA.seats_free - 1)


async def test_whoever_only_reads_learns_that_the_last_seat_has_gone_when_all_others_do(
    door: Door, reader: Headers
) -> None:
    await door.holds(ADA)
    await eventually(lambda: told(door), within=60, what="others were told")
    seen = [await door.http.get(path, headers=reader) for path in (where(ADA), PATH)]

    await door.database.pool.execute("UPDATE therapists SET seats_taken = seats_offered")
    for before, path in zip(seen, (where(ADA), PATH), strict=True):
        again = await door.http.get(path, headers=reader | {"if-none-match": before.headers["etag"]})
        assert again.status_code == 304
        assert '"has_seat":true' in before.text
        assert "seats_free" not in before.text

    door.clock.move(timedelta(days=1))
    await tell_others(door.database, 24)
    assert (await door.http.get(where(ADA), headers=reader)).json()["has_seat"] is False


async def told(door: Door) -> bool:
    return bool(await door.database.pool.fetchval("SELECT EXISTS (SELECT FROM told_entries)"))


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
