"""The divisions of clients by which policies are compared; in each division everybody is in one group."""

from collections.abc import Mapping

from shared.contract.intake import CaseDetails
from shared.contract.vocabulary import RequesterRole

DIVISIONS: Mapping[str, str] = {
    "age": "Age",
    "mode": "Sessions asked for",
    "therapy": "Therapy asked for",
    "requester": "Who asks",
    "condition": "Names a condition",
    "area": "Where in London",
}

_BANDS = ((13, "under 13"), (18, "13 to 17"), (26, "18 to 25"), (65, "26 to 64"))
_AREAS = {
    "E": "East",
    "EC": "Central",
    "N": "North",
    "NW": "North West",
    "SE": "South East",
    "SW": "South West",
    "W": "West",
    "WC": "Central",
}


def groups_of(case: CaseDetails, age: int, requester: RequesterRole | None) -> dict[str, str]:
    """A client's group in each division."""
    return {
        "age": next((band for below, band in _BANDS if age < below), "65 and over"),
        "mode": case.mode.replace("_", " "),
        "therapy": case.therapy,
        "requester": requester or "not known",
        "condition": "yes" if case.conditions else "no",
        "area": _area_of(case.outcode),
    }


def _area_of(outcode: str | None) -> str:
    """The part of London by the letters of the postcode; only inner London's say where they are."""
    code = (outcode or "").strip().upper()
    letters = code.rstrip("0123456789") if code[-1:].isdigit() else code[:-1].rstrip("0123456789")
    if not letters:
        return "not known"
    return _AREAS.get(letters, "Outer London and beyond")
