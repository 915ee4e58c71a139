"""The directory of therapists as it is kept."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.matching.domain.therapist import AgeGroup, Therapist
from services.matching.store.entries import COLUMNS, HELD, Change, therapist_of, write_entries
from shared.contract.ids import TherapistId
from shared.contract.vocabulary import Format, Mode, Variant
from shared.kit.transaction import Transaction

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
    """Lets no seat be taken and nobody else write an entry until this transaction ends."""
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
    """Adds an entry or brings it up to date; returns it as it is now: taken seats stay taken."""
    await lock_entry(tx, therapist.id)
    await save_therapists(tx, [therapist], undated)
    [saved] = (await find_therapists(tx, [therapist.id])).values()
    return saved


async def save_therapists(
    tx: Transaction, therapists: Sequence[Therapist], undated: Collection[TherapistId] = ()
) -> None:
    """Adds entries or brings them up to date; they, or the whole directory, must be locked."""
    await write_changes(tx, await changes(tx, therapists, undated))


async def changes(
    tx: Transaction, therapists: Sequence[Therapist], undated: Collection[TherapistId] = ()
) -> list[Change]:
    """Which of these are not as the directory has them.

    Sending what is known already confirms nothing: who is `undated` and as they were keeps their day.
    """
    before = await find_therapists(tx, [each.id for each in therapists])
    found = []
    for each in therapists:
        known = before.get(each.id)
        entry = _dated(each, known) if each.id in undated else each
        if known is None or entry.facts != known.facts or entry.confirmed_on > known.confirmed_on:
            found.append(Change(entry, known))
    return found


async def write_changes(tx: Transaction, changes: Sequence[Change]) -> None:
    """Writes what has changed; what was found has to be locked, and so still."""
    await write_entries(tx, changes)
    await _count_seats(tx, [each.entry.id for each in changes if each.before is None])


async def changed_since(tx: Transaction, ids: Sequence[UUID], seen: str) -> list[TherapistId]:
    """Which of these entries somebody has added, changed or removed whose transaction was not seen then."""
    rows = await tx.fetch(
        """
        SELECT id FROM therapists
        WHERE id = ANY($1) AND NOT pg_visible_in_snapshot(changed_by, $2::text::pg_snapshot)
        UNION
        SELECT therapist_id FROM therapist_history
        WHERE therapist_id = ANY($1) AND entry IS NULL AND era = current_era()
            AND NOT pg_visible_in_snapshot(changed_by, $2::text::pg_snapshot)
        """,
        ids,
        seen,
    )
    return [TherapistId(row["id"]) for row in rows]


def _dated(therapist: Therapist, before: Therapist | None) -> Therapist:
    if before is None or before.facts != therapist.facts:
        return therapist
    return replace(therapist, confirmed_on=before.confirmed_on)


async def _count_seats(tx: Transaction, new: Sequence[UUID]) -> None:
    """Whoever comes back after they were removed may have clients still."""
    await tx.execute(
        """
        UPDATE therapists SET seats_taken = held.seats
        FROM (
            SELECT therapist_id, count(*) AS seats
            FROM (
                SELECT therapist_id FROM seats WHERE freed_at IS NULL AND therapist_id = ANY($1)
                UNION ALL
                SELECT therapist_id FROM groups WHERE state <> 'dissolved' AND therapist_id = ANY($1)
            ) each_held
            GROUP BY therapist_id
        ) held
        WHERE therapists.id = held.therapist_id
        """,
        new,
    )
