"""One function per event heard: each writes messages to be sent, none sends."""

from uuid import UUID

from services.notify import store
from services.notify.domain.jobs import Status, Verdict, message_id
from services.notify.domain.letters import ONWARD, Person, Stationery
from services.notify.handlers.letters import sealed_letter
from services.notify.handlers.telling import tell
from services.notify.settings import Settings
from services.notify.store import Correspondent, Message
from shared.contract.ids import MessageId, RequestId
from shared.contract.intake import Contact, RequestSubmitted, RequestWithdrawn
from shared.contract.matching import MatchNotFound, SeatReserved, TherapistContact
from shared.contract.notify import FailureReason
from shared.contract.review import InformationRequested, RequestDeclined
from shared.contract.sealing import Purpose, opened
from shared.contract.vocabulary import MessageKind, Recipient
from shared.kit.errors import KeyDestroyed, NotYet
from shared.kit.handlers import Handlers
from shared.kit.transaction import Transaction

handlers = Handlers()

HANDED_OVER = {Status.SENT, Status.UNCERTAIN, Status.SENDING}


@handlers.on(RequestSubmitted)
async def acknowledge(event: RequestSubmitted, tx: Transaction, stationery: Stationery) -> None:
    """Keeps whom to write to, and thanks them."""
    contact = opened(event.contact)
    sealed = await tx.seal(event.subject_id, Purpose.CONTACT, contact.model_dump_json().encode())
    await store.add_correspondent(tx, event.request_id, event.subject_id, sealed)
    who = await _correspondent(tx, event.request_id)
    await _write_to_client(tx, stationery, who, MessageKind.ACKNOWLEDGEMENT)


@handlers.on(MatchNotFound)
async def tell_of_waiting(event: MatchNotFound, tx: Transaction, stationery: Stationery) -> None:
    """Tells the client, once per spell of waiting, that nobody is free yet."""
    who = await _correspondent(tx, event.request_id)
    if who.waiting_told or who.withdrawn:
        return
    await store.set_waiting_told(tx, event.request_id, told=True)
    await _write_to_client(tx, stationery, who, MessageKind.WAITING)


@handlers.on(SeatReserved)
async def tell_of_match(
    event: SeatReserved, tx: Transaction, stationery: Stationery, settings: Settings
) -> None:
    """Tells client and therapist: a person has decided, and the seat is taken."""
    who = await _correspondent(tx, event.request_id)
    if who.withdrawn:
        return
    therapist = opened(event.therapist)
    sealed = await tx.seal(event.subject_id, Purpose.CONTACT, therapist.model_dump_json().encode())
    await store.set_therapist(tx, event.request_id, sealed)
    await _write_to_client(tx, stationery, who, MessageKind.MATCHED, therapist_name=therapist.name)
    await _write_to_therapist(
        tx, stationery, who, therapist, MessageKind.REFERRAL, review_url=settings.review_public_url
    )


@handlers.on(RequestDeclined)
async def tell_where_to_turn(event: RequestDeclined, tx: Transaction, stationery: Stationery) -> None:
    """Tells the client where they find help instead."""
    who = await _correspondent(tx, event.request_id)
    if not who.withdrawn:
        onward = ONWARD[opened(event.onward_route)]
        await _write_to_client(tx, stationery, who, MessageKind.DECLINED, onward=onward)


@handlers.on(InformationRequested)
async def ask_to_get_in_touch(event: InformationRequested, tx: Transaction, stationery: Stationery) -> None:
    """Asks the client to get in touch; the question itself is not for a mail."""
    who = await _correspondent(tx, event.request_id)
    if not who.withdrawn:
        await _write_to_client(tx, stationery, who, MessageKind.INFORMATION)


@handlers.on(RequestWithdrawn)
async def stop_writing(event: RequestWithdrawn, tx: Transaction, stationery: Stationery) -> None:
    """Holds back what is no longer true, and tells those who were told of a match."""
    who = await _correspondent(tx, event.request_id)
    if who.withdrawn:
        return
    await store.set_withdrawn(tx, event.request_id)
    messages = await store.messages_about(tx, event.request_id)
    for message in messages:
        if message.status is Status.PENDING:
            await _hold_back(tx, message)
    await _write_to_client(tx, stationery, who, MessageKind.WITHDRAWN)
    knows = any(each.kind is MessageKind.REFERRAL and each.status in HANDED_OVER for each in messages)
    if knows and who.therapist is not None:
        therapist = TherapistContact.model_validate_json(await _open(tx, who.therapist))
        await _write_to_therapist(tx, stationery, who, therapist, MessageKind.REFERRAL_WITHDRAWN)


async def _correspondent(tx: Transaction, request_id: RequestId) -> Correspondent:
    who = await store.find_correspondent(tx, request_id)
    if who is None:
        raise NotYet("the request itself")
    return who


async def _hold_back(tx: Transaction, message: Message) -> None:
    verdict = Verdict(Status.SUPPRESSED, reason=FailureReason.NO_LONGER_WANTED)
    if await store.settle(tx, message, verdict):
        await tell(tx, message, verdict)


async def _write_to_client(
    tx: Transaction, stationery: Stationery, who: Correspondent, kind: MessageKind, **facts: str
) -> None:
    contact = Contact.model_validate_json(await _open(tx, who.contact))
    to = Person(contact.write_to_name, contact.write_to_email)
    await _write(tx, stationery, who, kind, Recipient.CLIENT, to, {"status_url": contact.status_url, **facts})


async def _write_to_therapist(
    tx: Transaction, stationery: Stationery, who: Correspondent, therapist: TherapistContact,
    kind: MessageKind, **facts: str,
) -> None:  # fmt: skip
    to = Person(therapist.name, therapist.email)
    await _write(tx, stationery, who, kind, Recipient.THERAPIST, to, {"reference": _reference(who), **facts})


async def _write(  # noqa: PLR0917 - one line of a list of six is no easier to read
    tx: Transaction, stationery: Stationery, who: Correspondent, kind: MessageKind, recipient: Recipient,
    to: Person, facts: dict[str, str],
) -> None:  # fmt: skip
    cause_id = _cause(tx)
    id_ = MessageId(message_id(cause_id, kind, recipient))
    mail = stationery.write(id_, kind, to, tx.now, **facts)
    letter = await sealed_letter(tx, who.subject_id, to.email, mail)
    await store.add_message(tx, who, id_, kind, recipient=recipient, cause_id=cause_id, letter=letter)


async def _open(tx: Transaction, sealed: bytes) -> bytes:
    data = await tx.open(sealed)
    if data is None:
        raise KeyDestroyed
    return data


def _cause(tx: Transaction) -> UUID:
    if tx.cause is None:
        raise ValueError("a message needs the event that it tells about")
    return tx.cause.id


def _reference(who: Correspondent) -> str:
    return str(who.request_id)[:8].upper()
