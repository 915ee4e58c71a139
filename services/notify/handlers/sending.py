"""Sends what was written: claim, hand over between two transactions, write down what came of it."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.notify import store
from services.notify.domain.jobs import ERASED, Answer, Status, Verdict, after_a_crash, judge
from services.notify.domain.mail import Mail
from services.notify.gateway import Mailer
from services.notify.handlers.telling import settle
from services.notify.handlers.writing import opened_mail
from services.notify.settings import Settings, mail_server
from services.notify.store import Message
from shared.kit import failpoints, logs
from shared.kit.consuming import verdicts
from shared.kit.database import Database
from shared.kit.service import Service
from shared.kit.transaction import Transaction

DATABASE_PAUSE = 1.0
LONGEST_REST = timedelta(seconds=30)
"""A sender rests while the server is out of reach, so as not to try every message in vain."""


class Counts:
    """What is measured of messages."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ended = Counter(
            "attune_messages", "Attempts by what they came to", ["kind", "status"], registry=registry
        )
        self.open = Gauge("attune_messages_open", "Messages not settled", ["status"], registry=registry)


class Sender:
    """Sends one message at a time; any number of senders, in any number of processes, never send the same."""

    def __init__(self, database: Database, settings: Settings, counts: Counts | None = None) -> None:
        self._database = database
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._renewed_every = settings.lease_seconds / 3
        self._poll_seconds = settings.send_poll_seconds
        self._patience = settings.patience
        self._counts = counts if counts is not None else Counts(CollectorRegistry())
        self._mailer = Mailer(
            mail_server(settings.smtp_url.get_secret_value()),
            settings.sender.on_the_wire,
            offer_seconds=settings.smtp_offer_seconds,
            answer_seconds=settings.smtp_answer_seconds,
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Sends until it is told to stop; the message in hand is finished."""
        in_vain = 0
        try:
            while not stopping.is_set():
                try:
                    answer = await self.send_next()
                except Exception as fault:
                    if not _passes(fault):
                        raise
                    logs.logger().warning("sending waits for the database", **logs.fault(fault))
                    await _rest(stopping, DATABASE_PAUSE)
                    continue
                if answer is None:
                    # A connection that nobody needs for now would only grow stale.
                    await self._mailer.close()
                    await _rest(stopping, self._poll_seconds)
                elif answer.status is Status.PENDING and not answer.phase.is_about_the_message:
                    in_vain += 1
                    pause = min(self._patience.pause(in_vain, 0.5), LONGEST_REST)
                    await _rest(stopping, pause.total_seconds())
                else:
                    in_vain = 0
        finally:
            await self._mailer.close()

    async def close(self) -> None:
        """Takes leave of the mail server."""
        await self._mailer.close()

    async def send_next(self) -> Answer | None:
        """Sends the next message that is due, and returns what the server answered; None if there is none."""
        async with self._database.transaction(step="notify.claim") as tx:
            message = await store.claim_next(tx, self._lease)
            mail = await opened_mail(tx, message) if message is not None else None
            if message is not None and mail is None:
                await settle(tx, message, ERASED)
                return Answer(Status.FAILED)
        if message is None or mail is None:
            return None
        async with self._alive(message):
            answer = await self._hand_over(message, mail)
        failpoints.reach("notify.before_record")
        await self._record(message, answer)
        return answer

    async def keep_recovering(self, stopping: asyncio.Event) -> None:
        """Takes up what dead senders left, as often as living ones give signs of life."""
        while not stopping.is_set():
            try:
                await self.recover()
            except Exception as fault:
                if not _passes(fault):
                    raise
                logs.logger().warning("recovery waits for the database", **logs.fault(fault))
            await _rest(stopping, self._renewed_every)

    async def recover(self) -> None:
        """Takes up messages whose sender died: before the dot to be tried again, after it to a person."""
        async with self._database.transaction(step="notify.recover") as tx:
            for message in await store.expired(tx):
                answer = after_a_crash(message.handing_over_at is not None)
                await self._settle(tx, message, answer)
            for status, number in (dict.fromkeys(_OPEN, 0) | await store.count_waiting(tx)).items():
                self._counts.open.labels(status.value).set(number)

    async def _hand_over(self, message: Message, mail: Mail) -> Answer:
        async def before_dot() -> bool:
            async with self._database.transaction(step="notify.mark") as tx:
                return await store.mark_handing_over(tx, message, self._lease)

        return await self._mailer.hand_over(mail, before_dot)

    async def _record(self, message: Message, answer: Answer) -> None:
        # What is known must not become uncertain only because the database is away for a while.
        while True:
            try:
                async with self._database.transaction(step="notify.record") as tx:
                    current = await store.claimed(tx, message)
                    if current is not None:
                        await self._settle(tx, current, answer)
                return
            except Exception as fault:
                if not _passes(fault):
                    raise
                logs.logger().warning("an outcome waits to be written down", **logs.fault(fault))
                await asyncio.sleep(DATABASE_PAUSE)

    async def _settle(self, tx: Transaction, message: Message, answer: Answer) -> Verdict:
        verdict = judge(
            answer,
            attempts=message.attempts,
            tried_since=message.tried_since,
            unwanted=message.unwanted_at is not None,
            now=tx.now,
            patience=self._patience,
            chance=random.random(),  # noqa: S311 - spreads attempts, protects nothing
        )
        await settle(tx, message, verdict, answer)
        self._counts.ended.labels(message.kind.value, verdict.status.value).inc()
        logs.logger().info(
            "a message was tried",
            message_id=str(message.id),
            request_id=str(message.request_id),
            kind=message.kind.value,
            status=verdict.status.value,
            phase=answer.phase.value,
            smtp_code=answer.code,
            attempts=message.attempts,
        )
        return verdict

    @asynccontextmanager
    async def _alive(self, message: Message) -> AsyncIterator[None]:
        """Gives signs of life while the mail server takes its time, so that a short lease is enough."""

        async def renew() -> None:
            while True:
                await asyncio.sleep(self._renewed_every)
                try:
                    async with self._database.transaction(step="notify.renew") as tx:
                        await store.renew_lease(tx, message, self._lease)
                except Exception as fault:
                    # Without one another sender takes over, and this one is stopped before the dot.
                    logs.logger().warning("a sign of life could not be given", **logs.fault(fault))

        signs = asyncio.create_task(renew(), name="signs of life")
        try:
            yield
        finally:
            signs.cancel()
            with suppress(asyncio.CancelledError):
                await signs


async def send_messages(service: Service) -> None:
    """Sends for as long as the service runs; what is in hand when it stops is finished within its grace."""
    settings = service.provided[Settings]
    counts = Counts(service.metrics)
    async with asyncio.TaskGroup() as senders:
        for _ in range(settings.senders):
            senders.create_task(_send(Sender(service.database, settings, counts), service.stopping))
        # One for all of them: each would only find what the others have found.
        senders.create_task(Sender(service.database, settings, counts).keep_recovering(service.stopping))


async def _send(sender: Sender, stopping: asyncio.Event) -> None:
    run = asyncio.create_task(sender.run(stopping))
    try:
        # Shielded: a message cut short after the dot would be uncertain without need.
        await asyncio.shield(run)
    except asyncio.CancelledError:
        await run
        raise


_OPEN = (Status.PENDING, Status.SENDING, Status.UNCERTAIN)


def _passes(fault: Exception) -> bool:
    return verdicts.judge(fault).kind is verdicts.Kind.TRANSIENT


async def _rest(stopping: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
