"""One function per event that matching hears."""

from services.matching import store
from services.matching.handlers.closing import ERASED, close
from services.matching.handlers.proposing import propose_or_wait
from services.matching.handlers.ranking import Matcher
from services.matching.handlers.reading import keep_request, open_request
from services.matching.handlers.refusing import refused
from services.matching.handlers.seating import reserve
from shared.contract.intake import RequestSubmitted, RequestWithdrawn
from shared.contract.matching import SeatRefusal
from shared.contract.review import MatchConfirmed, RematchRequested, RequestDeclined
from shared.kit.errors import NotYet
from shared.kit.handlers import Handlers
from shared.kit.transaction import Transaction

handlers = Handlers()


@handlers.on(RequestSubmitted)
async def propose_match(event: RequestSubmitted, tx: Transaction, matcher: Matcher) -> None:
    """Ranks therapists for a new request."""
    submitted_at = tx.now if tx.cause is None else tx.cause.time
    request = await keep_request(event, tx, submitted_at)
    if request is not None:
        await propose_or_wait(request, tx, matcher)


@handlers.on(MatchConfirmed)
async def seat_client(event: MatchConfirmed, tx: Transaction, matcher: Matcher) -> None:
    """Takes the seat that a person decided on, or says that it has gone and proposes afresh."""
    request = await store.lock_request(tx, event.request_id)
    if request is None:
        raise NotYet("the request")
    if await store.decision_has_seat(tx, event.decision_id):
        return
    case = None if request.state is store.State.CLOSED else await open_request(tx, request)
    if case is None:
        await close(request, tx, ERASED)
        await tx.publish(refused(event, SeatRefusal.REQUEST_CLOSED))
        return
    if request.state is not store.State.PROPOSED or request.proposal_id != event.proposal_id:
        await tx.publish(refused(event, SeatRefusal.PROPOSAL_SUPERSEDED))
        return

    refusal = await reserve(event, case, tx, matcher.rules)
    # Either way this proposal holds nobody else's first choice back any more.
    await store.want_reoffer(tx, "a proposal was decided")
    if refusal is not None:
        await tx.publish(refusal)
        # The reviewer finds a list that can be confirmed; the gates keep off it who no longer qualifies.
        await propose_or_wait(case, tx, matcher)


@handlers.on(RematchRequested)
async def propose_again(event: RematchRequested, tx: Transaction, matcher: Matcher) -> None:
    """Ranks again without those turned down; the request keeps its place in the queue."""
    request = await store.lock_request(tx, event.request_id)
    if request is None:
        raise NotYet("the request")
    if request.state is store.State.CLOSED:
        return
    case = await open_request(tx, request)
    if case is None:
        await close(request, tx, ERASED)
        return

    await store.exclude(tx, event.request_id, event.exclude, event.decision_id)
    await store.give_back(tx, event.request_id, "rematch")
    await store.want_reoffer(tx, "a proposal was turned down")
    await propose_or_wait(case, tx, matcher)


@handlers.on(RequestDeclined)
async def close_declined(event: RequestDeclined, tx: Transaction) -> None:
    """Stops looking, and frees the seat if one was taken."""
    request = await store.lock_request(tx, event.request_id)
    if request is None:
        raise NotYet("the request")
    await close(request, tx, "declined")


@handlers.on(RequestWithdrawn)
async def close_withdrawn(event: RequestWithdrawn, tx: Transaction) -> None:
    """Stops looking, and frees the seat if one was taken."""
    request = await store.lock_request(tx, event.request_id)
    if request is None:
        # Its submission is ahead in the same stream, so it was parked; if replayed, it stays closed.
        await store.close_request(tx, event.request_id, "withdrawn")
        return
    await close(request, tx, "withdrawn")
