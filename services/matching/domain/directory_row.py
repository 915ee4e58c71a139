"""One row of a directory file: a therapist, or every fault in it with the field and the rule."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from services.matching.domain.languages import LANGUAGES
from services.matching.domain.place import Places
from services.matching.domain.therapist import (
    Accreditation,
    AgeGroup,
    Approach,
    Body,
    Gender,
    Registration,
    Route,
    Therapist,
)
from shared.contract.ids import TherapistId
from shared.contract.vocabulary import Condition, Format, Mode, PreferenceAbout, ProblemArea, Slot, Variant

COLUMNS = (
    "id",
    "name",
    "email",
    "gender",
    "outcode",
    "modes",
    "formats",
    "age_groups",
    "languages",
    "fee_pounds",
    "seats",
    "slots",
    "problem_areas",
    "conditions",
    "approaches",
    "affirming",
    "registration_body",
    "registration_number",
    "registration_expires",
    "accreditations",
    "confirmed_on",
)

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f,;<>\"]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_FEE = re.compile(r"[0-9]{1,4}(\.[0-9]{2})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORD = re.compile(r"[\w.-]{1,24}")
_AFFIRMING = frozenset(PreferenceAbout) - {PreferenceAbout.THERAPIST_GENDER, PreferenceAbout.APPROACH}

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RowFault:
    """One thing wrong with a row: where, and which rule it breaks."""

    line: int
    field: str
    rule: str


@dataclass(frozen=True, slots=True)
class RowNote:
    """Something about a good row that keeps the therapist from being proposed, now or at all."""

    line: int
    field: str
    text: str


def read_row(
    line: int, cells: Mapping[str, str], places: Places, today: date
) -> tuple[Therapist | None, list[RowFault]]:
    """The therapist of a row; an empty `confirmed_on` means that the import confirms the entry."""
    row = _Row(line, cells, [])
    identifier = row.read("id", _uuid, "must be a UUID such as 8e0a0301-4060-5606-9135-e14ce7577614")
    name = row.read("name", _name, "must be 1 to 120 printable characters and not begin with = + - @")
    email = row.read(
        "email", _email, "must be one address such as name@example.org, without spaces or line breaks"
    )
    outcode = row.read("outcode", str.upper, "must be given")
    if outcode is not None and places.find(outcode) is None:
        row.fault("outcode", f"{_shown(outcode)} is not a known postcode district")
    fee = row.read("fee_pounds", _pence, "must be pounds such as 80 or 82.50")
    seats = row.read("seats", _seats, "must be a whole number from 0 to 99")
    languages = row.words("languages")
    for word in languages:
        if word not in LANGUAGES:
            row.fault("languages", f"{_shown(word)} is not an ISO 639-1 code")
    gender = row.one("gender", Gender)
    modes = row.many("modes", Mode, without={Mode.EITHER})
    formats = row.many("formats", Format)
    age_groups = row.many("age_groups", AgeGroup)
    slots = row.many("slots", Slot)
    areas = row.many("problem_areas", ProblemArea, required=False)
    conditions = row.many("conditions", Condition, required=False)
    approaches = row.many("approaches", Approach, required=False)
    affirming = row.many(
        "affirming", PreferenceAbout, required=False, without=set(PreferenceAbout) - _AFFIRMING
    )
    registration = row.registration()
    accreditations = row.accreditations()
    confirmed_on = today
    if row.cell("confirmed_on"):
        confirmed_on = row.read("confirmed_on", _day, "must be a date such as 2026-11-24") or today
        if confirmed_on > today:
            row.fault("confirmed_on", "must not be in the future")
    if row.faults:
        return None, row.faults
    # Nothing is None any more: whatever could not be read has left a fault.
    therapist = Therapist(
        id=TherapistId(_sure(identifier)),
        name=_sure(name),
        email=_sure(email),
        gender=_sure(gender),
        outcode=_sure(outcode),
        modes=modes,
        formats=formats,
        age_groups=age_groups,
        languages=frozenset(languages),
        fee_pence=_sure(fee),
        seats_offered=_sure(seats),
        seats_free=_sure(seats),
        slots=slots,
        problem_areas=areas,
        conditions=conditions,
        approaches=approaches,
        affirming=affirming,
        registration=registration,
        accreditations=accreditations,
        confirmed_on=confirmed_on,
    )
    return therapist, []


def notes_on(line: int, therapist: Therapist, today: date) -> list[RowNote]:
    """What keeps a therapist of a good row from being proposed."""
    notes = []
    registration = therapist.registration
    if registration is None:
        notes.append(RowNote(line, "registration_body", "no core registration: never proposed"))
    elif registration.expires_on < today:
        notes.append(
            RowNote(
                line,
                "registration_expires",
                f"lapsed on {registration.expires_on}: not proposed until renewed",
            )
        )
    for held in therapist.accreditations:
        if held.route is Route.KSA:
            text = f"{held.variant} by the KSA route: never privately matched"
        elif held.expires_on < today:
            text = f"{held.variant} lapsed on {held.expires_on}: not proposed for it until renewed"
        else:
            continue
        notes.append(RowNote(line, "accreditations", text))
    if therapist.seats_offered == 0:
        notes.append(RowNote(line, "seats", "no seat: not proposed until there is one"))
    return notes


def write_row(therapist: Therapist) -> dict[str, str]:
    """A therapist as a row that reads back the same."""
    registration = therapist.registration
    return {
        "id": str(therapist.id),
        "name": therapist.name,
        "email": therapist.email,
        "gender": therapist.gender,
        "outcode": therapist.outcode,
        "modes": _listed(Mode, therapist.modes),
        "formats": _listed(Format, therapist.formats),
        "age_groups": _listed(AgeGroup, therapist.age_groups),
        "languages": ";".join(sorted(therapist.languages)),
        "fee_pounds": _pounds(therapist.fee_pence),
        "seats": str(therapist.seats_offered),
        "slots": _listed(Slot, therapist.slots),
        "problem_areas": _listed(ProblemArea, therapist.problem_areas),
        "conditions": _listed(Condition, therapist.conditions),
        "approaches": _listed(Approach, therapist.approaches),
        "affirming": _listed(PreferenceAbout, therapist.affirming),
        "registration_body": registration.body if registration else "",
        "registration_number": registration.number if registration else "",
        "registration_expires": str(registration.expires_on) if registration else "",
        "accreditations": ";".join(
            f"{held.variant}:{held.route}:{held.expires_on}:{held.cases}" for held in therapist.accreditations
        ),
        "confirmed_on": str(therapist.confirmed_on),
    }


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: Mapping[str, str]
    faults: list[RowFault]

    def fault(self, field: str, rule: str) -> None:
        self.faults.append(RowFault(self.line, field, rule))

    def cell(self, field: str) -> str:
        return self.cells[field].strip(" \t")

    def words(self, field: str) -> list[str]:
        found = [word.strip() for word in self.cell(field).split(";") if word.strip()]
        if not found:
            self.fault(field, "must be given; several are separated by ;")
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
        return self.read(field, kind, f"must be one of {', '.join(kind)}")

    def many(
        self, field: str, kind: type[E], *, required: bool = True, without: set[E] | None = None
    ) -> frozenset[E]:
        if not required and not self.cell(field):
            return frozenset()
        known = {str(word): word for word in kind if word not in (without or set())}
        words = self.words(field)
        for word in words:
            if word not in known:
                self.fault(field, f"{_shown(word)} is not one of {', '.join(known)}")
        return frozenset(known[word] for word in words if word in known)

    def registration(self) -> Registration | None:
        fields = ("registration_body", "registration_number", "registration_expires")
        if not any(self.cell(field) for field in fields):
            return None
        body = self.one("registration_body", Body)
        number = self.read("registration_number", _number, "must be 1 to 40 letters, digits, - or /")
        expires = self.read("registration_expires", _day, "must be a date such as 2026-11-24")
        return (
            None if body is None or number is None or expires is None else Registration(body, number, expires)
        )

    def accreditations(self) -> tuple[Accreditation, ...]:
        held: dict[Variant, Accreditation] = {}
        for entry in self.words("accreditations"):
            parts = entry.split(":")
            if len(parts) != 4:
                self.fault("accreditations", "each must be variant:route:expires:cases")
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
            self.fault("accreditations", f"{_shown(variant)} is not one of {', '.join(Variant)}")
        if route not in set(Route):
            self.fault("accreditations", f"{_shown(route)} is not a route: {' or '.join(Route)}")
        if not cases.isdecimal() or len(cases) > 4:
            self.fault("accreditations", "cases must be a whole number from 0 to 9999")
        try:
            expires_on = _day(expires)
        except ValueError:
            self.fault("accreditations", "expires must be a date such as 2026-11-24")
            return None
        if len(self.faults) > before:
            return None
        return Accreditation(Variant(variant), Route(route), expires_on, int(cases))


def _sure(value: T | None) -> T:
    if value is None:
        raise AssertionError("a cell was neither read nor reported")
    return value


def _shown(word: str) -> str:
    # Only what looks like a word of a list is repeated; anything else may be data in a wrong column.
    return f"'{word}'" if _WORD.fullmatch(word) else "this entry"


def _uuid(cell: str) -> UUID:
    # Only the usual spelling, so that one id cannot hide behind two.
    if str(UUID(cell)) != cell.lower():
        raise ValueError
    return UUID(cell)


def _name(cell: str) -> str:
    # A leading sign would make a spreadsheet run the cell as a formula.
    if len(cell) > 120 or not cell.isprintable() or cell[0] in "=+-@":
        raise ValueError
    return cell


def _email(cell: str) -> str:
    if len(cell) > 254 or not _EMAIL.fullmatch(cell):
        raise ValueError
    return cell


def _number(cell: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9/-]{1,40}", cell):
        raise ValueError
    return cell


def _pence(cell: str) -> int:
    if not _FEE.fullmatch(cell):
        raise ValueError
    pounds, _, pence = cell.partition(".")
    return int(pounds) * 100 + int(pence or 0)


def _pounds(pence: int) -> str:
    return f"{pence // 100}" if pence % 100 == 0 else f"{pence // 100}.{pence % 100:02}"


def _seats(cell: str) -> int:
    if not re.fullmatch(r"[0-9]{1,2}", cell):
        raise ValueError
    return int(cell)


def _day(cell: str) -> date:
    if not _DATE.fullmatch(cell):
        raise ValueError
    return date.fromisoformat(cell)


def _listed(kind: type[E], words: frozenset[E]) -> str:
    return ";".join(word for word in kind if word in words)
