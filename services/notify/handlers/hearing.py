"""One function per event heard: each writes messages, none sends; nothing here opens a clinical field."""

from collections.abc import Container, Sequence

from services.notify import store
from services.notify.domain.jobs import (
    MAY_HAVE_ARRIVED,
    NO_LONGER_WANTED,
    PROMISES,
    PROMISES_TAKEN_BACK,
    UNTRUE_ONCE_CLOSED,
    UNTRUE_ONCE_DISSOLVED,
    UNTRUE_ONCE_HELD,
    UNTRUE_ONCE_MATCHED,
    UNTRUE_ONCE_PROPOSED,
    UNTRUE_ONCE_TURNED_DOWN,
    Status,
)
from services.notify.domain.onward import STEPS
from services.notify.domain.wording import meetings
from services.notify.handlers.telling import settle
from services.notify.handlers.writing import Desk, sealed_contact
from services.notify.store import Correspondent, Message
from shared.contract.ids import RequestId
from shared.contract.intake import RequestSubmitted, RequestWithdrawn
from shared.contract.matching import (
    GroupPlaceHeld,
    MatchNotFound,
    MatchProposed,
    SeatRefusal,
    SeatReserved,
    SeatUnavailable,
    Shortfall,
)
from shared.contract.review import InformationRequested, RematchRequested, RequestDeclined
from shared.contract.sealing import Purpose, opened
from shared.contract.vocabulary import MessageKind
from shared.kit.errors import NotYet, Rejected
from shared.kit.handlers import Handlers
from shared.kit.transaction import Transaction
from shared.waiting import waiting_time

handlers = Handlers()


@handlers.on(RequestSubmitted)
async def acknowledge(event: RequestSubmitted, tx: Transaction, desk: Desk) -> None:
    """Keeps whom to write to, and thanks them."""
    contact = opened(event.contact).model_dump_json().encode()
    sealed = await tx.seal(event.subject_id, Purpose.CONTACT, contact)
    if await store.add_correspondent(tx, event.request_id, event.subject_id, sealed):
        who = await _correspondent(tx, event.request_id)
        await desk.write_to_client(tx, who, MessageKind.ACKNOWLEDGEMENT)


@handlers.on(MatchNotFound)
async def tell_of_waiting(event: MatchNotFound, tx: Transaction, desk: Desk) -> None:
    """Tells the client that nobody is free yet: once, and not with every new ranking."""
    who = await _correspondent(tx, event.request_id)
    if event.shortfall is Shortfall.NO_WAY_FITS:
        # Nothing here is for this request, so it does not wait: a person writes what becomes of it.
        await _hold_back_waiting(tx, who)
        return
    if who.waiting_told or who.closed:
        return
    await store.set_waiting_told(tx, event.request_id, told=True)
    told = waiting_time(event.wait_weeks)
    await desk.write_to_client(tx, who, MessageKind.WAITING, waiting_time=told)


@handlers.on(MatchProposed)
async def hold_back_waiting(event: MatchProposed, tx: Transaction) -> None:
    """Holds back word of waiting that has not gone out; of a find the client hears when it is certain."""
    who = await store.find_correspondent(tx, event.request_id)
    if who is not None:
        await _hold_back_waiting(tx, who)


@handlers.on(GroupPlaceHeld)
async def tell_of_place(event: GroupPlaceHeld, tx: Transaction, desk: Desk) -> None:
    """Tells the client that a place is kept in a group that is not complete; nobody is matched yet."""
    who = await _correspondent(tx, event.request_id)
    if who.closed or who.turned_down == event.proposal_id:
        return
    await _hold_back(tx, event.request_id, UNTRUE_ONCE_HELD)
    await store.set_waiting_told(tx, event.request_id, told=False)
    await desk.write_to_client(tx, who, MessageKind.PLACE_HELD)


@handlers.on(SeatUnavailable)
async def tell_of_waiting_again(event: SeatUnavailable, tx: Transaction, desk: Desk) -> None:
    """Tells the client that the group did not come about; of any other seat they were never told."""
    who = await _correspondent(tx, event.request_id)
    if event.reason is not SeatRefusal.GROUP_DISSOLVED or who.closed:
        return
    await _hold_back(tx, event.request_id, UNTRUE_ONCE_DISSOLVED)
    # Should nobody be found now, this has told them already that they wait.
    await store.set_waiting_told(tx, event.request_id, told=True)
    await desk.write_to_client(tx, who, MessageKind.WAITING_AGAIN)


