"""Says what became of a message."""

from services.notify.domain.jobs import Status, Verdict
from services.notify.store import Message
from shared.contract.notify import FailureReason, MessageFailed, MessageSent, MessageUncertain
from shared.kit.transaction import Transaction


async def tell(tx: Transaction, message: Message, verdict: Verdict) -> None:
    """Publishes the fate of a message, if it has one yet."""
    match verdict.status:
        case Status.SENT:
            await tx.publish(
                MessageSent(
                    request_id=message.request_id,
                    message_id=message.id,
                    kind=message.kind,
                    recipient=message.recipient,
                    cause_id=message.cause_id,
                    attempts=message.attempts,
                )
            )
        case Status.UNCERTAIN:
            await tx.publish(
                MessageUncertain(
                    request_id=message.request_id,
                    message_id=message.id,
                    kind=message.kind,
                    recipient=message.recipient,
                    cause_id=message.cause_id,
                    attempts=message.attempts,
                )
            )
        case Status.FAILED | Status.SUPPRESSED:
            await tx.publish(
                MessageFailed(
                    request_id=message.request_id,
                    message_id=message.id,
                    kind=message.kind,
                    recipient=message.recipient,
                    cause_id=message.cause_id,
                    attempts=message.attempts,
                    reason=verdict.reason or FailureReason.REFUSED,
                    smtp_code=verdict.code,
                )
            )
        case Status.PENDING | Status.SENDING:
            return
