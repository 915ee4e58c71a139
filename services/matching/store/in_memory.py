"""The directory in memory, kept in step with the table, whoever changes it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import asyncpg

from services.matching.domain.engine import Engine, Entry
from services.matching.domain.ranking import Rules
from services.matching.store.entries import write_history
from services.matching.store.history import SIGHT, Sight
from services.matching.store.prices import newest_price_version, newest_prices
from shared.kit.transaction import Transaction

AT_ONCE = 10_000

# Days count from 2000 and lie within what the engine's columns hold.
_SELECT = """
    SELECT t.id, t.outcode,
           array_to_string(t.modes, ' ') AS modes,
           array_to_string(t.formats, ' ') AS formats,
           array_to_string(t.age_groups, ' ') AS age_groups,
           array_to_string(t.languages, ' ') AS languages,
           array_to_string(t.gender || t.approaches || t.affirming, ' ') AS traits,
           array_to_string(t.slots, ' ') AS slots,
           array_to_string(t.problem_areas, ' ') AS problem_areas,
           array_to_string(t.conditions, ' ') AS conditions,
           t.fee_pence, t.seats_offered, t.seats_free,
           CASE WHEN r.expires_on IS NULL THEN 0
                ELSE greatest(1, least(65535, r.expires_on - DATE '2000-01-01')) END AS registered_until,
           greatest(1, least(65535, t.confirmed_on - DATE '2000-01-01')) AS confirmed,
           coalesce(a.held, '') AS accreditations,
           CASE WHEN t.free_from IS NULL THEN 0
                ELSE greatest(1, least(65535, t.free_from - DATE '2000-01-01')) END AS free_from,
           coalesce(t.outcome_cases, 0) AS outcome_cases, coalesce(t.outcome_change, 0) AS outcome_change,
           t.facts_changed_by,
           t.changed_by IS NOT DISTINCT FROM pg_current_xact_id_if_assigned() AS changed_here
    FROM therapists t
    LEFT JOIN registrations r ON r.therapist_id = t.id
    LEFT JOIN LATERAL (
        SELECT string_agg(
            variant || ':' || route || ':'
            || greatest(1, least(65535, expires_on - DATE '2000-01-01')) || ':' || cases, ' '
        ) AS held
        FROM accreditations WHERE therapist_id = t.id
    ) a ON true
"""

# In one statement, so that the sight is that of the rows; with it alone if nothing has changed.
CHANGED = f"""
    WITH sight AS MATERIALIZED ({SIGHT})
    SELECT changed.*, sight.snapshot, sight.own, sight.own_to, sight.era,
           ARRAY(
               SELECT therapist_id FROM therapist_history
               WHERE entry IS NULL AND era = current_era()
                   AND changed_by >= pg_snapshot_xmin($1::text::pg_snapshot)
           ) AS removed,
           changed.facts_changed_by < pg_snapshot_xmin($1::text::pg_snapshot)
               AND changed.id <> ALL($2) AS seats_only
    FROM sight LEFT JOIN (
        {_SELECT} WHERE t.changed_by >= pg_snapshot_xmin($1::text::pg_snapshot) OR t.id = ANY($2)
    ) changed ON true
"""  # noqa: S608 - our own words


class DirectoryInMemory:
    """The engine, brought up to date by every transaction that asks it."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._engine: Engine | None = None
        self._turn = asyncio.Lock()
        self._sight: Sight | None = None
        self._unsure: list[UUID] = []
        self._priced_by: int | None = None

    @property
    def sight(self) -> Sight:
        """What the engine has seen; to be asked while it is held."""
        assert self._sight is not None  # noqa: S101 - nobody holds an engine that has seen nothing
        return self._sight

    @asynccontextmanager
    async def current(self, tx: Transaction) -> AsyncIterator[Engine]:
        """The engine as this transaction sees the table, to be asked without waiting for anything else."""
        async with self._turn:
            # So that a ranking made again finds what this transaction has changed before it.
            await write_history(tx)
            if self._engine is None:
                self._engine = await self._load(tx)
            await self._catch_up(self._engine, tx)
            if self._rules.policy.prices.on:
                await self._take_prices(self._engine, tx)
            yield self._engine

    async def _load(self, tx: Transaction) -> Engine:
        # Read before the rows are: whoever is still at work now is looked at again in a moment.
        self._sight = _sight(await tx.fetchrow(SIGHT))
        engine = Engine(self._rules.policy, self._rules.places, tx.now.date())
        engine.expect(await tx.fetchval("SELECT count(*) FROM therapists"))
        # Rows as they lie: to read them in order takes half as long again.
        cursor = await tx.connection.cursor(_SELECT)
        while rows := await cursor.fetch(AT_ONCE):
            engine.put([entry_in(row) for row in rows])
            self._doubt(rows)
        return engine

    async def _catch_up(self, engine: Engine, tx: Transaction) -> None:
        unsure, self._unsure = self._unsure, []
        try:
            found = await tx.fetch(CHANGED, self.sight.snapshot, unsure)
        except BaseException:
            self._unsure = unsure
            raise
        rows = [row for row in found if row["id"] is not None]
        # What was added and then undone is in no table any more, nor is who was removed.
        removed = found[0]["removed"]
        engine.drop({*unsure, *removed} - {row["id"] for row in rows})
        take_up(engine, rows)
        self._doubt(rows)
        # That may be undone as well, and is looked at again for as long as it is new.
        self._unsure += removed
        self._sight = _sight(found[0])

    async def _take_prices(self, engine: Engine, tx: Transaction) -> None:
        if await newest_price_version(tx) != self._priced_by:
            newest = await newest_prices(tx)
            engine.set_prices(newest.points if newest else {})
            self._priced_by = newest.version if newest else None
        self._sight = replace(self.sight, prices=self._priced_by)

    def _doubt(self, rows: Sequence[asyncpg.Record]) -> None:
        # This transaction may still be undone, and then nothing in the table would say so.
        self._unsure += [row["id"] for row in rows if row["changed_here"]]


def take_up(engine: Engine, rows: Sequence[asyncpg.Record]) -> None:
    """Brings an engine up to date with rows that have changed; where seats alone did, with those alone."""
    entries = []
    for row in rows:
        if row["seats_only"]:
            engine.set_seats(row["id"], row["seats_free"])
        else:
            entries.append(entry_in(row))
    if entries:
        engine.put(entries)


def entry_in(row: asyncpg.Record) -> Entry:
    """The entry that a row of the directory begins with."""
    return Entry._make(row[: len(Entry._fields)])


def _sight(row: asyncpg.Record | None) -> Sight:
    assert row is not None  # noqa: S101 - a row without FROM
    return Sight(row["snapshot"], row["own"], row["own_to"], row["era"])
