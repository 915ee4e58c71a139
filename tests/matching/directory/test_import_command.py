"""The directory is imported by command: whole, or told row by row why not."""

import signal
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from services.matching import store
from services.matching.commands.importing import AT_ONCE
from services.matching.domain.directory_file import written
from services.matching.domain.directory_json import written_as_json
from services.matching.settings import Settings
from shared.kit.database import Database
from shared.kit.testing import eventually
from tests.matching.builders import a_therapist
from tests.matching.commands import Command, begun, ended, saved
from tests.matching.processes import Process
from tests.support.builders import a_request
from tests.support.environment import environment


async def test_an_import_adds_updates_and_leaves_alone(
    therapists: Command, database: Database, tmp_path: Path
) -> None:
    ada, ben = a_therapist("ada"), a_therapist("ben")
    file = saved(tmp_path / "file.csv", ada, ben)

    first = await therapists("import", file, "--json")
    again = await therapists("import", file, "--json")
    saved(file, ada, replace(ben, fee_pence=7000))
    third = await therapists("import", file)

    reports = [first.document, again.document]
    assert [(each["added"], each["updated"], each["unchanged"]) for each in reports] == [(2, 0, 0), (0, 0, 2)]
    assert third.code == 0
    assert third.out == "file.csv: 0 added, 1 updated, 1 unchanged, 0 left out\n"
    async with database.transaction() as tx:
        kept = await store.find_therapist(tx, ben.id)
    assert kept == replace(ben, fee_pence=7000)


async def test_who_waits_is_offered_whoever_is_imported(
    therapists: Command, database: Database, process: Process, tmp_path: Path
) -> None:
    await process.take(a_request())
    assert await process.offer() == 0

    await therapists("import", saved(tmp_path / "file.csv", a_therapist("ada")))

    assert await process.offer() == 1


async def test_sending_what_is_known_already_confirms_nothing(
    therapists: Command, database: Database, tmp_path: Path
) -> None:
    long_ago, today = date(2026, 1, 1), datetime.now(UTC).date()
    ada, ben, cem = (a_therapist(name, confirmed_on=long_ago) for name in ("ada", "ben", "cem"))
    await therapists("import", saved(tmp_path / "before.csv", ada, ben, cem))
    dearer, new = replace(ben, fee_pence=9000), a_therapist("dan")
    undated = tmp_path / "undated.csv"
    undated.write_text("".join(written([ada, dearer, new], with_confirmation=False)), encoding="utf-8")

    nightly = [await therapists("import", undated, "--json") for _ in range(2)]
    await therapists("import", saved(tmp_path / "dated.csv", replace(cem, confirmed_on=today)))

    reports = [each.document for each in nightly]
    assert [(each["added"], each["updated"], each["unchanged"]) for each in reports] == [(1, 1, 1), (0, 0, 3)]
    async with database.transaction() as tx:
        kept = await store.find_therapists(tx, [each.id for each in (ada, ben, cem, new)])
    assert kept[ada.id].confirmed_on == long_ago
    assert {kept[each.id].confirmed_on for each in (ben, cem, new)} == {today}


async def test_one_bad_row_keeps_the_whole_file_out(
    therapists: Command, database: Database, tmp_path: Path
) -> None:
    file = saved(tmp_path / "file.csv", a_therapist("ada"), a_therapist("ben"), spoil="cheap")

    result = await therapists("import", file)

    assert result.code == 1
    assert "fee_pounds" in result.err
    assert "1 of 2 rows have faults" in result.err
    async with database.transaction() as tx:
        assert await store.therapists(tx) == []


async def test_the_good_rows_go_in_when_asked_for(
    therapists: Command, database: Database, tmp_path: Path
) -> None:
    file = saved(tmp_path / "file.csv", a_therapist("ada"), a_therapist("ben"), spoil="cheap")

    result = await therapists("import", file, "--partial", "--json")

    assert result.code == 3
    report = result.document
    assert (report["imported"], report["added"], report["left_out"]) == (True, 1, 1)
    assert report["faults"] == [
        {"line": 2, "field": "fee_pounds", "rule": "must be pounds such as 80 or 82.50"}
    ]
    async with database.transaction() as tx:
        assert [each.name for each in await store.therapists(tx)] == ["Ben Sampleford"]


