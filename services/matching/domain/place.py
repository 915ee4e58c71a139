"""Where postcode districts are, and how far apart."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from math import asin, cos, radians, sin, sqrt

from shared.places import outcode_of

COLUMNS = ("outcode", "lat", "lon", "postcodes")
EARTH_METRES = 6_371_008.8


@dataclass(frozen=True, slots=True)
class Position:
    """A point in degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Places:
    """The known postcode districts, by outcode."""

    positions: Mapping[str, Position]
    postcodes: Mapping[str, int]
    """How many postcodes each district has; about how many people live there."""

    file: str = ""
    """The table, word for word."""

    digest: str = ""

    def find(self, outcode: str | None) -> Position | None:
        """Where a district is, or None for one we do not know."""
        return None if outcode is None else self.positions.get(outcode.strip().upper())

    def outcode_of(self, written: str) -> str | None:
        """The known district that a postcode or its first half is in."""
        outcode = outcode_of(written)
        return outcode if outcode in self.positions else None


class PlacesFault(ValueError):
    """A table of districts that cannot be used; its text says which line is wrong, and how."""


def read_places(text: str) -> Places:
    """Reads the table of districts; lines that begin with # are its attribution."""
    positions: dict[str, Position] = {}
    postcodes: dict[str, int] = {}
    lines = text.splitlines()
    above = sum(line.startswith("#") for line in lines)
    rows = csv.DictReader(lines[above:])
    if missing := [column for column in COLUMNS if column not in (rows.fieldnames or ())]:
        raise PlacesFault(f"its header lacks {', '.join(missing)}")
    for row in rows:
        line = above + rows.line_num
        outcode = row["outcode"]
        if outcode in positions:
            raise PlacesFault(f"line {line} names {outcode} again")
        try:
            positions[outcode] = _position(outcode, float(row["lat"]), float(row["lon"]))
            postcodes[outcode] = int(row["postcodes"])
        except (TypeError, ValueError):
            raise PlacesFault(
                f"line {line} must hold an outcode, where it is in Great Britain, and a number of postcodes"
            ) from None
    if not positions:
        raise PlacesFault("it holds no district")
    return Places(positions, postcodes, text, sha256(text.encode()).hexdigest())


def _position(outcode: str, latitude: float, longitude: float) -> Position:
    # Rough, but NaN, metres for degrees, and latitude for longitude do not pass.
    if outcode_of(outcode) != outcode or not (49 < latitude < 62 and -9 < longitude < 3):
        raise ValueError
    return Position(latitude, longitude)


def metres_between(one: Position, other: Position) -> int:
    """The great-circle distance, in whole metres so that it compares the same everywhere."""
    height = radians(other.latitude - one.latitude) / 2
    width = radians(other.longitude - one.longitude) / 2
    part = sin(height) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(width) ** 2
    return round(2 * EARTH_METRES * asin(sqrt(part)))
