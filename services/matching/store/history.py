"""The directory as it was: every change to it is kept, and each ranking says which of them it had seen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from services.matching.domain.engine import Engine, entry_of
from services.matching.domain.ranking import Rules
from services.matching.domain.therapist import Therapist
from services.matching.store.directory import lock_directory
from services.matching.store.entries import COLUMNS, HELD, therapist_of, write_history
from services.matching.store.prices import prices_of
from shared.contract.ids import TherapistId
from shared.kit.transaction import Transaction

AT_ONCE = 500
"""So many entries are read together: the loop turns in between."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Which changes a transaction had seen at one moment."""

    snapshot: str
    """What others had committed, as PostgreSQL says it."""

    own: str
    own_to: int
    """Of its own changes those up to this row of the history."""

    era: int = 1
    """How often the database had moved to another server, where transactions are numbered anew."""

    prices: int | None = None
    """The version of the prices, if there were any."""


_NOTHING = Sight("1:1:", "0", 0)

SIGHT = """
    SELECT pg_current_snapshot()::text AS snapshot, pg_current_xact_id()::text AS own,
           coalesce((SELECT max(id) FROM therapist_history), 0) AS own_to, current_era() AS era
"""

# Whatever lies between two sights: all before was seen from both, all after from neither.
_BETWEEN = """
    WITH span AS (
        SELECT least(pg_snapshot_xmin(one), pg_snapshot_xmin(other)) AS low,
               greatest(pg_snapshot_xmax(one), pg_snapshot_xmax(other)) AS high
        FROM (VALUES ($1::text::pg_snapshot, $2::text::pg_snapshot)) AS sights (one, other)
    )
    SELECT DISTINCT therapist_id FROM therapist_history, span
    WHERE era = $4 AND changed_by >= span.low AND (changed_by < span.high OR changed_by::text = ANY($3))
    ORDER BY therapist_id
"""

_AS_SEEN = f"""
    SELECT {COLUMNS}
    FROM unnest($1::uuid[]) AS wanted (id)
    CROSS JOIN LATERAL (
        SELECT entry FROM therapist_history
        WHERE therapist_id = wanted.id AND era = $5
        AND CASE WHEN changed_by = $3::text::xid8 THEN id <= $4
                 ELSE pg_visible_in_snapshot(changed_by, $2::text::pg_snapshot) END
        ORDER BY id DESC LIMIT 1
    ) seen
    CROSS JOIN LATERAL jsonb_populate_record(NULL::therapists, seen.entry) t
    LEFT JOIN LATERAL jsonb_populate_record(
        NULL::registrations, nullif(seen.entry -> 'registration', 'null')
    ) r ON true
    CROSS JOIN LATERAL (
        {HELD} FROM jsonb_populate_recordset(NULL::accreditations, seen.entry -> 'accreditations')
    ) a
    WHERE t.id IS NOT NULL
"""  # noqa: S608 - our own words


# What is seen was committed, and so has a lower number than whatever comes next; or was numbered elsewhere.
_MOVED = """
    SELECT EXISTS (SELECT FROM therapists WHERE changed_by >= pg_snapshot_xmax(pg_current_snapshot()))
        OR EXISTS (
            SELECT FROM therapist_history
            WHERE era = current_era() AND changed_by >= pg_snapshot_xmax(pg_current_snapshot())
        )
"""


async def unchanged_since(tx: Transaction, sight: Sight, ids: Sequence[UUID]) -> bool:
    """Whether nobody else has changed or removed these entries meanwhile."""
    changed = await tx.fetchval(
        """
        SELECT 1 FROM unnest($1::uuid[]) AS seen (id) LEFT JOIN therapists t ON t.id = seen.id
        WHERE t.id IS NULL OR (
            t.changed_by <> $2::text::xid8
            AND NOT pg_visible_in_snapshot(t.changed_by, $3::text::pg_snapshot)
        )
        LIMIT 1
        """,
        ids,
        sight.own,
        sight.snapshot,
    )
    return changed is None


