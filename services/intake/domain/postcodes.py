"""Tells whether an outcode is in London, elsewhere or nowhere."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

# Every outcode of these areas is in the London table, so one that is not there does not exist: bare "W1",
# for instance, which is only ever W1A to W1W.
_WHOLLY_LONDON = frozenset({"E", "EC", "N", "NW", "SE", "SW", "W", "WC"})

_AREAS_WRITTEN = (
    "AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH "
    "EN EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M "
    "ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST "
    "SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE"
)
_AREAS = frozenset(_AREAS_WRITTEN.split())


class Whereabouts(Enum):
    """Where an outcode lies, as far as the clinic cares."""

    LONDON = "london"
    ELSEWHERE = "elsewhere"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Outcodes:
    """The outcodes of London."""

    london: frozenset[str]

    @classmethod
    def from_csv(cls, lines: Iterable[str]) -> "Outcodes":
        """Reads the table; lines that begin with # say where it comes from."""
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        return cls(frozenset(row["outcode"] for row in rows))

    def whereabouts(self, outcode: str) -> Whereabouts:
        """London, elsewhere in the country, or nowhere."""
        if outcode in self.london:
            return Whereabouts.LONDON
        area = outcode.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ").rstrip("0123456789")
        if area in _WHOLLY_LONDON or area not in _AREAS:
            return Whereabouts.NOWHERE
        return Whereabouts.ELSEWHERE
