"""The table of districts as an operator builds it: real processes, real zip files."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from services.matching.app import load_places
from services.matching.domain.place import Position, metres_between
from tests.support.processes import running

POSTCODES = {
    "se.csv": [("SE1 7AA", 10, 530_500, 178_300), ("SE1 7AB", 20, 530_750, 178_477), ("SE991AA", 90, 0, 0)],
    "eh.csv": [("EH1 1YZ", 10, 325_900, 673_600)],
}
LAMBETH = Position(51.48936565, -0.11992557)


async def places(*arguments: str | Path, **settings: str) -> tuple[int, str]:
    command = ("-m", "services.matching", "places", *map(str, arguments))
    async with running(*command, environment=settings) as process:
        return await process.ended(), process.output


def content(name: str) -> str:
    text = io.StringIO()
    rows = [[*map(str, each), "E92000001", "", "", "", "E09000022", ""] for each in POSTCODES[name]]
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


@pytest.fixture
def download(tmp_path: Path) -> Path:
    """What Ordnance Survey hands out, with fewer postcodes."""
    path = tmp_path / "codepo_gb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in POSTCODES:
            archive.writestr(zipfile.ZipInfo(f"Data/CSV/{name}", (2026, 8, 1, 0, 0, 0)), content(name))
        archive.writestr("Doc/Code-Point_Open_Column_Headers.csv", "PC,PQ,EA,NO\r\n")
        archive.writestr("Doc/licence.txt", "OGL")
    return path


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


async def test_the_download_becomes_a_table_that_the_service_can_use(download: Path, tmp_path: Path) -> None:
    table = tmp_path / "places.csv"

    code, output = await places("build", "--code-point", download, "--output", table)
    known, shown = await places("check", "se1 7aa", "--json", PLACES_FILE=str(table))
    unknown, why = await places("check", "SW1A 1AA", PLACES_FILE=str(table))

    assert code == 0, output
    assert "places.csv: 2 districts from 3 postcodes; 1 without a position left out\n" in output
    assert "copyright and database right 2026" in table.read_text(encoding="utf-8").splitlines()[0]
    assert metres_between(load_places(table).positions["SE1"], LAMBETH) <= 15
    assert table.stat().st_mode & 0o777 == 0o644
    found = json.loads(shown)
    assert (known, found["outcode"], found["postcodes"]) == (0, "SE1", 2)
    assert (unknown, why) == (1, "this is not in a known postcode district\n")


async def test_an_unpacked_download_gives_the_same_table(download: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(download) as archive:
        archive.extractall(tmp_path / "unpacked")
    headers = tmp_path / "unpacked" / "Data" / "CSV" / "aa_Code-Point_Open_Column_Headers.csv"
    headers.write_text("PC,PQ,EA,NO\n", encoding="utf-8")

    for source in (download, tmp_path / "unpacked", tmp_path / "unpacked" / "Data" / "CSV"):
        code, output = await places("build", "--code-point", source, "--output", tmp_path / "places.csv")
        assert code == 0, output
        table = (tmp_path / "places.csv").read_text(encoding="utf-8").splitlines()
        assert [line.split(",")[0] for line in table[1:]] == ["outcode", "EH1", "SE1"]


async def test_one_file_is_a_table_of_one_area(tmp_path: Path) -> None:
    (tmp_path / "eh.csv").write_text(content("eh.csv"), encoding="utf-8")

    code, _ = await places("build", "--code-point", tmp_path / "eh.csv", "--output", tmp_path / "places.csv")

    assert code == 0
    assert list(load_places(tmp_path / "places.csv").positions) == ["EH1"]


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda data: data[: len(data) // 2], "it is no zip file, or damaged"),
        (lambda data: data.replace(b"Data/CSV/", b"Data/TXT/"), "there is no CSV file in it"),
        (lambda _: b"", "it is no zip file, or damaged"),
    ],
)
async def test_a_download_that_cannot_be_used_leaves_the_table_from_before(
    download: Path, tmp_path: Path, damage: Callable[[bytes], bytes], why: str
) -> None:
    table = tmp_path / "places.csv"
    table.write_text("as it was", encoding="utf-8")
    rewrite(download, damage)

    code, output = await places("build", "--code-point", download, "--output", table)

    assert code == 1
    assert f"codepo_gb.zip cannot be used: {why}" in output
    assert "Traceback" not in output
    assert table.read_text(encoding="utf-8") == "as it was"
    assert names_in(tmp_path) == ["codepo_gb.zip", "places.csv"]


async def test_a_row_that_is_no_postcode_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "eh.csv").write_text(content("eh.csv") + "EH1 1YZ,10,north,673600\n", encoding="utf-8")

    code, output = await places("build", "--code-point", tmp_path / "eh.csv", "--output", tmp_path / "p.csv")

    assert code == 1
    assert "eh.csv, row 2 is not a postcode of Code-Point Open" in output
    assert not (tmp_path / "p.csv").exists()


async def test_a_table_that_cannot_be_written_says_so_in_one_line(download: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "missing" / "places.csv"

    code, output = await places("build", "--code-point", download, "--output", nowhere)

    assert code == 1
    assert output.endswith(f"{nowhere} cannot be written: No such file or directory\n")


async def test_a_postcode_is_looked_up_in_london_if_nothing_else_is_said() -> None:
    assert await places("check", "e2 8aa") == (0, "E2 51.5296 -0.0627, 921 postcodes\n")
