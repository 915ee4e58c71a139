"""What review hears: a case is built from it, and what is old or late changes nothing."""

from datetime import datetime

from services.review.domain import case as cases_domain
from services.review.domain.case import Case
from services.review.store import audit, cases, messages
from shared.contract.intake import RequestSubmitted, RequestWithdrawn
from shared.contract.matching import (
    GroupInDoubt,
    GroupPlaceHeld,
    MatchNotFound,
    MatchProposed,
    SeatReserved,
    SeatUnavailable,
    TherapistGone,
)
from shared.contract.notify import MessageFailed, MessageSent, MessageUncertain
from shared.contract.sealing import opened
from shared.kit.handlers import Handlers
from shared.kit.transaction import Transaction

handlers = Handlers()


@handlers.on(RequestSubmitted)
async def open_case(event: RequestSubmitted, tx: Transaction) -> None:
    """Opens a case."""
    if await cases.add_case(tx, event, _said_at(tx)):
        await audit.add_for_case(
            tx,
            actor="intake",
            action="submitted",
            request_id=event.request_id,
            subject_id=event.subject_id,
            case_version=1,
        )


@handlers.on(RequestWithdrawn)
async def close_case(event: RequestWithdrawn, tx: Transaction) -> None:
    """Closes the case at the client's wish."""
    before = await cases.get_case(tx, event.request_id)
    after = cases_domain.withdrawn(before)
    if after is not None:
        await cases.save(tx, before, after)
        await audit.note(tx, "intake", "withdrawn", after, because=event.reason.value)


@handlers.on(MatchProposed)
async def put_before_staff(event: MatchProposed, tx: Transaction) -> None:
    """Puts the shortlist before staff."""
    before = await cases.get_case(tx, event.request_id)
    shortlist = opened(event.shortlist)
    therapists = [each.therapist_id for each in shortlist.candidates]
    after = cases_domain.proposed(before, event.proposal_id, therapists, _counted(tx, before), tx.now)
    if after is not None:
        await cases.save(tx, before, after, shortlist=shortlist, policy_version=event.policy_version)
        await audit.note(tx, "matching", "proposed", after, candidates=len(therapists))


@handlers.on(MatchNotFound)
async def put_on_hold(event: MatchNotFound, tx: Transaction) -> None:
    """Shows staff why nobody fits for now."""
    before = await cases.get_case(tx, event.request_id)
    after = cases_domain.nobody_found(before, event.shortfall, _counted(tx, before), tx.now)
    if after is not None:
        findings = cases.Findings(**dict(opened(event.findings)), wait_weeks=event.wait_weeks)
        await cases.save(tx, before, after, findings=findings, policy_version=event.policy_version)
        if after.version != before.version:
            await audit.note(tx, "matching", "nobody_found", after, shortfall=event.shortfall.value)


@handlers.on(GroupPlaceHeld)
async def note_place(event: GroupPlaceHeld, tx: Transaction) -> None:
    """Notes that a place is held in a group that still gathers."""
    before = await cases.get_case(tx, event.request_id)
    group = opened(event.group)
    after = cases_domain.placed(before, event.decision_id, event.seat_id, group.group_id)
    if after is not None:
        await cases.save(tx, before, after, group=group)
        await audit.note(tx, "matching", "place_held", after, seat_id=str(event.seat_id))


@handlers.on(SeatReserved)
async def note_match(event: SeatReserved, tx: Transaction) -> None:
    """Notes that the decided therapist has a seat."""
    before = await cases.get_case(tx, event.request_id)
    group_id = event.group.group_id if event.group is not None else None
    after = cases_domain.seated(before, event.decision_id, event.seat_id, group_id)
    if after is not None:
        await cases.save(tx, before, after, group=event.group)
        await audit.note(tx, "matching", "seat_reserved", after, seat_id=str(event.seat_id))


@handlers.on(SeatUnavailable)
async def reopen_case(event: SeatUnavailable, tx: Transaction) -> None:
    """Reopens the case at the top of the queue."""
    before = await cases.get_case(tx, event.request_id)
    after = cases_domain.seat_gone(before, event.decision_id, event.reason, tx.now)
    if after is not None:
        told = None
        if event.members is not None:
            told = cases.MembersTold(therapist_id=event.therapist_id, members=event.members)
        await cases.save(tx, before, after, told=told)
        await audit.note(tx, "matching", "seat_unavailable", after, because=event.reason.value)


@handlers.on(TherapistGone)
async def ask_whether_it_goes_on(event: TherapistGone, tx: Transaction) -> None:
    """Puts a match whose therapist has left the directory at the top of the queue."""
    before = await cases.get_case(tx, event.request_id)
    after = cases_domain.therapist_gone(before, event.decision_id, tx.now)
    if after is not None:
        await cases.save(tx, before, after)
        await audit.note(tx, "matching", "therapist_gone", after)


@handlers.on(GroupInDoubt)
async def ask_what_becomes_of_group(event: GroupInDoubt, tx: Transaction) -> None:
    """Puts a match in a group that cannot go on as it is at the top of the queue."""
    before = await cases.get_case(tx, event.request_id)
    after = cases_domain.group_in_doubt(before, event.decision_id, event.doubt, tx.now)
    if after is not None:
        await cases.save(tx, before, after)
        await audit.note(tx, "matching", "group_in_doubt", after, because=event.doubt.value)


@handlers.on(MessageSent)
async def note_sent(event: MessageSent, tx: Transaction) -> None:
    """Notes a mail that was accepted."""
    await _note_mail(event, tx)


@handlers.on(MessageFailed)
async def note_failed(event: MessageFailed, tx: Transaction) -> None:
    """Notes a mail that did not go out."""
    await _note_mail(event, tx)


@handlers.on(MessageUncertain)
async def note_uncertain(event: MessageUncertain, tx: Transaction) -> None:
    """Notes a mail of which nobody can know."""
    await _note_mail(event, tx)


async def _note_mail(event: MessageSent | MessageFailed | MessageUncertain, tx: Transaction) -> None:
    await cases.get_case(tx, event.request_id)
    counted = tx.cause.aggregate_version if tx.cause is not None else None
    await messages.note(tx, event, counted or 0, _said_at(tx))


def _counted(tx: Transaction, case: Case) -> int:
    """How far the producer had counted for this request; without a count, news is taken as it comes."""
    counted = tx.cause.aggregate_version if tx.cause is not None else None
    return counted if counted is not None else case.heard + 1


def _said_at(tx: Transaction) -> datetime:
    return tx.cause.time if tx.cause is not None else tx.now