@handlers.on(SeatReserved)
async def tell_of_match(event: SeatReserved, tx: Transaction, desk: Desk) -> None:
    """Tells client and therapist: a person has decided, and the seat is taken."""
    who = await _correspondent(tx, event.request_id)
    if who.closed or who.turned_down == event.proposal_id:
        return
    therapist, in_group = opened(event.therapist), event.meets is not None
    how = meetings(event.mode, event.meets)
    await store.set_therapist(tx, event.request_id, await sealed_contact(tx, who, therapist))
    await _hold_back(tx, event.request_id, UNTRUE_ONCE_MATCHED)
    await desk.write_to_client(tx, who, MessageKind.MATCHED, therapist=therapist.name, meetings=how)
    await desk.write_to_therapist(tx, who, MessageKind.REFERRAL, therapist, meetings=how, in_group=in_group)


@handlers.on(RematchRequested)
async def tell_of_looking_again(event: RematchRequested, tx: Transaction, desk: Desk) -> None:
    """Takes back a match that has come to nothing, from whoever may have heard of it."""
    who = await _correspondent(tx, event.request_id)
    if who.closed or event.proposal_id is None:
        return
    # Should the seat be heard of only now, it has been given back already.
    await store.turn_down(tx, event.request_id, event.proposal_id)
    before = await store.messages_about(tx, event.request_id)
    await _hold_back(tx, event.request_id, UNTRUE_ONCE_TURNED_DOWN)
    if _stands(before, _REFERRAL, _REFERRAL_TAKEN_BACK):
        await desk.withdraw_from_therapist(tx, who)
    if _stands(before, PROMISES, PROMISES_TAKEN_BACK):
        await desk.write_to_client(tx, who, MessageKind.LOOKING_AGAIN)


@handlers.on(RequestDeclined)
async def tell_where_to_turn(event: RequestDeclined, tx: Transaction, desk: Desk) -> None:
    """Tells the client where they find help instead."""
    who = await _correspondent(tx, event.request_id)
    if who.closed:
        return
    step = STEPS[opened(event.onward_route)]
    await _close(tx, desk, who)
    await desk.write_to_client(tx, who, MessageKind.DECLINED, step=step)


@handlers.on(InformationRequested)
async def ask_to_get_in_touch(event: InformationRequested, tx: Transaction, desk: Desk) -> None:
    """Asks the client to get in touch; the question itself is not for a mail."""
    who = await _correspondent(tx, event.request_id)
    if not who.closed:
        await desk.write_to_client(tx, who, MessageKind.INFORMATION)


@handlers.on(RequestWithdrawn)
async def stop_writing(event: RequestWithdrawn, tx: Transaction, desk: Desk) -> None:
    """Holds back what is no longer true, and tells the client and a therapist who may know of them."""
    who = await store.find_correspondent(tx, event.request_id)
    if who is None:
        # The request comes before this on the same stream: it will not come by waiting, it has been parked.
        raise Rejected("unknown_request")
    if who.closed:
        return
    await _close(tx, desk, who)
    await desk.write_to_client(tx, who, MessageKind.WITHDRAWN)


async def _correspondent(tx: Transaction, request_id: RequestId) -> Correspondent:
    who = await store.find_correspondent(tx, request_id)
    if who is None:
        raise NotYet("the request itself")
    return who


async def _close(tx: Transaction, desk: Desk, who: Correspondent) -> None:
    await store.close(tx, who.request_id)
    before = await store.messages_about(tx, who.request_id)
    await _hold_back(tx, who.request_id, UNTRUE_ONCE_CLOSED)
    if _stands(before, _REFERRAL, _REFERRAL_TAKEN_BACK):
        await desk.withdraw_from_therapist(tx, who)


_REFERRAL = frozenset({MessageKind.REFERRAL})
_REFERRAL_TAKEN_BACK = frozenset({MessageKind.REFERRAL_WITHDRAWN})


def _stands(
    messages: Sequence[Message], promises: Container[MessageKind], taken_back_by: Container[MessageKind]
) -> bool:
    """Whether the last promise that may have arrived has not been taken back."""
    said = [
        each
        for each in messages
        if each.kind in taken_back_by or (each.kind in promises and each.status in MAY_HAVE_ARRIVED)
    ]
    return bool(said) and said[-1].kind in promises


async def _hold_back_waiting(tx: Transaction, who: Correspondent) -> None:
    if who.waiting_told and await _hold_back(tx, who.request_id, UNTRUE_ONCE_PROPOSED):
        await store.set_waiting_told(tx, who.request_id, told=False)


async def _hold_back(tx: Transaction, request_id: RequestId, kinds: Container[MessageKind]) -> bool:
    """Holds back messages of these kinds; True if one of them had not gone out at all."""
    held = False
    for message in await store.messages_about(tx, request_id):
        if message.kind not in kinds:
            continue
        if message.status is Status.PENDING:
            await settle(tx, message, NO_LONGER_WANTED)
            held = True
        elif message.status in {Status.SENDING, Status.UNCERTAIN}:
            # It may be on its way, but it is not tried again.
            await store.mark_unwanted(tx, message)
    return held
