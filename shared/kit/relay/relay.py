"""The relay's life: stand by, lead, send what is there, wait to be woken, begin anew after any fault."""

import asyncio
import random
import time
from contextlib import suppress

import asyncpg
from aiokafka import AIOKafkaProducer

from shared.kit import failpoints, logs
from shared.kit.kafka import Kafka
from shared.kit.leadership import Leadership, candidacy
from shared.kit.metrics import Metrics
from shared.kit.outbox import CHANNEL
from shared.kit.relay import rows as outbox_rows
from shared.kit.relay.sending import Sent, Spent, TooLargeTogether, producing, send

WINDOW = 500
STANDBY_SECONDS = 1.0
LONGEST_PAUSE = 5.0
ALIVE_SECONDS = 60.0
RETRY_SECONDS = 60.0
"""So often a stream that Kafka refused is tried again: rights and topics are mended without a word to us."""


class Relay:
    """Sends what one service says."""

    def __init__(
        self,
        *,
        url: str,
        kafka: Kafka,
        service: str,
        metrics: Metrics,
        poll_seconds: float = 1.0,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._url = url
        self._kafka = kafka
        self._service = service
        self._metrics = metrics
        self._poll_seconds = poll_seconds
        self._woken = asyncio.Event()
        self._draining = False
        self._one_by_one_until = 0
        self._retry_seconds = retry_seconds
        self._next_retry = 0.0
        self._on_trial: set[str] = set()
        self._faults = 0
        self._last_sign = time.monotonic()
        self.leads = False
        self._log = logs.logger().bind(relay=service)

    @property
    def well(self) -> bool:
        """Whether it leads or stands by without trouble."""
        return time.monotonic() - self._last_sign < ALIVE_SECONDS

    async def run(self) -> None:
        """Runs until `finish` is called and nothing is left to send, or until cancelled."""
        listening = asyncio.create_task(self._listen())
        try:
            while not await self._term():
                # Jitter: after a broker's restart, not all services at once.
                pause = min(LONGEST_PAUSE, 0.2 * 2.0 ** min(self._faults, 6))
                await asyncio.sleep(pause * (0.5 + random.random() / 2))  # noqa: S311
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

    def finish(self) -> None:
        """Asks the relay to send what is there and end."""
        self._draining = True
        self._woken.set()

    async def _term(self) -> bool:
        """One session, until it ends by a fault (False) or because the relay is to finish (True)."""
        try:
            async with candidacy(self._url, self._service) as leadership:
                while not await leadership.seek(self._service):
                    self._sign()
                    if self._draining:
                        return True
                    await asyncio.sleep(STANDBY_SECONDS)
                await self._lead(leadership)
        except Exception as error:  # whatever it was, nothing was deleted: the next term begins anew
            self._fault(error)
        finally:
            self.leads = False
            self._metrics.relay_leader.set(0)
        return self._draining

    async def _lead(self, leadership: Leadership) -> None:
        self.leads = True
        self._metrics.relay_leader.set(1)
        self._log.info("leads the relay")
        # Entered by hand, for the start and the stop may be slow and the session must be kept alive.
        production = producing(self._kafka, self._service)
        producer = await leadership.during(production.__aenter__())
        try:
            while await self._round(leadership, producer):
                self._sign()
        finally:
            await production.__aexit__(None, None, None)

    async def _round(self, leadership: Leadership, producer: AIOKafkaProducer) -> bool:
        """Sends one window, or waits for something; False when nothing is left and it is to finish."""
        self._woken.clear()
        await self._try_again(leadership)
        narrow = self._one_by_one_until > 0
        window = await outbox_rows.following(leadership.session, 1 if narrow else WINDOW)
        if not window:
            if self._draining:
                return False
            await self._sleep(self._poll_seconds)
            return True
        failpoints.reach("relay.after_select")
        try:
            sent = await leadership.during(send(producer, self._kafka, window))
        except TooLargeTogether:
            self._one_by_one_until = window[-1].id
            raise
        failpoints.reach("relay.after_send")
        await self._note(leadership, sent)
        failpoints.reach("relay.after_delete")
        if narrow and window[-1].id >= self._one_by_one_until:
            self._one_by_one_until = 0
        return True

    async def _try_again(self, leadership: Leadership) -> None:
        """Now and then lets one row be tried of each stream that was refused."""
        if time.monotonic() < self._next_retry:
            return
        self._next_retry = time.monotonic() + self._retry_seconds
        streams = await outbox_rows.waiting_streams(leadership.session)
        if not streams:
            return
        # Asked first: sending to a topic that is not there takes long to fail, and others would wait for it.
        missing = await leadership.during(self._kafka.missing(streams))
        self._on_trial = set(streams) - set(missing)
        await outbox_rows.try_oldest(leadership.session, sorted(self._on_trial))

    async def _note(self, leadership: Leadership, sent: Sent) -> None:
        if sent.taken:
            await outbox_rows.done(leadership.session, [row.id for row in sent.taken])
            self._faults = 0
        if mended := self._on_trial & {row.stream for row in sent.taken}:
            self._on_trial -= mended
            await outbox_rows.reopen(leadership.session, sorted(mended))
            self._log.info("Kafka takes again what it had refused", streams=sorted(mended))
        for row in sent.taken:
            self._metrics.published.labels(row.stream).inc()
        for reason, refused in sent.refused.items():
            await outbox_rows.park(leadership.session, [row.id for row in refused], reason)
            for row in refused:
                self._metrics.refused.labels(row.stream, reason).inc()
            self._log.error(
                "Kafka refuses rows of the outbox; see `outbox parked`",
                reason=reason,
                rows=[row.id for row in refused][:20],
                streams=sorted({row.stream for row in refused}),
            )
        if sent.refused:
            self._next_retry = time.monotonic() + self._retry_seconds
            # Refused by the broker, a batch has left a hole in the producer's sequence.
            raise Spent("refused")

    async def _listen(self) -> None:
        """Keeps an ear on the database; without it the relay is only slower."""
        while True:
            try:
                await self._hear()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                self._log.info("not woken by the database for a while", **logs.fault(error))
            await asyncio.sleep(STANDBY_SECONDS)

    async def _hear(self) -> None:
        session = await asyncpg.connect(self._url, timeout=10, command_timeout=10)
        try:
            gone = asyncio.Event()
            session.add_termination_listener(lambda _: gone.set())
            await session.add_listener(CHANNEL, lambda *_: self._woken.set())
            # Whatever was said while nobody listened.
            self._woken.set()
            await gone.wait()
        finally:
            session.terminate()

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    def _sign(self) -> None:
        self._last_sign = time.monotonic()

    def _fault(self, error: Exception) -> None:
        self._faults += 1
        self._metrics.relay_faults.inc()
        self._log.warning("the relay begins anew", faults=self._faults, **logs.fault(error))
