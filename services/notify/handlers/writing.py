"""Writes a message to be sent: rendered once, sealed, and kept until its fate is known."""

from services.notify import store
from services.notify.domain.jobs import NOT_WRITABLE, Status, message_id
from services.notify.domain.mail import Mail, Mailbox, NotWritable, compose, message_id_header
from services.notify.domain.wording import Letters, greeting_name
from services.notify.handlers.telling import tell
from services.notify.store import Correspondent, Message
from shared.contract.ids import reference
from shared.contract.intake import Contact
from shared.contract.matching import TherapistContact
from shared.contract.sealing import Purpose
from shared.contract.vocabulary import MessageKind, Recipient, RequesterRole
from shared.kit.errors import KeyDestroyed
from shared.kit.transaction import Transaction


class Desk:
    """What it takes to write: the wording, and who mails are from."""

    def __init__(self, letters: Letters, sender: Mailbox) -> None:
        self._letters = letters
        self._sender = sender

    async def write_to_client(
        self, tx: Transaction, who: Correspondent, kind: MessageKind, **facts: str
    ) -> None:
        """Writes to the one address that mails about this request go to."""
        contact = Contact.model_validate_json(await _opened(tx, who.contact))
        for_self = (
            contact.requester_role is RequesterRole.SELF or contact.write_to_name == contact.client_name
        )
        await self._write(
            tx, who, kind, Recipient.CLIENT, (contact.write_to_name, contact.write_to_email),
            status_url=contact.status_url, for_self=for_self, **facts,
        )  # fmt: skip

    async def write_to_therapist(
        self,
        tx: Transaction,
        who: Correspondent,
        kind: MessageKind,
        therapist: TherapistContact,
        **facts: object,
    ) -> None:
        """Writes to the therapist of a match."""
        await self._write(tx, who, kind, Recipient.THERAPIST, (therapist.name, therapist.email), **facts)

    async def withdraw_from_therapist(self, tx: Transaction, who: Correspondent) -> None:
        """Writes to the therapist who was written to before."""
        if who.therapist is not None:
            therapist = TherapistContact.model_validate_json(await _opened(tx, who.therapist))
            await self.write_to_therapist(tx, who, MessageKind.REFERRAL_WITHDRAWN, therapist)

    async def _write(
        self, tx: Transaction, who: Correspondent, kind: MessageKind, recipient: Recipient,
        named: tuple[str, str], **facts: object,
    ) -> None:  # fmt: skip
        if tx.cause is None:
            raise ValueError("a message needs the event that calls for it")
        name, address = named
        id_ = message_id(tx.cause.id, kind, recipient)
        try:
            # Anyone can fill in the form: what is not a name does not travel under the clinic's, in no part.
            to = Mailbox(greeting_name(name), address)
            letter = self._letters.write(
                kind, name=greeting_name(name), reference=reference(who.request_id), **facts
            )
            mail = compose(letter, sender=self._sender, to=to, message_id=id_, written_at=tx.now)
        except NotWritable:
            mail = None
        message = Message(
            id=id_,
            request_id=who.request_id,
            subject_id=who.subject_id,
            cause=tx.cause,
            kind=kind,
            recipient=recipient,
            message_id=message_id_header(id_, self._sender),
            mail=await _sealed(tx, who, mail) if mail is not None else None,
            status=Status.PENDING if mail is not None else Status.FAILED,
            attempts=0,
            created_at=tx.now,
            tried_since=tx.now,
            next_attempt_at=tx.now,
            lease_until=None,
            handing_over_at=None,
            unwanted_at=None,
            settled_at=tx.now if mail is None else None,
            reason=NOT_WRITABLE.reason if mail is None else None,
            smtp_code=None,
            phase=None,
        )
        if await store.add_message(tx, message) and mail is None:
            # An address that no mail can bear is like one that refuses it: staff find another way.
            await tell(tx, message, NOT_WRITABLE)


async def opened_mail(tx: Transaction, message: Message) -> Mail | None:
    """What was written; None once its person was erased."""
    packed = await tx.open(message.mail) if message.mail is not None else None
    return Mail.unpacked(packed) if packed is not None else None


async def sealed_contact(tx: Transaction, who: Correspondent, contact: TherapistContact) -> bytes:
    """A therapist's contact, under the client's key: with the client it is erased."""
    return await tx.seal(who.subject_id, Purpose.CONTACT, contact.model_dump_json().encode())


async def _sealed(tx: Transaction, who: Correspondent, mail: Mail) -> bytes:
    return await tx.seal(who.subject_id, Purpose.CONTACT, mail.packed())


async def _opened(tx: Transaction, sealed: bytes) -> bytes:
    data = await tx.open(sealed)
    if data is None:
        raise KeyDestroyed
    return data