async def test_to_leave_rows_out_is_advised_only_where_others_are_left_and_it_was_not_asked_for(
    therapists: Command, tmp_path: Path
) -> None:
    one = saved(tmp_path / "one.csv", a_therapist("ada"), spoil="cheap")
    two = saved(tmp_path / "two.csv", a_therapist("ada"), a_therapist("ben"), spoil="cheap")

    results = [await therapists("import", *each) for each in ([two], [one], [one, "--partial"])]

    assert [each.code for each in results] == [1, 1, 1]
    assert [each.err.splitlines()[-1].partition("; ")[2] for each in results] == [
        "mend them, or import the others with --partial",
        "mend them",
        "mend them",
    ]


async def test_a_file_in_another_encoding_is_refused_in_one_line(therapists: Command, tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.write_bytes("id,name\n1,Zoë\n".encode("cp1252"))

    plain = await therapists("import", file)
    as_json = await therapists("import", file, "--json")

    assert (plain.code, as_json.code) == (1, 1)
    assert plain.err.startswith("file.csv was not imported: line 2 is not UTF-8, perhaps Windows-1252")
    assert "Traceback" not in plain.err
    assert as_json.document["imported"] is False


async def test_a_file_that_is_not_there_is_a_usage_error(therapists: Command, tmp_path: Path) -> None:
    result = await therapists("import", tmp_path / "nowhere.csv")

    assert result.code == 2


async def test_a_bad_json_entry_keeps_the_whole_file_out(
    therapists: Command, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "file.json"
    file.write_text("".join(written_as_json([a_therapist("ada")])).replace("8000", '"80"'), encoding="utf-8")

    result = await therapists("import", file, "--json")

    assert result.code == 1
    assert result.document["faults"] == [
        {"line": 2, "field": "fee_pence", "rule": "must be a whole number of pence from 0 to 999999"}
    ]
    async with database.transaction() as tx:
        assert await store.therapists(tx) == []


async def test_another_table_of_districts_is_another_country(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    places = tmp_path / "places.csv"
    places.write_text("outcode,lat,lon,postcodes\nEH1,55.9506,-3.1882,412\n", encoding="utf-8")
    file = saved(tmp_path / "file.csv", a_therapist("ada"), a_therapist("ben", outcode="EH1"))

    needed = {"DATABASE_URL": environment(settings)["DATABASE_URL"], "PLACES_FILE": str(places)}
    result = await ended(await begun(needed, "therapists", "import", file, "--partial"))

    assert result.code == 3
    assert "file.csv: 1 added" in result.out
    async with database.transaction() as tx:
        assert [each.outcode for each in await store.therapists(tx)] == ["EH1"]


async def test_an_import_that_is_interrupted_has_changed_nothing_and_says_so(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    file = saved(tmp_path / "file.csv", a_therapist("ada"))
    async with database.transaction() as tx:
        await store.lock_directory(tx)
        needed = {"DATABASE_URL": environment(settings)["DATABASE_URL"]}
        importing = await begun(needed, "therapists", "import", file)
        await eventually(
            lambda: database.pool.fetchval(
                "SELECT true FROM pg_locks WHERE relation = 'therapists'::regclass AND NOT granted"
            ),
            within=60,
            what="the import waiting for the directory",
        )
        importing.send_signal(signal.SIGINT)
        result = await ended(importing)

    assert result.code == 130
    assert result.err.endswith("interrupted: nothing was changed\n")
    async with database.transaction() as tx:
        assert await store.therapists(tx) == []


async def test_what_must_be_mended_is_not_buried_under_notes(therapists: Command, tmp_path: Path) -> None:
    ada, ben = a_therapist("ada"), a_therapist("ben", seats_offered=0, seats_free=0)
    file = saved(tmp_path / "file.csv", ada, ben, spoil="cheap")

    refused = await therapists("import", file)
    in_part = await therapists("import", file, "--partial")

    assert "fee_pounds" in refused.err
    assert "no seat" not in refused.err
    assert in_part.err.index("no seat") < in_part.err.index("fee_pounds")


async def test_more_entries_than_go_to_the_database_at_once_are_all_counted(
    therapists: Command, tmp_path: Path
) -> None:
    many = AT_ONCE + 1
    file = tmp_path / "file.csv"
    file.write_text((await therapists("generate", "--count", str(many))).out, encoding="utf-8")

    first = (await therapists("import", file, "--json")).document
    again = (await therapists("import", file, "--json")).document

    assert (first["added"], first["unchanged"]) == (many, 0)
    assert (again["added"], again["updated"], again["unchanged"]) == (0, 0, many)
