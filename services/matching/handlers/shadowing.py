"""Tries a policy beside the live one: makes every ranking again under it, from the record, and compares."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from math import nan
from typing import Any

import asyncpg
from prometheus_client import CollectorRegistry, Counter, Gauge
from pydantic import TypeAdapter, ValidationError

from services.matching import store
from services.matching.domain.comparing import KINDS, Book, Comparison, totals_so_far
from services.matching.domain.ranking import Rules
from services.matching.handlers.replaying import Replay
from shared.ages import day_in_london
from shared.contract.sealing import Purpose
from shared.kit import logs
from shared.kit.database import Database
from shared.kit.service import Service, Worker
from shared.kit.transaction import Transaction

AT_ONCE = 20
READ_AT_ONCE = 500
ERASED, DIFFERS, UNREADABLE = "erased", "differs from the record", "kept by another build"
GROUPS_UNKNOWN = "groups not on record"

_COMPARISON = TypeAdapter(Comparison)
_AWAY = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError, TimeoutError)


class ShadowMetrics:
    """What is measured of the comparison, in the service's registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.rankings = Gauge(
            "attune_shadow_rankings", "Rankings told of, by who came first", ["first"], registry=registry
        )
        self.faults = Counter(
            "attune_shadow_faults", "Rankings that could not be compared", ["fault"], registry=registry
        )
        self.behind = Gauge("attune_shadow_behind", "Rankings still to be compared", registry=registry)
        self.means = {
            name: Gauge(f"attune_shadow_{name}", text, registry=registry)
            for name, text in {
                "overlap": "Mean share of the lists in common",
                "value_change": "Mean change of the first's value, on the live policy's scale",
                "unmet_change": "Mean change of the wishes that the first does not meet",
                "km_change": "Mean change of the distance to the first",
            }.items()
        }
        for mean in self.means.values():
            mean.set(nan)


class Shadow:
    """The comparison of one policy with the live one."""

    def __init__(self, live: Rules, shadow: Rules, book: Book) -> None:
        self._live = live
        self._shadow = shadow
        self._book = book
        self._replay = Replay({live.digest: live}, shadow)
        self._since = "0"

    @property
    def smallest_group(self) -> int:
        """Of fewer people nothing is told."""
        return self._live.policy.smallest_group

    async def begin(self, database: Database) -> None:
        """From the first time on that a policy is tried, rankings are compared with it."""
        async with database.transaction() as tx:
            await store.keep_policy(tx, self._live)
            await store.keep_policy(tx, self._shadow)

    async def follow(self, database: Database, metrics: ShadowMetrics | None = None) -> int:
        """Makes the next rankings again; returns how many. What cannot be compared is counted and passed."""
        async with database.transaction() as tx:
            if not await store.lead_shadow(tx):
                return 0
            live, shadow = self._live.digest, self._shadow.digest
            rankings = await store.rankings_to_shadow(tx, live, shadow, self._since, AT_ONCE)
            for ranking in rankings:
                found = await self._compared(tx, ranking)
                fault = found if isinstance(found, str) else None
                sealed = None
                if isinstance(found, Comparison) and ranking.subject_id is not None:
                    plain = _COMPARISON.dump_json(found)
                    sealed = await tx.seal(ranking.subject_id, Purpose.CLINICAL, plain)
                await store.add_shadow(tx, self._shadow.digest, ranking, sealed, fault)
                if metrics is not None and fault is not None:
                    metrics.faults.labels(fault).inc()
        return len(rankings)

    async def read(self, database: Database) -> int:
        """Brings the book up to date with what any process has compared; returns how much was new."""
        live, shadow = self._live.digest, self._shadow.digest
        async with database.transaction() as tx:
            new = await store.shadowed(tx, live, shadow, self._book.read_to, READ_AT_ONCE)
            opened = [(each, await self._opened(tx, each)) for each in new]
            behind = await store.behind_of(tx, live, shadow, self._since)
        self._book.behind = behind.rankings
        if not behind.rankings:
            self._since = behind.oldest
        for each, found in opened:
            self._book.note(each.id, found)
        return len(new)

    async def _compared(self, tx: Transaction, ranking: store.Ranking) -> Comparison | str:
        try:
            async with tx.savepoint():
                again = await self._replay.again(tx, ranking)
        except _AWAY:
            raise
        except Exception as error:  # whatever is wrong with a policy that is only tried: nobody waits for it
            logs.logger().error("the shadow policy failed", ranking_id=ranking.id, **logs.fault(error))
            return type(error).__name__
        if again is None:
            return ERASED
        if not again.same:
            logs.logger().error("a ranking made again differs from the record", ranking_id=ranking.id)
            return DIFFERS
        return again.comparison if again.groups_known else GROUPS_UNKNOWN

    async def _opened(self, tx: Transaction, each: store.Shadowed) -> Comparison | str:
        if each.comparison is None:
            return each.fault or ERASED
        plain = await tx.open(each.comparison)
        try:
            return ERASED if plain is None else _COMPARISON.validate_json(plain)
        except ValidationError:
            return UNREADABLE


def shadow_worker(shadow: Shadow, book: Book, poll_seconds: float) -> Worker:
    """A worker that compares for as long as the service runs; whatever befalls it, the service goes on."""

    async def compare_with_shadow(service: Service) -> None:
        metrics = ShadowMetrics(service.metrics)
        begun = False
        read_on: date | None = None
        while True:
            try:
                if not begun:
                    await shadow.begin(service.database)
                    begun = True
                today = day_in_london(service.clock.now())
                if today != read_on:
                    # Read anew each day: what was erased or has grown too old is in the table no more.
                    book.clear()
                    read_on = today
                compared = await shadow.follow(service.database, metrics)
                read = await shadow.read(service.database)
                metrics.behind.set(book.behind)
                if read or compared:
                    await asyncio.to_thread(measure, metrics, list(book.comparisons), shadow.smallest_group)
                    continue
            except Exception as error:
                logs.logger().warning("not compared with the shadow policy", **logs.fault(error))
                metrics.faults.labels(type(error).__name__).inc()
            await asyncio.sleep(poll_seconds)

    return compare_with_shadow


def measure(metrics: ShadowMetrics, comparisons: Sequence[Comparison], fewest: int) -> None:
    """Measures what the page tells: every figure in steps of people, and none of few."""
    told: Mapping[str, Any] = totals_so_far(comparisons, fewest) or dict.fromkeys(KINDS.values(), 0)
    for kind, name in KINDS.items():
        metrics.rankings.labels(kind).set(_measured(told[name]))
    for name, mean in metrics.means.items():
        mean.set(_measured(told.get(name)))


def _measured(figure: float | str | None) -> float:
    """A figure, or none where there is none or it is kept back."""
    return nan if figure is None or isinstance(figure, str) else figure
