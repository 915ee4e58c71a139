"""One row of a directory file: a therapist, or every fault in it with the field and the rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from services.matching.domain import directory_cells as into
from services.matching.domain.directory_cells import RowFault
from services.matching.domain.languages import ALSO_MET_BY, UNCLEAR
from services.matching.domain.place import Places
from services.matching.domain.therapist import (
    AgeGroup,
    Approach,
    Gender,
    Route,
    Therapist,
)
from shared.contract.ids import TherapistId
from shared.contract.vocabulary import Condition, Format, Mode, PreferenceAbout, ProblemArea, Slot
from shared.languages import A_CODE, LANGUAGES

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
    "free_from",
    "outcome_cases",
    "outcome_change",
)
LATEST_START = timedelta(days=366)
"""Whoever begins later has nothing to offer yet; most often the year was mistyped."""

OPTIONAL = frozenset({"free_from", "outcome_cases", "outcome_change"})
"""A file may lack these columns."""

_AFFIRMING = frozenset(PreferenceAbout) - {PreferenceAbout.THERAPIST_GENDER, PreferenceAbout.APPROACH}

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RowNote:
    """Something about a good row that keeps the therapist from being proposed, now or at all."""

    line: int
    field: str
    text: str


def read_row(
    line: int, cells: Mapping[str, str], places: Places, today: date
) -> tuple[Therapist | None, list[RowFault]]:
    """The therapist of a row; without `confirmed_on` as if confirmed today."""
    row = into.Cells(line, cells, [])
    identifier = row.read("id", into.uuid, "must be a UUID such as 8e0a0301-4060-5606-9135-e14ce7577614")
    name = row.read("name", into.name, "must be 1 to 120 printable characters and not begin with = + - @")
    email = row.read(
        "email",
        into.email,
        "must be one address such as name@example.org, without spaces or line breaks",
    )
    # Of a whole postcode only the first half is kept.
    written = row.read("outcode", str.upper, "must be given")
    outcode = None if written is None else places.outcode_of(written)
    if written is not None and outcode is None:
        row.fault("outcode", f"{into.shown(written)} is not a known postcode district")
    fee = row.read("fee_pounds", into.pence, "must be pounds such as 80 or 82.50")
    seats = row.read("seats", into.seats, "must be a whole number from 0 to 99")
    languages = row.words("languages")
    for word in languages:
        if word not in LANGUAGES:
            row.fault("languages", f"{into.shown(word)} is not {A_CODE}")
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
        confirmed_on = row.read("confirmed_on", into.day, "must be a date such as 2026-11-24") or today
        if confirmed_on > today:
            row.fault("confirmed_on", "must not be in the future")
    free_from = (
        row.read("free_from", into.day, "must be a date such as 2026-11-24")
        if row.cell("free_from")
        else None
    )
    if free_from is not None and free_from > today + LATEST_START:
        row.fault("free_from", "must be within a year; offer 0 seats until it is nearer")
    outcomes = row.outcomes()
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
        free_from=free_from,
        outcomes=outcomes,
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
    for code in sorted(UNCLEAR & therapist.languages):
        if therapist.languages.isdisjoint(ALSO_MET_BY[code]):
            others = " or ".join(ALSO_MET_BY[code])
            text = f"{code} does not say which is spoken: not proposed to who asks for {others}"
            notes.append(RowNote(line, "languages", text))
    if therapist.seats_offered == 0:
        notes.append(RowNote(line, "seats", "no seat: not proposed until there is one"))
    return notes


def write_row(therapist: Therapist) -> dict[str, str]:
    """A therapist as a row that reads back the same."""
    registration, outcomes = therapist.registration, therapist.outcomes
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
        "free_from": str(therapist.free_from or ""),
        "outcome_cases": "" if outcomes is None else str(outcomes.cases),
        "outcome_change": "" if outcomes is None else into.hundredths(outcomes.change),
    }


def _sure(value: T | None) -> T:
    if value is None:
        raise AssertionError("a cell was neither read nor reported")
    return value


def _pounds(pence: int) -> str:
    return f"{pence // 100}" if pence % 100 == 0 else f"{pence // 100}.{pence % 100:02}"


def _listed(kind: type[E], words: frozenset[E]) -> str:
    return ";".join(word for word in kind if word in words)
