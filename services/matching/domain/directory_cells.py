"""The cells of a directory row: each read into a value, or reported with its field and the rule."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar
from unicodedata import normalize
from uuid import UUID

from services.matching.domain.therapist import Accreditation, Body, Outcomes, Registration, Route
from shared.contract.vocabulary import Variant

_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_FORMULA = "=+-@"
"""Signs at which a spreadsheet would run a cell instead of showing it."""

_FEE = re.compile(r"[0-9]{1,4}(\.[0-9]{2})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CHANGE = re.compile(r"(-?)([0-9])(?:\.([0-9]{1,2}))?")
_WORD = re.compile(r"[\w.-]{1,24}")

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RowFault:
    """One thing wrong with a row: where, and which rule it breaks."""

    line: int
    field: str
    rule: str


@dataclass(frozen=True, slots=True)
class Cells:
    """One row, and the faults found in it so far."""

    line: int
    cells: Mapping[str, str]
    faults: list[RowFault]

    def fault(self, field: str, rule: str) -> None:
        """Notes a fault."""
        self.faults.append(RowFault(self.line, field, rule))

    def cell(self, field: str) -> str:
        """The text of a cell."""
        return self.cells[field].strip(" \t")

    def words(self, field: str) -> list[str]:
        """The words of a list; there must be one."""
        found = [word.strip() for word in self.cell(field).split(";") if word.strip()]
        if not found:
            self.fault(field, "must name at least one")
        return found

    def read(self, field: str, convert: Callable[[str], T], rule: str) -> T | None:
        """A cell through a conversion that raises ValueError for what breaks the rule."""
        cell = self.cell(field)
        try:
            if not cell:
                raise ValueError
            return convert(cell)
        except ValueError:
            self.fault(field, rule)
            return None

    def one(self, field: str, kind: type[E]) -> E | None:
        """A word of a closed list."""
        return self.read(field, kind, f"must be one of {', '.join(kind)}")

    def many(
        self, field: str, kind: type[E], *, required: bool = True, without: set[E] | None = None
    ) -> frozenset[E]:
        """Some words of a closed list."""
        if not required and not self.cell(field):
            return frozenset()
        known = {str(word): word for word in kind if word not in (without or set())}
        words = self.words(field)
        for word in words:
            if word not in known:
                self.fault(field, f"{shown(word)} is not one of {', '.join(known)}")
        return frozenset(known[word] for word in words if word in known)

    def registration(self) -> Registration | None:
        """The core registration, if any of its cells is filled."""
        fields = ("registration_body", "registration_number", "registration_expires")
        if not any(self.cell(field) for field in fields):
            return None
        body = self.one("registration_body", Body)
        number = self.read(
            "registration_number",
            _number,
            "must be 1 to 40 letters, digits, - or /, and begin with a letter or digit",
        )
        expires = self.read("registration_expires", day, "must be a date such as 2026-11-24")
        return (
            None if body is None or number is None or expires is None else Registration(body, number, expires)
        )

    def outcomes(self) -> Outcomes | None:
        """How closed courses went, if both cells are filled."""
        if not self.cell("outcome_cases") and not self.cell("outcome_change"):
            return None
        cases = self.read("outcome_cases", closed, "must be a whole number from 0 to 9999")
        change = self.read(
            "outcome_change", _change, "must be standard deviations such as 0.85, from -9.99 to 9.99"
        )
        return None if cases is None or change is None else Outcomes(cases, change)

    def accreditations(self) -> tuple[Accreditation, ...]:
        """The accreditations, one for each variant."""
        held: dict[Variant, Accreditation] = {}
        for entry in self.words("accreditations"):
            parts = entry.split(":")
            if len(parts) != 4:
                self.fault(
                    "accreditations",
                    "each must be variant:route:expires:cases, in JSON an object of these",
                )
                continue
            accreditation = self._accreditation(*parts)
            if accreditation is None:
                continue
            if accreditation.variant in held:
                self.fault("accreditations", f"{accreditation.variant} is named twice")
            held[accreditation.variant] = accreditation
        return tuple(held[variant] for variant in Variant if variant in held)

    def _accreditation(self, variant: str, route: str, expires: str, cases: str) -> Accreditation | None:
        before = len(self.faults)
        if variant not in set(Variant):
            self.fault("accreditations", f"{shown(variant)} is not one of {', '.join(Variant)}")
        if route not in set(Route):
            self.fault("accreditations", f"{shown(route)} is not a route: {' or '.join(Route)}")
        if not cases.isdecimal() or len(cases) > 4:
            self.fault("accreditations", "cases must be a whole number from 0 to 9999")
        try:
            expires_on = day(expires)
        except ValueError:
            self.fault("accreditations", "expires must be a date such as 2026-11-24")
            return None
        if len(self.faults) > before:
            return None
        return Accreditation(Variant(variant), Route(route), expires_on, int(cases))


def shown(word: str) -> str:
    """A word for the report, if it is safe to repeat."""
    # Only what looks like a word of a list is repeated; anything else may be data in a wrong column.
    return f"'{word}'" if _WORD.fullmatch(word) else "this entry"


def uuid(cell: str) -> UUID:
    """An id in the usual spelling, so that one cannot hide behind two."""
    if str(UUID(cell)) != cell.lower():
        raise ValueError
    return UUID(cell)


def name(cell: str) -> str:
    """A person's name."""
    # A spreadsheet may read a sign in full width as the plain one.
    if len(cell) > 120 or not cell.isprintable() or normalize("NFKC", cell[0])[0] in _FORMULA:
        raise ValueError
    return cell


def email(cell: str) -> str:
    """One address."""
    if len(cell) > 254 or not _EMAIL.fullmatch(cell) or cell[0] in _FORMULA:
        raise ValueError
    return cell


def _number(cell: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9/-]{0,39}", cell):
        raise ValueError
    return cell


def pence(cell: str) -> int:
    """An amount of money."""
    if not _FEE.fullmatch(cell):
        raise ValueError
    pounds, _, pence = cell.partition(".")
    return int(pounds) * 100 + int(pence or 0)


def seats(cell: str) -> int:
    """A number of seats."""
    if not re.fullmatch(r"[0-9]{1,2}", cell):
        raise ValueError
    return int(cell)


def closed(cell: str) -> int:
    """A number of closed courses."""
    if not re.fullmatch(r"[0-9]{1,4}", cell):
        raise ValueError
    return int(cell)


def _change(cell: str) -> int:
    found = _CHANGE.fullmatch(cell)
    if found is None:
        raise ValueError
    sign, whole, part = found.groups()
    return int(f"{sign}1") * (int(whole) * 100 + int((part or "").ljust(2, "0")))


def hundredths(number: int) -> str:
    """A number of hundredths as it reads back the same: `0.85`."""
    return f"{'-' if number < 0 else ''}{abs(number) // 100}.{abs(number) % 100:02}"


def day(cell: str) -> date:
    """A date."""
    if not _DATE.fullmatch(cell):
        raise ValueError
    return date.fromisoformat(cell)
