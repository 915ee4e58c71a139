"""Postcodes, for every service that asks where somebody lives: how they are written, where they are."""

import re
from pathlib import Path

LONDON = Path(__file__).with_name("outcodes_london.csv")
"""The postcode districts of London: position and number of postcodes; its attribution is its first line."""

_INWARD = r"[0-9][ABD-HJLNP-UW-Z]{2}"
_OUTCODE = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?")
_FULL = re.compile(rf"({_OUTCODE.pattern}){_INWARD}")
_UNFINISHED = re.compile(r".*[0-9]\s+[0-9]", re.DOTALL)


def outcode_of(postcode: str) -> str | None:
    """The first half of a postcode, all that is ever kept of it; None if it is not written like one."""
    # "E1 7" is the beginning of a postcode in E1; without its blank it would be another place, E17.
    if _UNFINISHED.fullmatch(postcode.strip()):
        return None
    written = re.sub(r"\s", "", postcode).upper()
    full = _FULL.fullmatch(written)
    if full:
        return full[1]
    return written if _OUTCODE.fullmatch(written) else None
