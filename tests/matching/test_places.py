"""Postcode districts: which table is read, what is wrong with one, and what is kept of a postcode."""

from pathlib import Path

import pytest

from services.matching.app import load_places
from services.matching.domain.place import PlacesFault, Position, metres_between, read_places
from shared.kit.errors import Fatal
from shared.places import outcode_of

HEADER = "outcode,lat,lon,postcodes\n"


@pytest.mark.parametrize(
    ("written", "outcode"),
    [
        ("E2 8AA", "E2"),
        ("e28aa", "E2"),
        (" sw1a 1aa ", "SW1A"),
        ("EC1A1BB", "EC1A"),
        ("N1C", "N1C"),
        ("E2 8A", None),
        ("E2 8CC", None),
        ("London", None),
        ("", None),
    ],
)
def test_of_a_postcode_only_the_district_is_kept(written: str, outcode: str | None) -> None:
    assert outcode_of(written) == outcode


def test_a_district_that_is_written_right_but_not_in_the_table_is_not_known() -> None:
    places = read_places(HEADER + "E2,51.5296,-0.0627,921\n")

    assert places.outcode_of("e2 8aa") == "E2"
    assert places.outcode_of("E3 4SS") is None


def test_a_table_may_begin_with_whose_data_it_is() -> None:
    places = read_places("# Contains OS data\n# and Royal Mail data\n" + HEADER + "E2,51.5296,-0.0627,921\n")

    assert places.find("E2") == Position(51.5296, -0.0627)
    assert places.postcodes == {"E2": 921}


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("", "its header lacks outcode, lat, lon, postcodes"),
        ("outcode,lat\nE2,51.5\n", "its header lacks lon, postcodes"),
        (HEADER, "it holds no district"),
        ("# whose\n" + HEADER + "E1,51.5,-0.05,2\nE2,51.5,west,3\n", "line 4 must hold"),
        (HEADER + "E2,51.5,-0.06\n", "line 2 must hold"),
        (HEADER + "E2,51.5,nan,3\n", "line 2 must hold"),
        (HEADER + "E2,-0.06,51.5,3\n", "line 2 must hold"),
        (HEADER + "E2 8AA,51.5,-0.06,1\n", "line 2 must hold"),
        (HEADER + "E2,51.5,-0.06,3\nE2,51.6,-0.07,4\n", "line 3 names E2 again"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_by_line(table: str, fault: str) -> None:
    with pytest.raises(PlacesFault, match=fault):
        read_places(table)


def test_a_service_with_a_wrong_table_does_not_start(tmp_path: Path) -> None:
    file = tmp_path / "places.csv"
    file.write_text(HEADER, encoding="utf-8")

    with pytest.raises(Fatal, match=r"PLACES_FILE .*places\.csv: it holds no district"):
        load_places(file)
    with pytest.raises(Fatal, match=r"PLACES_FILE .* cannot be read: No such file"):
        load_places(tmp_path / "nowhere.csv")


def test_distances_are_those_of_the_map() -> None:
    charing_cross, greenwich = Position(51.5074, -0.1278), Position(51.4779, -0.0015)

    assert metres_between(charing_cross, greenwich) == pytest.approx(9_340, abs=30)
    assert metres_between(greenwich, greenwich) == 0
