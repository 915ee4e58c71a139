"""Gives a request a seat without all that leads to one, and says what becomes of it."""

from services.matching import store
from services.matching.domain.therapist import Therapist
from shared.contract.ids import DecisionId, ProposalId, RequestId, SeatId, SubjectId, TherapistId
from shared.contract.vocabulary import Mode
from shared.kit.database import Database
from shared.kit.identifiers import new_id


async def a_proposed_request(database: Database, therapist_id: TherapistId) -> tuple[RequestId, ProposalId]:
    """A request that was proposed a therapist."""
    request_id, proposal_id = RequestId(new_id()), ProposalId(new_id())
    async with database.transaction() as tx:
        await store.add_request(tx, request_id, SubjectId(new_id()), b"sealed", tx.now)
        await store.add_proposal(
            tx,
            request_id=request_id,
            proposal_id=proposal_id,
            policy_version="test",
            shortlist=b"sealed",
            named=[therapist_id],
        )
    return request_id, proposal_id


async def take(
    database: Database, therapist_id: TherapistId, request_id: RequestId, proposal_id: ProposalId
) -> bool:
    """Takes the seat; False if none is left."""
    async with database.transaction() as tx:
        return await store.take_seat(
            tx,
            SeatId(new_id()),
            therapist_id=therapist_id,
            request_id=request_id,
            proposal_id=proposal_id,
            decision_id=DecisionId(new_id()),
            mode=Mode.ONLINE,
        )


async def a_request_with_a_seat(database: Database, therapist: Therapist) -> RequestId:
    """A request that holds one of the therapist's seats."""
    request_id, proposal_id = await a_proposed_request(database, therapist.id)
    assert await take(database, therapist.id, request_id, proposal_id)
    return request_id


async def end_course(database: Database, request_id: RequestId) -> bool:
    """Ends the course of who has a seat or is in a formed group, as the command does; False if nobody is."""
    async with database.transaction() as tx:
        held = await store.lock_held(tx, request_id)
        if held is None or held.freed_at is not None or held.gathers:
            return False
        return await store.end_course(tx, held)


async def state_of(database: Database, request_id: RequestId) -> store.State:
    """What has become of a request."""
    async with database.transaction() as tx:
        request = await store.lock_request(tx, request_id)
    assert request is not None
    return request.state
