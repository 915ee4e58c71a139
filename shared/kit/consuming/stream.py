"""Consumes one stream: a batch is one transaction; if it fails, each of its records is one."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from shared.kit import logs
from shared.kit.consuming.patience import FIRST_DELAY, Patience, Trial, delay
from shared.kit.consuming.progress import Progress
from shared.kit.consuming.reading import Erased, Faulty, ForOthers, Reading, read
from shared.kit.consuming.settling import Outcome, event_type, identity, settle
from shared.kit.consuming.verdicts import Kind, Reason, Verdict, judge
from shared.kit.database import Database
from shared.kit.errors import Fatal
from shared.kit.handlers import Bound
from shared.kit.metrics import Metrics
from shared.kit.records import Record


class Reentry(Exception):
    """The batch could not be finished yet: Kafka shall bring it again. Carries nothing of the cause."""

    expected = True
    """Its cause has been logged: the library need not call it an error."""


class Postponed(Exception):
    """A record waits for another stream; others of its key wait behind it, and nobody else."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class StreamConsumer:
    """What happens to the records of one stream, in order."""

    def __init__(
        self,
        stream: str,
        *,
        database: Database,
        handlers: Bound,
        metrics: Metrics,
        stopping: asyncio.Event,
        fail: Callable[[Fatal], None],
        patience: Patience | None = None,
    ) -> None:
        self.stream = stream
        self.name = f"{database.service}.{stream}"
        self.progress = Progress()
        self._database = database
        self._handlers = handlers
        self._metrics = metrics
        self._stopping = stopping
        self._fail = fail
        self._patience = patience if patience is not None else Patience()
        self._trials: dict[tuple[str, int, int], Trial] = {}
        self._parked_in_a_row = 0
        self._failed = False
        self._log = logs.logger().bind(consumer=self.name)

    async def take(self, records: Sequence[Record]) -> None:
        """Settles a batch; returns only when everything is committed, else raises Reentry."""
        self.progress.begin()
        try:
            if self._failed:
                await self._hold()
            await self._take(records)
        except Fatal as fatal:
            self._failed = True
            self._fail(fatal)
            await self._hold()
        finally:
            self.progress.end()

    async def _take(self, records: Sequence[Record]) -> None:
        if len(records) > 1 and not any(record.position in self._trials for record in records):
            try:
                if await self._together(records):
                    return
            except Exception as error:  # judged below, record by record
                self._log.info("a batch failed; its records go one by one", **logs.fault(error))
        give_up = time.monotonic() + self._patience.entry_seconds
        pauses: dict[bytes | None, float] = {}
        for record in records:
            if record.key in pauses:
                continue
            self.progress.beat()
            if time.monotonic() > give_up:
                raise Reentry
            try:
                await self._alone(record, give_up)
            except Postponed as postponed:
                pauses[record.key] = postponed.seconds
        if pauses:
            # Kafka brings them again, with whatever has come meanwhile; what is settled is a duplicate then.
            await self._stops_within(min(pauses.values()))
            raise Reentry

    async def _together(self, records: Sequence[Record]) -> bool:
        readings = [await read(record, self._handlers, self._database.keys) for record in records]
        faulty = sum(isinstance(reading, Faulty) and reading.alarming for reading in readings)
        if self._parked_in_a_row + faulty >= self._patience.dead_letters_in_a_row:
            return False
        outcomes = await self._commit(readings)
        for reading, outcome in zip(readings, outcomes, strict=True):
            self._settled(reading, outcome)
        return True

    async def _commit(self, readings: Sequence[Reading]) -> list[Outcome]:
        if all(isinstance(reading, ForOthers) for reading in readings):
            return [Outcome.FOR_OTHERS] * len(readings)
        outcomes = []
        async with self._database.transaction(step="consume") as tx:
            for reading in readings:
                self.progress.beat()
                outcomes.append(await settle(reading, tx, self.name, self._metrics))
        return outcomes

    async def _alone(self, record: Record, give_up: float) -> None:
        """Tries until the record is settled one way or the other, which holds up whatever comes after it.

        Only for another stream nobody else is held up: then it raises Postponed.
        """
        reading: Reading | None = None
        while True:
            try:
                if reading is None:
                    reading = await read(record, self._handlers, self._database.keys)
                [outcome] = await self._commit([reading])
            except Exception as error:
                reading = await self._after(error, record, reading, give_up)
            else:
                self._settled(reading, outcome)
                return

    async def _after(
        self, error: Exception, record: Record, reading: Reading | None, give_up: float
    ) -> Reading | None:
        """Decides how to go on after a failure: another reading of the record, or the same after a wait."""
        verdict = judge(error)
        trial = self._trials.setdefault(record.position, Trial())
        trial.count(verdict.kind)
        self._report(error, verdict, trial, record, reading)
        if verdict.kind is Kind.FATAL:
            raise error
        next_reading = self._resolved(error, verdict, trial, record, reading)
        if next_reading is None:
            await self._wait(verdict, trial, give_up)
            # What was opened may be stale after a wait, but what was decided stands.
            return reading if isinstance(reading, Faulty | Erased) else None
        if isinstance(reading, Faulty) and isinstance(next_reading, Faulty):
            raise Fatal(f"{self.name} can neither handle nor park {record!r}") from error
        return next_reading

    def _resolved(
        self, error: Exception, verdict: Verdict, trial: Trial, record: Record, reading: Reading | None
    ) -> Reading | None:
        known = identity(reading) if reading is not None else None
        faulty = Faulty(
            record,
            Reason.REJECTED,
            identity=known,
            was_heard=known is not None,
            event_type=event_type(reading) if reading is not None else None,
            attempts=trial.failures,
            confidential=record.topic in self._handlers.untrusted,
        )
        match verdict.kind:
            case Kind.PERMANENT:
                return replace(faulty, reason=verdict.reason or Reason.REJECTED)
            case Kind.ERASED if known is not None:
                return Erased(record, known)
            case Kind.NOT_YET if trial.not_yet_seconds >= self._patience.not_yet_seconds:
                return replace(faulty, reason=Reason.NOT_YET)
            case Kind.BUG if trial.bugs >= self._patience.tries:
                return replace(faulty, reason=Reason.HANDLER_FAILED, error_class=type(error).__qualname__)
            case _:
                return None

    async def _wait(self, verdict: Verdict, trial: Trial, give_up: float) -> None:
        self._metrics.waits.labels(self.stream, verdict.kind.value).inc()
        pause = delay(trial.failures, random.random())  # noqa: S311 - jitter, not a secret
        if verdict.kind is Kind.NOT_YET:
            raise Postponed(pause) from None
        if time.monotonic() + pause > give_up:
            raise Reentry from None
        self.progress.beat()
        if await self._stops_within(pause):
            raise Reentry from None
        self.progress.beat()

    async def _hold(self) -> None:
        """After the end was called for: takes nothing more, and does not spin until it comes."""
        while not await self._stops_within(1):
            self.progress.beat()
        raise Reentry from None

    async def _stops_within(self, seconds: float) -> bool:
        if self._stopping.is_set():
            # A batch handed back at once would come again at once, until the consumer is stopped.
            await asyncio.sleep(FIRST_DELAY)
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True

    def _settled(self, reading: Reading, outcome: Outcome) -> None:
        record = reading.record
        self._trials.pop(record.position, None)
        self._metrics.consumed.labels(self.stream, outcome.value).inc()
        if outcome is not Outcome.PARKED:
            # An event for others proves nothing about this consumer.
            if outcome in {Outcome.HANDLED, Outcome.ERASED}:
                self._parked_in_a_row = 0
            return
        assert isinstance(reading, Faulty)  # noqa: S101 - only a faulty one is parked
        self._log.error(
            "parked in the dead letters",
            reason=reading.reason,
            event_id=str(reading.identity) if reading.identity else None,
            event_type=reading.event_type,
            partition=record.partition,
            offset=record.offset,
            error=reading.error_class,
            attempts=reading.attempts,
        )
        if not reading.alarming:
            return
        self._parked_in_a_row += 1
        if self._parked_in_a_row >= self._patience.dead_letters_in_a_row:
            self._parked_in_a_row = 0
            raise Fatal(
                f"{self.name} parked {self._patience.dead_letters_in_a_row} records in a row;"
                f" see `python -m services.{self._database.service} dead-letters list`"
            )

    def _report(
        self, error: Exception, verdict: Verdict, trial: Trial, record: Record, reading: Reading | None
    ) -> None:
        known = identity(reading) if reading is not None else None
        tell = self._log.error if verdict.kind in {Kind.BUG, Kind.FATAL} else self._log.info
        if verdict.kind is Kind.NOT_YET and trial.overdue:
            tell = self._log.warning
        tell(
            "a record could not be handled",
            kind=verdict.kind.value,
            reason=verdict.reason,
            event_id=str(known) if known else None,
            partition=record.partition,
            offset=record.offset,
            failures=trial.failures,
            **logs.fault(error),
        )
