"""Gives a request a seat without all that leads to one."""

from services.matching import store
from services.matching.domain.therapist import Therapist
from shared.contract.ids import DecisionId, ProposalId, RequestId, SeatId, SubjectId
from shared.contract.vocabulary import Mode
from shared.kit.database import Database
from shared.kit.identifiers import new_id
from shared.kit.transaction import Transaction


async def a_request_with_a_seat(database: Database, therapist: Therapist) -> RequestId:
    """A request that holds one of the therapist's seats."""
    request_id, proposal_id = RequestId(new_id()), ProposalId(new_id())

    async def propose(tx: Transaction) -> None:
        await store.add_request(tx, request_id, SubjectId(new_id()), b"sealed", tx.now)
        await store.add_proposal(
            tx,
            request_id=request_id,
            proposal_id=proposal_id,
            policy_version="test",
            shortlist=b"sealed",
            named=[therapist.id],
        )

    async with database.transaction() as tx:
        await propose(tx)
        assert await store.take_seat(
            tx,
            SeatId(new_id()),
            therapist_id=therapist.id,
            request_id=request_id,
            proposal_id=proposal_id,
            decision_id=DecisionId(new_id()),
            mode=Mode.ONLINE,
        )
    return request_id
