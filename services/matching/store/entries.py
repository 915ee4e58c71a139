"""How an entry of the directory lies in its tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from services.matching.domain.therapist import (
    Accreditation,
    AgeGroup,
    Approach,
    Body,
    Gender,
    Outcomes,
    Registration,
    Route,
    Therapist,
)
from shared.contract.ids import TherapistId
from shared.contract.vocabulary import Condition, Format, Mode, PreferenceAbout, ProblemArea, Slot, Variant
from shared.kit.transaction import Transaction

COLUMNS = """
           t.id, t.name, t.email, t.gender, t.outcode, t.modes, t.formats, t.age_groups, t.languages,
           t.fee_pence, t.slots, t.problem_areas, t.conditions, t.approaches, t.affirming, t.confirmed_on,
           t.seats_offered, t.seats_free, t.free_from, t.outcome_cases, t.outcome_change,
           r.body, r.number, r.expires_on,
           a.variants, a.routes, a.expiries, a.cases
"""
HELD = """
        SELECT array_agg(variant ORDER BY variant) AS variants, array_agg(route ORDER BY variant) AS routes,
               array_agg(expires_on ORDER BY variant) AS expiries, array_agg(cases ORDER BY variant) AS cases
"""


async def write_history(tx: Transaction) -> None:
    """Keeps now, and not only at its end, what this transaction has changed in the directory so far."""
    await tx.execute(
        "SET CONSTRAINTS therapists_keep_history IMMEDIATE; SET CONSTRAINTS therapists_keep_history DEFERRED"
    )


@dataclass(frozen=True, slots=True)
class Change:
    """An entry that is not as the directory has it, and how that has it, if it does."""

    entry: Therapist
    before: Therapist | None


async def write_entries(tx: Transaction, changes: Sequence[Change]) -> None:
    """Adds entries or brings them up to date; taken seats stay taken."""
    await tx.executemany(
        """
        INSERT INTO therapists (id, name, email, gender, outcode, modes, formats, age_groups, languages,
                                fee_pence, slots, problem_areas, conditions, approaches, affirming,
                                confirmed_on, seats_offered, free_from, outcome_cases, outcome_change,
                                imported_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                $21, $21)
        ON CONFLICT (id) DO UPDATE SET
            name = excluded.name, email = excluded.email, gender = excluded.gender,
            outcode = excluded.outcode, modes = excluded.modes, formats = excluded.formats,
            age_groups = excluded.age_groups, languages = excluded.languages,
            fee_pence = excluded.fee_pence, slots = excluded.slots,
            problem_areas = excluded.problem_areas, conditions = excluded.conditions,
            approaches = excluded.approaches, affirming = excluded.affirming,
            confirmed_on = GREATEST(therapists.confirmed_on, excluded.confirmed_on),
            seats_offered = excluded.seats_offered, free_from = excluded.free_from,
            outcome_cases = excluded.outcome_cases, outcome_change = excluded.outcome_change,
            updated_at = excluded.updated_at
        """,
        [_values(each.entry, tx.now) for each in changes],
    )
    # Each credential that is written anew has its whole entry looked at again.
    registered = [
        each for each in changes if not each.before or each.before.registration != each.entry.registration
    ]
    accredited = [
        each for each in changes if not each.before or each.before.accreditations != each.entry.accreditations
    ]
    await tx.execute(
        "DELETE FROM registrations WHERE therapist_id = ANY($1)", [each.entry.id for each in registered]
    )
    await tx.executemany(
        "INSERT INTO registrations (therapist_id, body, number, expires_on) VALUES ($1, $2, $3, $4)",
        [
            (each.entry.id, held.body, held.number, held.expires_on)
            for each in registered
            if (held := each.entry.registration) is not None
        ],
    )
    await tx.execute(
        "DELETE FROM accreditations WHERE therapist_id = ANY($1)", [each.entry.id for each in accredited]
    )
    await tx.executemany(
        """
        INSERT INTO accreditations (therapist_id, variant, route, expires_on, cases)
        VALUES ($1, $2, $3, $4, $5)
        """,
        [
            (each.entry.id, held.variant, held.route, held.expires_on, held.cases)
            for each in accredited
            for held in each.entry.accreditations
        ],
    )
    # Else an import of many would be held up at its very end.
    await write_history(tx)


def _values(therapist: Therapist, now: datetime) -> tuple[object, ...]:
    return (
        therapist.id,
        therapist.name,
        therapist.email,
        therapist.gender,
        therapist.outcode,
        sorted(therapist.modes),
        sorted(therapist.formats),
        sorted(therapist.age_groups),
        sorted(therapist.languages),
        therapist.fee_pence,
        sorted(therapist.slots),
        sorted(therapist.problem_areas),
        sorted(therapist.conditions),
        sorted(therapist.approaches),
        sorted(therapist.affirming),
        therapist.confirmed_on,
        therapist.seats_offered,
        therapist.free_from,
        None if therapist.outcomes is None else therapist.outcomes.cases,
        None if therapist.outcomes is None else therapist.outcomes.change,
        now,
    )


def therapist_of(row: asyncpg.Record) -> Therapist:
    """An entry from a row of `COLUMNS`."""
    return Therapist(
        id=TherapistId(row["id"]),
        name=row["name"],
        email=row["email"],
        gender=Gender(row["gender"]),
        outcode=row["outcode"],
        modes=frozenset(map(Mode, row["modes"])),
        formats=frozenset(map(Format, row["formats"])),
        age_groups=frozenset(map(AgeGroup, row["age_groups"])),
        languages=frozenset(row["languages"]),
        fee_pence=row["fee_pence"],
        seats_offered=row["seats_offered"],
        seats_free=row["seats_free"],
        slots=frozenset(map(Slot, row["slots"])),
        problem_areas=frozenset(map(ProblemArea, row["problem_areas"])),
        conditions=frozenset(map(Condition, row["conditions"])),
        approaches=frozenset(map(Approach, row["approaches"])),
        affirming=frozenset(map(PreferenceAbout, row["affirming"])),
        registration=None
        if row["body"] is None
        else Registration(Body(row["body"]), row["number"], row["expires_on"]),
        accreditations=_accreditations(row),
        confirmed_on=row["confirmed_on"],
        free_from=row["free_from"],
        outcomes=None
        if row["outcome_cases"] is None
        else Outcomes(row["outcome_cases"], row["outcome_change"]),
    )


def _accreditations(row: asyncpg.Record) -> tuple[Accreditation, ...]:
    columns: list[list[Any]] = [row[name] or [] for name in ("variants", "routes", "expiries", "cases")]
    held = {
        Variant(variant): Accreditation(Variant(variant), Route(route), expires_on, cases)
        for variant, route, expires_on, cases in zip(*columns, strict=True)
    }
    return tuple(held[variant] for variant in Variant if variant in held)
