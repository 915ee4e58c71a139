"""What others were last told of the directory, and which entries may have changed since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from shared.contract.ids import TherapistId
from shared.contract.matching import DirectoryEntry
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Untold:
    """An entry that may not be as others know it."""

    id: TherapistId
    changed_by: str | None
    """By which transaction, at least; None once it has gone."""


async def telling_due(tx: Transaction, since: datetime) -> bool:
    """Whether others were not told since then; until there is anything to know, they may be at any time."""
    due = await tx.fetchval(
        """
        SELECT NOT EXISTS (SELECT FROM tellings WHERE told_at >= $1)
            OR NOT EXISTS (SELECT FROM told_entries)
        """,
        since,
    )
    return bool(due)


async def note_telling(tx: Transaction) -> None:
    """Keeps that others were told now, though it be nothing new: what comes after waits for the next time."""
    await tx.execute(
        """
        INSERT INTO tellings (told_at) SELECT $1 WHERE EXISTS (SELECT FROM told_entries)
        ON CONFLICT DO NOTHING
        """,
        tx.now,
    )


async def gone_untold(tx: Transaction) -> list[Untold]:
    """Whoever has gone from the directory and others do not know it, by id."""
    rows = await tx.fetch(
        """
        SELECT therapist_id FROM told_entries told
        WHERE NOT EXISTS (SELECT FROM therapists t WHERE t.id = told.therapist_id)
        ORDER BY 1
        """
    )
    return [Untold(TherapistId(row["therapist_id"]), None) for row in rows]


async def untold(tx: Transaction) -> list[Untold]:
    """All entries that others may not know as they are, by id."""
    rows = await tx.fetch(
        """
        SELECT coalesce(t.id, told.therapist_id) AS id, t.changed_by::text
        FROM therapists t FULL JOIN told_entries told ON told.therapist_id = t.id
        WHERE t.changed_by IS DISTINCT FROM told.changed_by
        ORDER BY 1
        """
    )
    return [Untold(TherapistId(row["id"]), row["changed_by"]) for row in rows]


async def entries_told(tx: Transaction, ids: Sequence[UUID]) -> dict[TherapistId, DirectoryEntry]:
    """What others know of these."""
    rows = await tx.fetch("SELECT therapist_id, entry FROM told_entries WHERE therapist_id = ANY($1)", ids)
    known = {}
    for row in rows:
        try:
            known[TherapistId(row["therapist_id"])] = DirectoryEntry.model_validate_json(row["entry"])
        except ValidationError:
            # Another build's: told anew, as if it were not known.
            continue
    return known


async def seats_told(tx: Transaction, ids: Sequence[UUID]) -> dict[TherapistId, bool]:
    """Whether each has a seat free, as far as others know."""
    rows = await tx.fetch(
        """
        SELECT therapist_id, (entry ->> 'has_seat')::boolean AS has_seat FROM told_entries
        WHERE therapist_id = ANY($1)
        """,
        ids,
    )
    return {TherapistId(row["therapist_id"]): row["has_seat"] for row in rows}


async def note_told(tx: Transaction, now: Sequence[tuple[Untold, DirectoryEntry | None]]) -> None:
    """Keeps what others know of these from now on; None for who has gone."""
    await tx.executemany(
        """
        INSERT INTO told_entries (therapist_id, entry, changed_by) VALUES ($1, $2, $3::text::xid8)
        ON CONFLICT (therapist_id) DO UPDATE SET entry = excluded.entry, changed_by = excluded.changed_by
        """,
        [(each.id, entry.model_dump_json(), each.changed_by) for each, entry in now if entry is not None],
    )
    gone = [each.id for each, entry in now if entry is None]
    await tx.execute("DELETE FROM told_entries WHERE therapist_id = ANY($1)", gone)
