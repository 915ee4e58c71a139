"""The service's own table: how soon the engine is built from it, and sees that a seat was taken."""

import statistics
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

import asyncpg

from services.matching.domain.gates import Search
from services.matching.domain.ranking import Rules
from services.matching.domain.therapist import Therapist
from services.matching.store import DirectoryInMemory
from services.matching.store.in_memory import CHANGED, take_up
from shared.kit import migrating
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.keyring.sealing import Keys
from tests.benchmarks.matching.population import THE_DAY

MICRO = 1e6
NOW = datetime(THE_DAY.year, THE_DAY.month, THE_DAY.day, 9, tzinfo=UTC)
_SAME = [
    "id",
    "name",
    "email",
    "gender",
    "outcode",
    "fee_pence",
    "confirmed_on",
    "seats_offered",
    "free_from",
]
_LISTS = [
    "modes",
    "formats",
    "age_groups",
    "languages",
    "slots",
    "problem_areas",
    "conditions",
    "approaches",
    "affirming",
]


class Table(NamedTuple):
    """What was measured."""

    rebuild_s: float
    change_us: float
    """Taking up a changed row."""

    seen_us: float
    """The same until the next search has seen it, less the search."""


async def measure(url: str, therapists: list[Therapist], searches: list[Search], rules: Rules) -> Table:
    """Fills the table, builds the engine from it, and takes a seat again and again."""
    await migrating.migrate(url, migrating.of_service("matching"))
    async with asyncpg.create_pool(url, min_size=1, max_size=2) as pool:
        await _fill(pool, therapists)
        # Nothing is sealed here.
        database = Database(pool, service="matching", keys=cast(Keys, None), clock=MovableClock(NOW))
        directory = DirectoryInMemory(rules)
        async with database.transaction() as tx:
            began = time.perf_counter()
            async with directory.current(tx) as engine:
                took = time.perf_counter() - began
            sight = directory.sight.snapshot
        # One that names others, as most do.
        naming = (each for each in searches if each.excluded or each.spoken_for)
        search = next(each for each in naming if len(engine.best(each, 2)) == 2)
        first = engine.best(search, 1)[0].therapist_id
        rows = []
        for taken in ("seats_offered", "seats_taken - 1"):
            async with database.transaction() as tx:
                await tx.execute(f"UPDATE therapists SET seats_taken = {taken} WHERE id = $1", first)  # noqa: S608
            async with database.transaction() as tx:
                rows.append(await tx.fetch(CHANGED, sight, []))
            assert [row["seats_only"] for row in rows[-1]] == [True]

        changes, seen, searched = [], [], []
        for _ in range(500):
            for free, row in enumerate(rows):
                began = time.perf_counter()
                take_up(engine, row)
                changed = time.perf_counter()
                placed = engine.best(search, 1)
                found = time.perf_counter()
                assert not (free == 0 and placed[0].therapist_id == first)
                engine.best(search, 1)
                changes.append(changed - began)
                seen.append(found - began)
                searched.append(time.perf_counter() - found)
        middle = statistics.median
        return Table(took, middle(changes) * MICRO, max(0.0, middle(seen) - middle(searched)) * MICRO)


async def _fill(pool: asyncpg.Pool, therapists: list[Therapist]) -> None:
    async with pool.acquire() as connection:
        # What is kept of changes for the record is no part of what is measured.
        await connection.execute("ALTER TABLE therapists DISABLE TRIGGER USER")
        for table in ("registrations", "accreditations"):
            await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for table, columns, records in _tables(therapists):
            await connection.copy_records_to_table(table, columns=columns, records=records)
        await connection.execute("ALTER TABLE therapists ENABLE TRIGGER USER")
        await connection.execute("VACUUM ANALYZE")


def _tables(therapists: list[Therapist]) -> Iterator[tuple[str, list[str], Iterable[tuple[Any, ...]]]]:
    columns = [*_SAME, "seats_taken", *_LISTS, "outcome_cases", "outcome_change", "imported_at", "updated_at"]
    yield (
        "therapists",
        columns,
        (
            (
                *(getattr(each, name) for name in _SAME),
                each.seats_offered - each.seats_free,
                *(sorted(getattr(each, name)) for name in _LISTS),
                *((None, None) if each.outcomes is None else (each.outcomes.cases, each.outcomes.change)),
                NOW,
                NOW,
            )
            for each in therapists
        ),
    )
    yield (
        "registrations",
        ["therapist_id", "body", "number", "expires_on"],
        (
            (each.id, held.body, held.number, held.expires_on)
            for each in therapists
            if (held := each.registration) is not None
        ),
    )
    yield (
        "accreditations",
        ["therapist_id", "variant", "route", "expires_on", "cases"],
        (
            (each.id, held.variant, held.route, held.expires_on, held.cases)
            for each in therapists
            for held in each.accreditations
        ),
    )
