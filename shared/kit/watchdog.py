"""Looks after a running service: measures it, tidies up, and ends it when it only seems to run."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple

import asyncpg

from shared.kit import inbox, logs
from shared.kit.consuming.progress import Progress
from shared.kit.consuming.subscribing import Subscription
from shared.kit.errors import Fatal
from shared.kit.kafka import Kafka
from shared.kit.metrics import Metrics

LOOK_SECONDS = 2.0
MEASURE_SECONDS = 10.0
FROZEN_SECONDS = 2.0
PURGE_SECONDS = 3600.0
LOOK_TIMEOUT = 10.0
SUSPICION = 0.5
"""At this share of its limits a consumer is suspected, and Kafka asked whether it is there."""

EXIT_STUCK = 70

PASSING = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Complaint(NamedTuple):
    """What is wrong with a consumer, and whether an absent Kafka would excuse it."""

    wrong: str
    excusable: bool


def complaint(progress: Progress, *, alive: bool, stuck: float, unassigned: float) -> Complaint | None:
    """What is wrong with a consumer, if anything is; pure but for the time."""
    if progress.silent_seconds > stuck:
        return Complaint(f"a handler has given no sign of life for {stuck:g} s", False)
    if not alive:
        return Complaint("its task has ended", False)
    if progress.unassigned_seconds > unassigned:
        return Complaint(f"it has been outside its group for {unassigned:g} s", True)
    if progress.unmoved_seconds > stuck:
        return Complaint(f"records have been waiting for {stuck:g} s and it does not move", True)
    if progress.unfetched_seconds > stuck:
        return Complaint(f"it has fetched nothing for {stuck:g} s", True)
    return None


class Watchdog:
    """Ends the process, so that it is started anew, when a consumer is stuck."""

    def __init__(
        self,
        *,
        subscriptions: Sequence[Subscription],
        kafka: Kafka,
        metrics: Metrics,
        stuck: float,
        unassigned: float,
        fail: Callable[[Fatal], None],
    ) -> None:
        self._subscriptions = subscriptions
        self._kafka = kafka
        self._metrics = metrics
        self._stuck = stuck
        self._unassigned = unassigned
        self._fail = fail
        self._answered_since: dict[str, float] = {}

    async def run(self) -> None:
        """Looks until cancelled."""
        pause = min(LOOK_SECONDS, self._stuck / 4)
        while True:
            begin = time.monotonic()
            await asyncio.sleep(pause)
            if time.monotonic() - begin > pause + FROZEN_SECONDS:
                for subscription in self._subscriptions:
                    subscription.consumer.progress.forgive()
            for subscription in self._subscriptions:
                await self._look(subscription)

    async def _look(self, subscription: Subscription) -> None:
        consumer = subscription.consumer
        try:
            async with asyncio.timeout(LOOK_TIMEOUT):
                lag = await subscription.look()
        except Exception as error:  # a rebalance in between, or a client that does not answer
            logs.logger().debug(
                "a consumer could not be looked at", consumer=consumer.name, **logs.fault(error)
            )
        else:
            for partition, records in lag.items():
                self._metrics.lag.labels(consumer.stream, str(partition)).set(records)
        found = self._complaint(subscription, 1)
        if found is None or found.excusable:
            if self._complaint(subscription, SUSPICION) is None:
                self._answered_since.pop(consumer.name, None)
                return
            if await self._answered_seconds(consumer.name) < self._stuck:
                return
            # It may have moved while Kafka was being asked.
            found = self._complaint(subscription, 1)
        if found is not None:
            self._fail(Fatal(f"{consumer.name} is stuck: {found.wrong}"))

    def _complaint(self, subscription: Subscription, share: float) -> Complaint | None:
        return complaint(
            subscription.consumer.progress,
            alive=subscription.alive,
            stuck=self._stuck * share,
            unassigned=self._unassigned * share,
        )

    async def _answered_seconds(self, consumer: str) -> float:
        """How long Kafka has answered without a gap while this consumer stood still.

        While Kafka is away everybody waits, and for a while after it is back; only whoever still stands then
        is stuck. One answer is not enough: the first after an outage comes before any consumer can move.
        """
        if await self._kafka.reachable():
            return time.monotonic() - self._answered_since.setdefault(consumer, time.monotonic())
        self._answered_since.pop(consumer, None)
        return 0.0


async def measure(pool: asyncpg.Pool, metrics: Metrics) -> None:
    """Keeps the gauges of the outbox and the dead letters, until cancelled."""
    while True:
        try:
            row = await pool.fetchrow(
                """
                SELECT
                    (SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT 10000) AS counted) AS depth,
                    (SELECT coalesce(extract(epoch FROM now() - created_at), 0)
                     FROM outbox ORDER BY id LIMIT 1) AS age,
                    (SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL) AS parked,
                    (SELECT count(*) FROM dead_letters WHERE status = 'open') AS dead
                """
            )
        except PASSING as error:
            logs.logger().warning("could not be measured", **logs.fault(error))
        else:
            assert row is not None  # noqa: S101 - a row without FROM
            metrics.outbox_depth.set(row["depth"])
            metrics.outbox_age.set(max(0.0, float(row["age"] or 0)))
            metrics.outbox_parked.set(row["parked"])
            metrics.dead_letters.set(row["dead"])
        await asyncio.sleep(MEASURE_SECONDS)


async def tidy(pool: asyncpg.Pool, inbox_days: int) -> None:
    """Forgets old inbox rows now and every hour, until cancelled."""
    while True:
        try:
            gone = await inbox.purge(pool, timedelta(days=inbox_days))
        except PASSING as error:
            logs.logger().info("the inbox could not be tidied", **logs.fault(error))
        else:
            logs.logger().info("the inbox was tidied", rows=gone)
        await asyncio.sleep(PURGE_SECONDS)


class LoopGuard:
    """Ends the process from outside its event loop, when that no longer turns or no longer ends."""

    def __init__(self, stuck: float) -> None:
        self._stuck = stuck
        self._turned = time.monotonic()
        self._deadline: float | None = None
        self._done = threading.Event()

    def start(self) -> None:
        """Begins to watch; a daemon thread, for it must not keep a process alive."""
        threading.Thread(target=self._watch, name="loop-guard", daemon=True).start()

    def turned(self) -> None:
        """The loop has come round."""
        self._turned = time.monotonic()

    def end_within(self, seconds: float) -> None:
        """From now on the process has so long to end by itself."""
        self._deadline = self._deadline or time.monotonic() + seconds

    def stop(self) -> None:
        """The process is ending well."""
        self._done.set()

    def _watch(self) -> None:
        while not self._done.wait(0.5):
            now = time.monotonic()
            if self._deadline is not None and now > self._deadline:
                self._end("the process does not end by itself")
            # A process that was frozen finds an old time here; one more round tells the difference.
            if now - self._turned > self._stuck and not self._done.wait(5) and self._still():
                self._end("the event loop does not turn")

    def _still(self) -> bool:
        return time.monotonic() - self._turned > self._stuck

    def _end(self, why: str) -> None:
        logs.logger().critical("ending the process", why=why)
        os._exit(EXIT_STUCK)