async def begin_era_if_moved(tx: Transaction) -> bool:
    """Begins an era if this database was restored into a server that numbers transactions lower."""
    if not await tx.fetchval(_MOVED):
        return False
    # Whoever else has noticed waits here, and then finds it done.
    await lock_directory(tx)
    if not await tx.fetchval(_MOVED):
        return False
    await tx.execute("INSERT INTO eras DEFAULT VALUES")
    # What was imported since the move is numbered here already.
    await tx.execute(
        """
        UPDATE therapist_history SET era = current_era() WHERE id > (
            SELECT max(id) FROM therapist_history
            WHERE changed_by >= pg_snapshot_xmax(pg_current_snapshot())
        )
        """
    )
    await tx.execute("UPDATE therapists SET updated_at = updated_at")
    # What open proposals and groups had seen is numbered elsewhere, too: they are looked at in any case.
    await tx.execute("UPDATE proposals SET looked_on = NULL, seen = NULL WHERE looked_on IS NOT NULL")
    await tx.execute("UPDATE groups SET looked_on = NULL, seen = NULL WHERE looked_on IS NOT NULL")
    await write_history(tx)
    return True


class DirectoryAsItWas:
    """Engines that stand where rankings stood, one ranking after the other."""

    def __init__(self, rules: Iterable[Rules]) -> None:
        self._rules = {each.digest: each for each in rules}
        self._engines: dict[str, Engine] = {}
        self._sight: Sight | None = None
        self._priced_by: int | None = None

    def engine(self, digest: str) -> Engine:
        """The engine of a policy, as of the last turn."""
        return self._engines[digest]

    async def turn_to(self, tx: Transaction, sight: Sight) -> None:
        """Brings the engines to what was seen then; the nearer to the last sight, the less there is to do."""
        last, self._sight = self._sight, None
        if last is None or last.era != sight.era:
            last = None
            self._priced_by = None
            self._engines = {
                digest: Engine(rules.policy, rules.places, tx.now.date())
                for digest, rules in self._rules.items()
            }
        begin = last or _NOTHING
        between = await tx.fetch(_BETWEEN, begin.snapshot, sight.snapshot, [begin.own, sight.own], sight.era)
        ids = iter([row["therapist_id"] for row in between])
        while lot := list(islice(ids, AT_ONCE)):
            seen = await entries_as_seen(tx, sight, lot)
            entries = [entry_of(therapist) for therapist in seen.values()]
            for engine in self._engines.values():
                engine.drop([each for each in lot if each not in seen])
                engine.put(entries)
        if sight.prices != self._priced_by:
            points = await prices_of(tx, sight.prices)
            for digest, engine in self._engines.items():
                if self._rules[digest].policy.prices.on:
                    engine.set_prices(points)
            self._priced_by = sight.prices
        # Only now: whoever is interrupted begins anew.
        self._sight = sight


async def entries_as_seen(tx: Transaction, sight: Sight, ids: Sequence[UUID]) -> dict[TherapistId, Therapist]:
    """Some entries as they were seen then; those that were not in the directory are left out."""
    rows = await tx.fetch(_AS_SEEN, ids, sight.snapshot, sight.own, sight.own_to, sight.era)
    return {therapist.id: therapist for therapist in map(therapist_of, rows)}


async def forget_history(tx: Transaction, most: int) -> int:
    """Forgets changes that no ranking kept has to look back to; returns how many, at most so many."""
    status = await tx.execute(
        """
        WITH settled AS (
            SELECT e.id AS era, e.id < current_era() AND min(pg_snapshot_xmin(k.snapshot)) IS NULL AS over,
                   coalesce(
                       min(pg_snapshot_xmin(k.snapshot)), pg_snapshot_xmin(pg_current_snapshot())
                   ) AS below
            FROM eras e LEFT JOIN rankings k ON k.era = e.id GROUP BY e.id
        )
        DELETE FROM therapist_history WHERE id IN (
            SELECT old.id FROM therapist_history old JOIN settled ON settled.era = old.era
            WHERE settled.over OR EXISTS (
                SELECT FROM therapist_history newer
                WHERE newer.therapist_id = old.therapist_id AND newer.era = old.era AND newer.id > old.id
                AND newer.changed_by < settled.below
            )
            LIMIT $1
        )
        """,
        most,
    )
    return int(status.rpartition(" ")[2])
