"""Says why a decision cannot be carried out."""

from collections.abc import Sequence

from shared.contract.ids import RequestId
from shared.contract.matching import SeatRefusal, SeatUnavailable
from shared.contract.review import MatchConfirmed


def refused(
    decision: MatchConfirmed, reason: SeatRefusal, members: Sequence[RequestId] | None = None
) -> SeatUnavailable:
    """What is said to a decision that gives nothing; `members` are those to look at before another."""
    return SeatUnavailable(
        request_id=decision.request_id,
        subject_id=decision.subject_id,
        proposal_id=decision.proposal_id,
        decision_id=decision.decision_id,
        therapist_id=decision.therapist_id,
        reason=reason,
        members=None if members is None else tuple(members),
    )
