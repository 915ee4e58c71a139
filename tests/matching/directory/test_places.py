"""Postcode districts: which table is read, what is wrong with one, and what is kept of a postcode."""

import math
from pathlib import Path

import pytest

from services.matching.app import load_places
from services.matching.domain.code_point import Districts
from services.matching.domain.national_grid import on_airy, position_of
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
        ("E17", "E17"),
        ("E1 7", None),
        (" SW1\t1 ", None),
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


def dms(degrees: int, minutes: int, seconds: float) -> float:
    return degrees + minutes / 60 + seconds / 3600


def test_the_worked_example_of_the_projection_comes_out() -> None:
    # "A guide to coordinate systems in Great Britain", Ordnance Survey, annex C.2: Caister water tower.
    latitude, longitude = map(math.degrees, on_airy(651409.903, 313177.270))

    assert latitude == pytest.approx(dms(52, 39, 27.2531), abs=1e-8)
    assert longitude == pytest.approx(dms(1, 43, 4.5177), abs=1e-8)


@pytest.mark.parametrize(
    ("place", "latitude", "longitude", "easting", "northing"),
    [
        # Test points of Ordnance Survey's OSTN15 developer pack: ETRS89, which is WGS84 to less than a metre.
        ("TP01 St Mary's, Scilly", 49.92226394, -6.29977752, 91492.146, 11318.804),
        ("TP04 St Catherine's Point", 50.57563665, -1.29782277, 449816.371, 75335.861),
        ("TP07 North Foreland", 51.37447026, 1.44454730, 639821.835, 169565.858),
        ("TP09 Lambeth", 51.48936565, -0.11992557, 530624.974, 178388.464),
        ("TP10 Carmarthen", 51.85890896, -4.30852477, 241124.584, 220332.641),
        ("TP16 Daresbury", 53.34480280, -2.64049321, 357455.843, 383290.436),
        ("TP25 Newcastle", 54.97912274, -1.61657685, 424639.355, 565012.703),
        ("TP26 Glasgow", 55.85399953, -4.29649016, 256340.925, 664697.269),
        ("TP31 St Kilda", 57.81351838, -8.57854456, 9587.909, 899448.996),
        ("TP40 Shetland", 60.13308092, -2.07382823, 395999.668, 1138728.951),
    ],
)
def test_points_of_the_grid_are_where_ordnance_survey_says(
    place: str, latitude: float, longitude: float, easting: float, northing: float
) -> None:
    found = position_of(easting, northing)

    assert metres_between(found, Position(latitude, longitude)) <= 10, place


def rows(*postcodes: tuple[str, int, int, int]) -> list[list[str]]:
    """Rows as Code-Point Open has them: ten columns, of which the first four matter."""
    return [[*map(str, each), "E92000001", "", "", "", "E09000022", ""] for each in postcodes]


def test_a_district_is_where_its_postcodes_are_on_average() -> None:
    districts = Districts()

    districts.add(rows(("SE1 7AA", 10, 530_500, 178_300), ("SE1 7AB", 20, 530_750, 178_477)), "se.csv")
    districts.add(rows(("SE11AB", 90, 0, 0), ("SW1A1AA", 10, 529_090, 179_645)), "sw.csv")
    table = "".join(districts.lines(2026))

    places = read_places(table)
    assert places.postcodes == {"SE1": 2, "SW1A": 1}
    assert metres_between(places.positions["SE1"], Position(51.48936565, -0.11992557)) <= 15
    assert (districts.postcodes, districts.without_position) == (3, 1)


def test_a_table_says_first_whose_data_it_is() -> None:
    districts = Districts()
    districts.add(rows(("SE1 7AA", 10, 530_500, 178_300)), "se.csv")

    first = next(districts.lines(2026))

    assert first.startswith("# ")
    for owner in (
        "OS data (c) Crown",
        "Royal Mail data (c) Royal Mail",
        "National Statistics data (c) Crown",
    ):
        assert f"Contains {owner} copyright and database right 2026" in first


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (["Postcode", "Positional_quality_indicator", "Eastings", "Northings"], "is not a postcode"),
        (["SE1 7AA", "10", "530500"], "is not a postcode"),
        (["SE1 7AA", "10", "530500.5", "178300"], "is not a postcode"),
        (["SE1 7AA", "10", "178300", "5305000"], "does not lie on the National Grid"),
    ],
)
def test_a_file_of_something_else_is_refused_by_row(row: list[str], fault: str) -> None:
    districts = Districts()

    with pytest.raises(PlacesFault, match=rf"se\.csv, row 2 {fault}"):
        districts.add([*rows(("SE1 7AA", 10, 530_500, 178_300)), row], "se.csv")


def test_a_product_without_any_position_makes_no_table() -> None:
    districts = Districts()
    districts.add(rows(("SE1 7AA", 90, 0, 0)), "se.csv")

    with pytest.raises(PlacesFault, match="no postcode with a position"):
        list(districts.lines(2026))
