"""Where postcode districts are, and how far apart."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

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

    def find(self, outcode: str | None) -> Position | None:
        """Where a district is, or None for one we do not know."""
        return None if outcode is None else self.positions.get(outcode.strip().upper())


def read_places(text: str) -> Places:
    """Reads the table of districts; lines that begin with # are its attribution."""
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    return Places(
        {row["outcode"]: Position(float(row["lat"]), float(row["lon"])) for row in rows},
        {row["outcode"]: int(row["postcodes"]) for row in rows},
    )


def metres_between(one: Position, other: Position) -> int:
    """The great-circle distance, in whole metres so that it compares the same everywhere."""
    height = radians(other.latitude - one.latitude) / 2
    width = radians(other.longitude - one.longitude) / 2
    part = sin(height) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(width) ** 2
    return round(2 * EARTH_METRES * asin(sqrt(part)))
