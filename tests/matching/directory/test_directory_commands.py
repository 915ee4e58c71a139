"""The directory is exported, listed and shown, and entries are removed, by command."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from services.matching import store
from services.matching.settings import Settings
from shared.kit.database import Database
from tests.matching.builders import a_therapist
from tests.matching.commands import Command, begun, ended, saved
from tests.matching.seated import a_request_with_a_seat


async def test_what_is_exported_imports_again_unchanged(therapists: Command, tmp_path: Path) -> None:
    file = saved(tmp_path / "file.csv", a_therapist("ada"), a_therapist("ben"))
    await therapists("import", file)

    await therapists("export", "--output", tmp_path / "out.csv")
    again = await therapists("import", tmp_path / "out.csv", "--json")

    assert again.document["unchanged"] == 2


async def test_what_is_exported_as_json_imports_again_unchanged(therapists: Command, tmp_path: Path) -> None:
    await therapists("import", saved(tmp_path / "file.csv", a_therapist("ada"), a_therapist("ben")))

    on_screen = await therapists("export", "--format", "json")
    await therapists("export", "--format", "json", "--output", tmp_path / "out.json")
    again = await therapists("import", tmp_path / "out.json", "--json")

    assert {entry["name"] for entry in on_screen.document} == {"Ada Sampleford", "Ben Sampleford"}
    assert again.document["unchanged"] == 2


async def test_the_public_export_names_the_clinic_and_nobodys_address(
    therapists: Command, tmp_path: Path
) -> None:
    today = datetime.now(UTC).date()
    await therapists("import", saved(tmp_path / "file.csv", a_therapist("ada", confirmed_on=today)))

    exported = await therapists("export", "--format", "hsds", "--organization", "Sample clinic")

    [service] = exported.document
    assert (service["name"], service["organization"]["name"]) == (
        "Therapy with Ada Sampleford",
        "Sample clinic",
    )
    assert "@" not in exported.out


async def test_entries_are_listed_and_shown(therapists: Command, tmp_path: Path) -> None:
    ada = a_therapist("ada")
    await therapists("import", saved(tmp_path / "file.csv", ada))

    listed = (await therapists("list", "--json")).document
    shown = (await therapists("show", str(ada.id), "--json")).document
    nobody = await therapists("show", "00000000-0000-4000-8000-000000000000")

    assert [entry["name"] for entry in listed] == ["Ada Sampleford"]
    assert (shown["seats_free"], shown["outcode"]) == (4, "E2")
    assert (nobody.code, nobody.err) == (1, "there is no therapist 00000000-0000-4000-8000-000000000000\n")


async def test_in_a_pipe_every_entry_is_one_line_with_its_whole_id_and_name(
    therapists: Command, tmp_path: Path
) -> None:
    ada, ben = replace(a_therapist("ada"), name="Ada " + "Sampleford-" * 9 + "Jones"), a_therapist("ben")
    await therapists("import", saved(tmp_path / "file.csv", ada, ben))

    head, *lines = (await therapists("list")).out.splitlines()
    [found] = [line for line in lines if ada.name in line]
    shown = await therapists("show", found.split()[0])

    assert head.split() == ["id", "name", "district", "variants", "seats", "fee", "confirmed"]
    assert {line.split()[0] for line in lines} == {str(ada.id), str(ben.id)}
    assert shown.code == 0


async def test_an_entry_is_removed_and_its_clients_are_named(
    therapists: Command, database: Database, tmp_path: Path
) -> None:
    ada, ben = a_therapist("ada"), a_therapist("ben")
    await therapists("import", saved(tmp_path / "file.csv", ada, ben))
    case = await a_request_with_a_seat(database, ada)

    removed = await therapists("remove", str(ada.id))
    as_json = await therapists("remove", str(ben.id), "--json")
    nobody = await therapists("remove", str(ada.id))

    assert removed.code == 0
    assert removed.out.splitlines()[0] == f"removed {ada.id}"
    assert removed.out.splitlines()[-1] == f"  {case}"
    assert as_json.document == {"id": str(ben.id), "cases": []}
    assert (nobody.code, nobody.err) == (1, f"there is no therapist {ada.id}\n")
    async with database.transaction() as tx:
        assert await store.therapists(tx) == []


async def test_a_database_without_tables_says_what_to_run(
    make_database: Callable[[str], Awaitable[str]], settings: Settings
) -> None:
    result = await ended(await begun({"DATABASE_URL": await make_database("empty")}, "therapists", "list"))

    assert result.code == 1
    assert result.err == "the database has no directory yet: run `python -m services.matching migrate`\n"


async def test_a_name_that_looks_like_markup_is_listed_and_shown_as_it_is(
    therapists: Command, tmp_path: Path
) -> None:
    ada = replace(a_therapist("ada"), name="Ada [/b] [red]")
    await therapists("import", saved(tmp_path / "file.csv", ada))

    listed, shown = await therapists("list"), await therapists("show", str(ada.id))

    assert listed.code == 0
    assert "Ada [/b]" in listed.out
    assert "name            Ada [/b] [red]\n" in shown.out


async def test_an_entry_is_shown_in_words_and_not_as_python_has_it(
    therapists: Command, tmp_path: Path
) -> None:
    ada = a_therapist("ada")
    await therapists("import", saved(tmp_path / "file.csv", ada))

    shown = (await therapists("show", str(ada.id))).out

    assert f"modes           {', '.join(sorted(ada.modes))}\n" in shown
    assert "accreditations  variant ipt, route standard, expires " in shown
    assert not set("<>[]{}'") & set(shown)


async def test_an_export_that_cannot_be_written_says_so_in_one_line(
    therapists: Command, tmp_path: Path
) -> None:
    nowhere = tmp_path / "missing" / "out.csv"

    result = await therapists("export", "--output", nowhere)

    assert (result.code, result.err) == (1, f"{nowhere} cannot be written: No such file or directory\n")
