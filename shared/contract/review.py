"""What review says: a person on the staff has decided, or needs to know more."""

from typing import Annotated, ClassVar

from shared.contract.event import RequestEvent
from shared.contract.ids import DecisionId, ProposalId, RequestId, StaffId, SubjectId, TherapistId
from shared.contract.sealing import Purpose, Sealed
from shared.contract.vocabulary import OnwardRoute, Variant

STREAM = "review.cases"


class MatchConfirmed(RequestEvent):
    """A reviewer chose a therapist from the shortlist; matching takes the seat."""

    type: ClassVar[str] = "attune.review.match-confirmed.v1"
    stream: ClassVar[str] = STREAM

    subject_id: SubjectId
    proposal_id: ProposalId
    decision_id: DecisionId
    decided_by: StaffId
    therapist_id: TherapistId
    overruled: bool
    """Whether the reviewer chose another than the first of the shortlist."""

    considered_seconds: int
    """How long the case was open before the reviewer who decided."""

    variant: Annotated[Variant | None, Sealed(Purpose.CLINICAL)] = None
    """Which of the candidate's pathways was chosen; null for the one that they are listed for."""

    reason: Annotated[str | None, Sealed(Purpose.CLINICAL)] = None
    """Why, in the reviewer's words; always there when overruled."""

    beside: Annotated[tuple[RequestId, ...] | None, Sealed(Purpose.CLINICAL)] = None
    """Who else has a place in the group, as the reviewer was shown; null for one alone, or if not said."""


class RematchRequested(RequestEvent):
    """A reviewer wants another shortlist without certain therapists; matching ranks again."""

    type: ClassVar[str] = "attune.review.rematch-requested.v1"
    stream: ClassVar[str] = STREAM

    subject_id: SubjectId
    proposal_id: ProposalId | None = None
    """The shortlist that was turned down; None when none had been found."""

    decision_id: DecisionId
    decided_by: StaffId
    exclude: tuple[TherapistId, ...]
    reason: Annotated[str | None, Sealed(Purpose.CLINICAL)] = None


class RequestDeclined(RequestEvent):
    """The clinic is not the right place; the client is told where to turn instead."""

    type: ClassVar[str] = "attune.review.request-declined.v1"
    stream: ClassVar[str] = STREAM

    subject_id: SubjectId
    decision_id: DecisionId
    decided_by: StaffId
    onward_route: Annotated[OnwardRoute | None, Sealed(Purpose.CONTACT)]
    """Sealed, for the route itself may say what somebody suffers from."""

    reason: Annotated[str | None, Sealed(Purpose.CLINICAL)]


class InformationRequested(RequestEvent):
    """A reviewer needs to ask something before deciding; notify asks the client to get in touch."""

    type: ClassVar[str] = "attune.review.information-requested.v1"
    stream: ClassVar[str] = STREAM

    subject_id: SubjectId
    decision_id: DecisionId
    decided_by: StaffId
    question: Annotated[str | None, Sealed(Purpose.CLINICAL)]
    """For the status page and the phone call; never for the mail."""
