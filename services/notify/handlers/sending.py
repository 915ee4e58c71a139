"""Sends what was written: claim, hand over between two transactions, write down what came of it."""

import asyncio
from datetime import timedelta

import asyncpg

from services.notify import store
from services.notify.domain.jobs import Answer, Status, Verdict, after_a_crash, judge
from services.notify.gateway import Mailer
from services.notify.handlers.letters import Letter, opened_letter
from services.notify.handlers.telling import tell
from services.notify.settings import Settings, mail_server
from services.notify.store import Message
from shared.contract.notify import FailureReason
from shared.kit import failpoints, logs
from shared.kit.database import Database
from shared.kit.service import Service, Worker

PAUSE_AFTER_A_FAULT = 2.0
PASSING = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class NotOurs(Exception):
    """Another sender has the message by now: no dot from here."""


class Sender:
    """Sends one message at a time; several senders never send the same one."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._patience = timedelta(hours=settings.give_up_hours)
        server = mail_server(settings.smtp_url.get_secret_value())
        self._mailer = Mailer(server, timeout=settings.smtp_timeout_seconds)

    async def run(self, stopping: asyncio.Event) -> None:
        """Sends until it is told to stop; the message in hand is finished."""
        try:
            while not stopping.is_set():
                try:
                    busy = await self.send_next()
                except PASSING as error:
                    logs.logger().warning("sending waits for the database", **logs.fault(error))
                    await _pause(stopping, PAUSE_AFTER_A_FAULT)
                    continue
                if not busy:
                    await self.recover()
                    await _pause(stopping, self._settings.send_poll_seconds)
        finally:
            self._mailer.close()

    async def send_next(self) -> bool:
        """Sends the next message that is due; False if there is none."""
        async with self._database.transaction(step="notify.claim") as tx:
            message = await store.claim_next(tx, self._lease)
            letter = (
                None if message is None or message.letter is None else await opened_letter(tx, message.letter)
            )
        if message is None:
            return False
        if letter is None:
            await self._settle(message, Verdict(Status.FAILED, reason=FailureReason.ERASED))
            return True
        try:
            answer = await self._hand_over(message, letter)
        except NotOurs:
            return True
        failpoints.reach("notify.before_record")
        async with self._database.transaction(step="notify.record") as tx:
            verdict = judge(
                answer,
                attempts=message.attempts,
                created_at=message.created_at,
                now=tx.now,
                patience=self._patience,
            )
            if await store.settle(tx, message, verdict):
                await tell(tx, message, verdict)
        logs.logger().info(
            "a message was tried",
            message_id=str(message.id),
            request_id=str(message.request_id),
            kind=message.kind.value,
            status=verdict.status.value,
            smtp_code=verdict.code,
            attempts=message.attempts,
        )
        return True

    async def recover(self) -> None:
        """Takes up messages whose sender died: before the dot again, after the dot to a person."""
        async with self._database.transaction(step="notify.recover") as tx:
            for message in await store.expired(tx):
                status = after_a_crash(message.handing_over_at is not None)
                verdict = Verdict(status, next_attempt_at=tx.now if status is Status.PENDING else None)
                if await store.settle(tx, message, verdict):
                    await tell(tx, message, verdict)

    async def _hand_over(self, message: Message, letter: Letter) -> Answer:
        async def before_dot() -> None:
            failpoints.reach("notify.before_mark")
            async with self._database.transaction(step="notify.mark") as tx:
                if not await store.mark_handing_over(tx, message, self._lease):
                    raise NotOurs
            failpoints.reach("notify.before_dot")

        answer = await self._mailer.hand_over(
            letter.mail,
            sender=self._settings.mail_from,
            recipient=letter.recipient,
            before_dot=before_dot,
        )
        failpoints.reach("notify.after_dot")
        return answer

    async def _settle(self, message: Message, verdict: Verdict) -> None:
        async with self._database.transaction(step="notify.record") as tx:
            if await store.settle(tx, message, verdict):
                await tell(tx, message, verdict)


def sending(settings: Settings) -> Worker:
    """The worker that sends, for as long as the service runs."""

    async def send_messages(service: Service) -> None:
        # Shielded: a message in hand is finished when the service stops, or it would be uncertain.
        run = asyncio.ensure_future(Sender(service.database, settings).run(service.stopping))
        try:
            await asyncio.shield(run)
        except asyncio.CancelledError:
            await run
            raise

    return send_messages


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
