"""Says what became of a message."""

from itertools import dropwhile

from services.notify import store
from services.notify.domain.jobs import NO_LONGER_WANTED, Answer, Status, Verdict
from services.notify.store import Message
from shared.contract.event import Event
from shared.contract.notify import FailureReason, MessageFailed, MessageSent, MessageUncertain
from shared.contract.vocabulary import MessageKind
from shared.kit.transaction import Transaction


async def settle(tx: Transaction, message: Message, verdict: Verdict, answer: Answer | None = None) -> None:
    """Writes down and says what became of a message that this transaction has locked."""
    if message.status is verdict.status is Status.UNCERTAIN:
        return
    await store.settle(tx, message, verdict, answer)
    await tell(tx, message, verdict)
    if message.kind is MessageKind.REFERRAL and verdict.status in {Status.FAILED, Status.SUPPRESSED}:
        await _spare_the_therapist(tx, message)


async def tell(tx: Transaction, message: Message, verdict: Verdict) -> None:
    """Publishes the fate of a message, if it has one yet."""
    event = _fate(message, verdict)
    if event is not None:
        # The worker acts on no event of its own: it goes on with the one that called for the message.
        speaker = tx if tx.cause is not None else tx.caused_by(message.cause)
        await speaker.publish(event)


async def _spare_the_therapist(tx: Transaction, referral: Message) -> None:
    # Nobody need hear that a referral is withdrawn which never reached them; an earlier one is another's.
    about = await store.messages_about(tx, referral.request_id)
    for message in dropwhile(lambda each: each.id != referral.id, about):
        if message.kind is MessageKind.REFERRAL_WITHDRAWN and message.status is Status.PENDING:
            await settle(tx, message, NO_LONGER_WANTED)


def _fate(message: Message, verdict: Verdict) -> Event | None:
    about = {
        "request_id": message.request_id,
        "message_id": message.id,
        "kind": message.kind,
        "recipient": message.recipient,
        "cause_id": message.cause.id,
        "attempts": message.attempts,
    }
    match verdict.status:
        case Status.SENT:
            return MessageSent.model_validate(about)
        case Status.UNCERTAIN:
            return MessageUncertain.model_validate(about)
        case Status.FAILED | Status.SUPPRESSED:
            reason = verdict.reason or FailureReason.REFUSED
            return MessageFailed.model_validate(about | {"reason": reason, "smtp_code": verdict.code})
        case Status.PENDING | Status.SENDING:
            return None
