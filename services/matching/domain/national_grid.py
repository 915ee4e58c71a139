"""From the National Grid of Great Britain to degrees, as Ordnance Survey's guide to coordinate systems tells.

The change of datum is one Helmert transformation for the whole country, good to some five metres; a table
of districts needs no more. Source: "A guide to coordinate systems in Great Britain", 6.6 and annexes B, C.
"""

from math import atan2, cos, degrees, hypot, radians, sin, sqrt, tan

from services.matching.domain.place import Position

Point = tuple[float, float, float]

_AIRY = 6_377_563.396, 6_356_256.909
_WGS84 = 6_378_137.0, 6_356_752.314_245
"""Semi-axes of the ellipsoids."""

_SCALE = 0.999_601_271_7
_ORIGIN = radians(49), radians(-2)
_FALSE_EASTING, _FALSE_NORTHING = 400_000, -100_000

# The guide tells the way from WGS84 to the grid's datum; this is the way back.
_SHIFT = 446.448, -125.157, 542.060
_TURN = tuple(radians(seconds / 3600) for seconds in (0.1502, 0.2470, 0.8421))
_STRETCH = 1 - 20.4894e-6


def position_of(easting: float, northing: float) -> Position:
    """Where a point of the grid is."""
    latitude, longitude = _in_degrees(_moved(_in_space(*on_airy(easting, northing))))
    return Position(latitude, longitude)


def on_airy(easting: float, northing: float) -> tuple[float, float]:
    """Latitude and longitude of a point of the grid in radians, still on the grid's own ellipsoid."""
    a, b = _AIRY
    squared = (a * a - b * b) / (a * a)
    north = northing - _FALSE_NORTHING
    foot = _ORIGIN[0] + north / (a * _SCALE)
    while abs(rest := north - _meridian(foot)) >= 1e-5:
        foot += rest / (a * _SCALE)
    bent = 1 - squared * sin(foot) ** 2
    nu = a * _SCALE / sqrt(bent)
    rho = a * _SCALE * (1 - squared) / bent**1.5
    eta = nu / rho - 1
    t = tan(foot) ** 2
    east = (easting - _FALSE_EASTING) / nu
    latitude = foot - tan(foot) * nu / rho * (
        east**2 / 2
        - east**4 / 24 * (5 + 3 * t + eta - 9 * t * eta)
        + east**6 / 720 * (61 + 90 * t + 45 * t**2)
    )
    longitude = _ORIGIN[1] + (
        east
        - east**3 / 6 * (nu / rho + 2 * t)
        + east**5 / 120 * (5 + 28 * t + 24 * t**2)
        - east**7 / 5040 * (61 + 662 * t + 1320 * t**2 + 720 * t**3)
    ) / cos(foot)
    return latitude, longitude


def _meridian(latitude: float) -> float:
    a, b = _AIRY
    n = (a - b) / (a + b)
    less, more = latitude - _ORIGIN[0], latitude + _ORIGIN[0]
    return (
        b
        * _SCALE
        * (
            (1 + n + 5 / 4 * n**2 + 5 / 4 * n**3) * less
            - (3 * n + 3 * n**2 + 21 / 8 * n**3) * sin(less) * cos(more)
            + 15 / 8 * (n**2 + n**3) * sin(2 * less) * cos(2 * more)
            - 35 / 24 * n**3 * sin(3 * less) * cos(3 * more)
        )
    )


def _in_space(latitude: float, longitude: float) -> Point:
    a, b = _AIRY
    nu = a * a / hypot(a * cos(latitude), b * sin(latitude))
    out = nu * cos(latitude)
    return out * cos(longitude), out * sin(longitude), nu * (b / a) ** 2 * sin(latitude)


def _moved(point: Point) -> Point:
    x, y, z = point
    turn_x, turn_y, turn_z = _TURN
    return (
        _SHIFT[0] + _STRETCH * x - turn_z * y + turn_y * z,
        _SHIFT[1] + turn_z * x + _STRETCH * y - turn_x * z,
        _SHIFT[2] - turn_y * x + turn_x * y + _STRETCH * z,
    )


def _in_degrees(point: Point) -> tuple[float, float]:
    x, y, z = point
    a, b = _WGS84
    squared = (a * a - b * b) / (a * a)
    out = hypot(x, y)
    latitude = atan2(z, out * (1 - squared))
    for _ in range(5):
        nu = a / sqrt(1 - squared * sin(latitude) ** 2)
        latitude = atan2(z + squared * nu * sin(latitude), out)
    return degrees(latitude), degrees(atan2(y, x))
