"""The directory of therapists as it is kept."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.matching.domain.directory_feed import news, seats_changed
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
_SELECT = f"""
    SELECT {COLUMNS}
    FROM therapists t
    LEFT JOIN registrations r ON r.therapist_id = t.id
    LEFT JOIN LATERAL ({HELD} FROM accreditations WHERE therapist_id = t.id) a ON true
"""  # noqa: S608 - our own words

_WHERE_WANTED = """
    WHERE ($1::uuid IS NULL OR t.id > $1)
    AND ($2::text IS NULL OR EXISTS (
        SELECT 1 FROM accreditations held WHERE held.therapist_id = t.id AND held.variant = $2
    ))
    AND ($3::text IS NULL OR $3 = ANY(t.modes))
    AND ($4::text IS NULL OR $4 = ANY(t.formats))
    AND ($5::text IS NULL OR $5 = ANY(t.age_groups))
    AND ($6::text IS NULL OR $6 = ANY(t.languages))
    AND ($7::text IS NULL OR t.outcode = $7)
"""


async def lock_directory(tx: Transaction) -> None:
    """Lets no seat be taken and no other import begin until this transaction ends."""
    await tx.execute("LOCK TABLE therapists IN SHARE ROW EXCLUSIVE MODE")


async def lock_entry(tx: Transaction, therapist_id: UUID) -> None:
    """Lets nobody else change or add this entry, its seats or groups until this transaction ends."""
    # First behind an import: who waited for one with a row in hand would make it wait in turn.
    await tx.execute("LOCK TABLE therapists IN ROW EXCLUSIVE MODE")
    if await _lock_row(tx, therapist_id):
        return
    # An entry that is still to come has no row that could be locked. Only then, and never with a row in hand:
    # whoever has this lock may go on to wait for the row.
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))", str(therapist_id))
    await _lock_row(tx, therapist_id)


async def _lock_row(tx: Transaction, therapist_id: UUID) -> bool:
    there = await tx.fetchval("SELECT true FROM therapists WHERE id = $1 FOR NO KEY UPDATE", therapist_id)
    return there is not None


async def write_history(tx: Transaction) -> None:
    """Keeps now, and not only at its end, what this transaction has changed in the directory so far."""
    await tx.execute(
        "SET CONSTRAINTS therapists_keep_history IMMEDIATE; SET CONSTRAINTS therapists_keep_history DEFERRED"
    )


async def therapists(tx: Transaction) -> list[Therapist]:
    """The whole directory, by id."""
    return [therapist_of(row) for row in await tx.fetch(f"{_SELECT} ORDER BY t.id")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are asked for; None leaves them all in."""

    after: UUID | None = None
    variant: Variant | None = None
    mode: Mode | None = None
    format: Format | None = None
    age_group: AgeGroup | None = None
    language: str | None = None
    outcode: str | None = None


async def page_of_therapists(tx: Transaction, wanted: Wanted, limit: int) -> list[Therapist]:
    """The next entries by id that are wanted."""
    rows = await tx.fetch(
        f"{_SELECT} {_WHERE_WANTED} ORDER BY t.id LIMIT $8",
        wanted.after,
        wanted.variant,
        wanted.mode,
        wanted.format,
        wanted.age_group,
        wanted.language,
        wanted.outcode,
        limit,
    )
    return [therapist_of(row) for row in rows]


async def find_therapist(tx: Transaction, therapist_id: UUID) -> Therapist | None:
    """One entry."""
    row = await tx.fetchrow(f"{_SELECT} WHERE t.id = $1", therapist_id)
    return None if row is None else therapist_of(row)


async def find_therapists(tx: Transaction, ids: Sequence[UUID]) -> dict[TherapistId, Therapist]:
    """Some entries, by id."""
    rows = await tx.fetch(f"{_SELECT} WHERE t.id = ANY($1)", ids)
    return {therapist.id: therapist for therapist in map(therapist_of, rows)}


async def save_therapist(
    tx: Transaction, therapist: Therapist, undated: Collection[TherapistId] = ()
) -> Therapist:
    """Adds an entry or brings it up to date, and says so; returns it as it is now: taken seats stay taken."""
    await lock_entry(tx, therapist.id)
    await save_therapists(tx, [therapist], undated)
    [saved] = (await find_therapists(tx, [therapist.id])).values()
    return saved


async def save_therapists(
    tx: Transaction, therapists: Sequence[Therapist], undated: Collection[TherapistId] = ()
) -> dict[TherapistId, Therapist]:
    """Adds entries or brings them up to date, and says so; returns those there were, as they were.

    Sending what is known already confirms nothing: who is `undated` and as they were keeps their day.
    They, or the whole directory, must be locked: what is said would else not be what has changed.
    """
    ids = [each.id for each in therapists]
    before = await find_therapists(tx, ids)
    await _write(
        tx, [_dated(each, before.get(each.id)) if each.id in undated else each for each in therapists]
    )
    now = await find_therapists(tx, ids)
    said = [news(before.get(each), now[each]) for each in ids]
    await tx.publish_all([event for event in said if event is not None])
    return before


def _dated(therapist: Therapist, before: Therapist | None) -> Therapist:
    if before is None or before.facts != therapist.facts:
        return therapist
    return replace(therapist, confirmed_on=before.confirmed_on)


async def say_seats(tx: Transaction, therapist_id: UUID) -> None:
    """Says that another number of seats is free; to be called with the entry's row locked."""
    now = await find_therapist(tx, therapist_id)
    if now is not None:
        await tx.publish(seats_changed(now))


async def _write(tx: Transaction, therapists: Sequence[Therapist]) -> None:
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
        [_values(each, tx.now) for each in therapists],
    )
    ids = [each.id for each in therapists]
    await tx.execute("DELETE FROM registrations WHERE therapist_id = ANY($1)", ids)
    await tx.executemany(
        "INSERT INTO registrations (therapist_id, body, number, expires_on) VALUES ($1, $2, $3, $4)",
        [
            (each.id, held.body, held.number, held.expires_on)
            for each in therapists
            if (held := each.registration) is not None
        ],
    )
    await tx.execute("DELETE FROM accreditations WHERE therapist_id = ANY($1)", ids)
    await tx.executemany(
        """
        INSERT INTO accreditations (therapist_id, variant, route, expires_on, cases)
        VALUES ($1, $2, $3, $4, $5)
        """,
        [
            (each.id, held.variant, held.route, held.expires_on, held.cases)
            for each in therapists
            for held in each.accreditations
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
