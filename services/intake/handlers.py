"""Receives what partners put on Kafka, and follows what becomes of each request."""

from uuid import UUID

from services.intake import store
from services.intake.domain import (
    Accepted,
    Fact,
    Heard,
    PartnerEvent,
    Refused,
    Rulebook,
    identities,
    take,
    unwrap,
)
from services.intake.settings import Settings
from services.intake.store import Arrival, Outcome
from shared.contract.event import RequestEvent
from shared.contract.ids import SubjectId
from shared.contract.intake import Fault, SubmissionRejected
from shared.contract.matching import (
    GroupPlaceHeld,
    MatchNotFound,
    MatchProposed,
    SeatReserved,
    SeatUnavailable,
    Shortfall,
)
from shared.contract.notify import FailureReason, MessageFailed, MessageSent, MessageUncertain
from shared.contract.review import InformationRequested, MatchConfirmed, RematchRequested, RequestDeclined
from shared.contract.sealing import Purpose, opened
from shared.contract.submission import STREAM
from shared.contract.vocabulary import Door, Recipient
from shared.kit.errors import Rejected
from shared.kit.handlers import Handlers
from shared.kit.records import Record
from shared.kit.transaction import Transaction

handlers = Handlers()


@handlers.on_untrusted(STREAM)
async def receive(record: Record, tx: Transaction, rulebook: Rulebook, settings: Settings) -> None:
    """Takes a partner's submission in, or tells the partner what is wrong with it."""
    event = unwrap(record.headers, record.value)
    partner = await store.find_partner_by_source(tx, event.source)
    if event.source and partner is None:
        event.faults.append(Fault(field="source", rule="is not one that is registered with the clinic"))
    answer = Refused(()) if event.body is None else take(event.body, tx.now, rulebook)
    if isinstance(answer, Refused):
        event.faults.extend(answer.faults)
    if isinstance(answer, Refused) or event.faults:
        await _reject(tx, record, event, partner, answer)
        return
    if answer.reference is not None and partner is not None:
        request_id, named_by = identities.by_reference(partner, answer.reference), "reference"
    else:
        request_id, named_by = identities.by_event(event.source, event.id), "id"
    outcome, _ = await store.take_in(
        tx, Arrival(request_id, Door.KAFKA, settings.status_base, partner), answer
    )
    if outcome is Outcome.CONTRADICTED:
        event.faults.append(Fault(field=named_by, rule="already stands for another request"))
        await _reject(tx, record, event, partner, answer)


async def _reject(
    tx: Transaction, record: Record, event: PartnerEvent, partner: str | None, answer: Accepted | Refused
) -> None:
    place = (record.topic, str(record.partition), str(record.offset))
    await tx.publish(
        SubmissionRejected(
            request_id=identities.of_rejection(*place),
            partner=partner or event.source or None,
            submission_id=event.id or None,
            reference=answer.reference,
            faults=tuple(event.faults),
            onward_route=answer.onward_route if isinstance(answer, Refused) else None,
        )
    )


@handlers.on(MatchProposed)
async def note_proposal(event: MatchProposed, tx: Transaction) -> None:
    """A shortlist is there for a person to look at."""
    await _hear(tx, event, "matching", Fact.PROPOSED, proposal_id=event.proposal_id)


@handlers.on(MatchNotFound)
async def note_waiting(event: MatchNotFound, tx: Transaction) -> None:
    """Nobody is free for now; or nothing here is for this request, and a person looks at it."""
    fact = Fact.NO_WAY_FITS if event.shortfall is Shortfall.NO_WAY_FITS else Fact.NOT_FOUND
    weeks = event.wait_weeks
    note = None if weeks is None else (event.subject_id, Purpose.CONTACT, weeks.model_dump_json())
    await _hear(tx, event, "matching", fact, note=note)


@handlers.on(GroupPlaceHeld)
async def note_place(event: GroupPlaceHeld, tx: Transaction) -> None:
    """A group is being gathered, and a place in it is kept."""
    await _hear(tx, event, "matching", Fact.PLACE_HELD, event.proposal_id, event.decision_id)


@handlers.on(SeatReserved)
async def note_seat(event: SeatReserved, tx: Transaction) -> None:
    """The match holds."""
    await _hear(tx, event, "matching", Fact.SEAT_RESERVED, event.proposal_id, event.decision_id)


@handlers.on(SeatUnavailable)
async def note_lost_seat(event: SeatUnavailable, tx: Transaction) -> None:
    """The match fell through; a person decides anew."""
    await _hear(tx, event, "matching", Fact.SEAT_UNAVAILABLE, event.proposal_id, event.decision_id)


@handlers.on(MatchConfirmed)
async def note_decision(event: MatchConfirmed, tx: Transaction) -> None:
    """A person has decided; the seat is still to be taken."""
    await _hear(tx, event, "review", Fact.CONFIRMED, event.proposal_id, event.decision_id)


@handlers.on(RematchRequested)
async def note_rematch(event: RematchRequested, tx: Transaction) -> None:
    """A person wants another shortlist."""
    await _hear(tx, event, "review", Fact.REMATCH, event.proposal_id, event.decision_id)


@handlers.on(RequestDeclined)
async def note_onward_route(event: RequestDeclined, tx: Transaction) -> None:
    """The clinic is not the right place; the status page says where to turn."""
    note = (event.subject_id, Purpose.CONTACT, opened(event.onward_route))
    await _hear(tx, event, "review", Fact.DECLINED, decision_id=event.decision_id, note=note)


@handlers.on(InformationRequested)
async def note_question(event: InformationRequested, tx: Transaction) -> None:
    """Staff want to know something; the status page shows what."""
    note = (event.subject_id, Purpose.CLINICAL, opened(event.question))
    await _hear(tx, event, "review", Fact.QUESTION, decision_id=event.decision_id, note=note)


@handlers.on(MessageSent)
async def note_mail(event: MessageSent, tx: Transaction) -> None:
    """A mail went out."""
    await _hear_of_mail(tx, event, event.recipient, Fact.MAIL_SENT)


@handlers.on(MessageFailed)
async def note_failed_mail(event: MessageFailed, tx: Transaction) -> None:
    """A mail did not go out; the status page says so."""
    if event.reason in {FailureReason.REFUSED, FailureReason.GAVE_UP}:
        await _hear_of_mail(tx, event, event.recipient, Fact.MAIL_FAILED)


@handlers.on(MessageUncertain)
async def note_uncertain_mail(event: MessageUncertain, tx: Transaction) -> None:
    """Nobody knows whether a mail arrived."""
    await _hear_of_mail(tx, event, event.recipient, Fact.MAIL_UNCERTAIN)


async def _hear_of_mail(tx: Transaction, event: RequestEvent, recipient: Recipient, fact: Fact) -> None:
    # Mails to therapists are no concern of the client's status page.
    if recipient is Recipient.CLIENT:
        await _hear(tx, event, "mail", fact)


async def _hear(  # noqa: PLR0917
    tx: Transaction,
    event: RequestEvent,
    speaker: str,
    fact: Fact,
    proposal_id: UUID | None = None,
    decision_id: UUID | None = None,
    note: tuple[SubjectId, Purpose, str] | None = None,
) -> None:
    at = tx.cause.time if tx.cause is not None else tx.now
    if not await store.hear(tx, event.request_id, speaker, Heard(fact, at, proposal_id, decision_id), note):
        raise Rejected("unknown_request")
