"""Builds the table of postcode districts for all of Great Britain, and looks things up in it."""

import csv
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, NoReturn

import typer

from services.matching.commands.directory import interruptible, places_of, progress
from services.matching.commands.writing import replace
from services.matching.domain.code_point import Districts
from services.matching.domain.place import PlacesFault, read_places
from services.matching.settings import PlacesSettings
from shared.kit.command_line import AsJson, loaded


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    year: int
    read: Callable[[], bytes]


def build(
    code_point: Annotated[
        Path,
        typer.Option(
            exists=True,
            readable=True,
            show_default=False,
            help="OS Code-Point Open as CSV: the zip as downloaded, its folder, or one file of it.",
        ),
    ],
    output: Annotated[
        Path, typer.Option(dir_okay=False, show_default=False, help="The table to write, for PLACES_FILE.")
    ],
) -> None:
    """Build the table of districts from OS Code-Point Open; nothing is written unless all of it can be."""
    with interruptible():
        try:
            districts, lines = _table(code_point)
        except PlacesFault as fault:
            _fail(f"{code_point.name} cannot be used: {fault}")
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
            _fail(f"{code_point.name} cannot be used: it is no zip file, or damaged; download it again")
        except OSError as error:
            _fail(f"{code_point.name} cannot be read: {error.strerror}")
        try:
            replace(output, lines)
            # It is nobody's secret, and the service may run as somebody else.
            output.chmod(0o644)
        except OSError as error:
            _fail(f"{output} cannot be written: {error.strerror}")
    typer.echo(
        f"{output}: {len(districts)} districts from {districts.postcodes} postcodes; "
        f"{districts.without_position} without a position left out"
    )


def check(
    written: Annotated[
        str, typer.Argument(metavar="OUTCODE|POSTCODE", show_default=False, help="As somebody may write it.")
    ],
    as_json: AsJson = False,
) -> None:
    """Tell where a postcode's district is, by the table that PLACES_FILE names."""
    places = places_of(loaded(PlacesSettings))
    outcode = places.outcode_of(written)
    position = places.find(outcode)
    if outcode is None or position is None:
        _fail("this is not in a known postcode district")
    postcodes = places.postcodes[outcode]
    if as_json:
        found = {"latitude": position.latitude, "longitude": position.longitude, "postcodes": postcodes}
        typer.echo(json.dumps({"outcode": outcode, **found}))
        return
    typer.echo(f"{outcode} {position.latitude:.4f} {position.longitude:.4f}, {postcodes} postcodes")


def _table(code_point: Path) -> tuple[Districts, list[str]]:
    districts = Districts()
    with _opened(code_point) as files, progress(quiet=False) as shown:
        if not files:
            raise PlacesFault("there is no CSV file in it (Data/CSV/*.csv)")
        for file in shown.track(files, description="Reading"):
            try:
                text = file.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                raise PlacesFault(f"{file.name} is not UTF-8") from None
            try:
                districts.add(csv.reader(io.StringIO(text, newline=""), strict=True), file.name)
            except csv.Error as error:
                raise PlacesFault(f"{file.name} is not CSV: {error}") from None
        lines = list(districts.lines(max(file.year for file in files)))
    # A table that would keep the service from starting must not be written.
    read_places("".join(lines))
    return districts, lines


@contextmanager
def _opened(code_point: Path) -> Iterator[Sequence[_File]]:
    if code_point.is_dir():
        inside = code_point / "Data" / "CSV"
        paths = sorted((inside if inside.is_dir() else code_point).glob("*.csv"))
        # The guide to the product tells people to put the file of headers beside the others.
        yield [_on_disk(path) for path in paths if "header" not in path.name.lower()]
    elif code_point.suffix.lower() == ".zip" or zipfile.is_zipfile(code_point):
        with zipfile.ZipFile(code_point) as archive:
            members = [each for each in archive.infolist() if _is_data(PurePosixPath(each.filename))]
            yield [_in_zip(archive, each) for each in members]
    else:
        yield [_on_disk(code_point)]


def _is_data(path: PurePosixPath) -> bool:
    folders = [part.lower() for part in path.parts[-3:-1]]
    return folders == ["data", "csv"] and path.suffix.lower() == ".csv"


def _on_disk(path: Path) -> _File:
    year = datetime.fromtimestamp(path.stat().st_mtime, UTC).year
    return _File(path.name, year, path.read_bytes)


def _in_zip(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> _File:
    name = PurePosixPath(member.filename).name
    return _File(name, member.date_time[0], lambda: archive.read(member))


def _fail(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(1)
