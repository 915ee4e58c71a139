"""Postcode districts out of OS Code-Point Open: where the postcodes of each are on average."""

from collections.abc import Iterable, Iterator, Sequence

from services.matching.domain.national_grid import position_of
from services.matching.domain.place import COLUMNS, PlacesFault
from shared.places import outcode_of

_NOWHERE = "90"
"""The quality of a postcode that has no position."""

_LIMITS = range(700_000), range(1_300_000)
"""Easting and northing of what lies on the grid."""


class Districts:
    """Sums up postcodes, row by row: of each only its district and its position are looked at."""

    def __init__(self) -> None:
        self._sums: dict[str, list[int]] = {}
        self.postcodes = 0
        self.without_position = 0

    def __len__(self) -> int:
        return len(self._sums)

    def add(self, rows: Iterable[Sequence[str]], file: str) -> None:
        """The rows of one file: postcode, quality, easting, northing, and more that does not matter."""
        for number, row in enumerate(rows, 1):
            try:
                postcode, quality, easting, northing = row[:4]
                outcode = outcode_of(postcode)
                if outcode is None or not quality.isdecimal():
                    raise ValueError
                if quality == _NOWHERE:
                    self.without_position += 1
                    continue
                east, north = int(easting), int(northing)
            except ValueError:
                raise PlacesFault(f"{file}, row {number} is not a postcode of Code-Point Open") from None
            if east not in _LIMITS[0] or north not in _LIMITS[1]:
                raise PlacesFault(f"{file}, row {number} does not lie on the National Grid")
            sums = self._sums.setdefault(outcode, [0, 0, 0])
            sums[0] += 1
            sums[1] += east
            sums[2] += north
            self.postcodes += 1

    def lines(self, year: int) -> Iterator[str]:
        """The table, in alphabetical order, with whose data it is in the first line."""
        if not self._sums:
            raise PlacesFault("there is no postcode with a position in it")
        yield f"# derived from OS Code-Point Open. {_attribution(year)}\n"
        yield ",".join(COLUMNS) + "\n"
        for outcode, (postcodes, east, north) in sorted(self._sums.items()):
            position = position_of(east / postcodes, north / postcodes)
            yield f"{outcode},{position.latitude:.4f},{position.longitude:.4f},{postcodes}\n"


def _attribution(year: int) -> str:
    return "; ".join(
        f"Contains {data} data (c) {owner} copyright and database right {year}"
        for data, owner in (("OS", "Crown"), ("Royal Mail", "Royal Mail"), ("National Statistics", "Crown"))
    )
