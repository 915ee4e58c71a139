"""What became of a decision: a seat taken, a place held in a group, or neither."""

from enum import StrEnum
from typing import Annotated, ClassVar

from shared.contract.event import Part, RequestEvent
from shared.contract.ids import DecisionId, ProposalId, RequestId, SeatId, StaffId, SubjectId, TherapistId
from shared.contract.matching.shortlist import Group
from shared.contract.matching.streams import STREAM
from shared.contract.sealing import Purpose, Sealed
from shared.contract.vocabulary import Mode, Slot


class TherapistContact(Part):
    """How to reach the therapist of a match."""

    name: str
    email: str


class GroupMeeting(Part):
    """What client and therapist read of a group in a mail: when it meets, not what it is for."""

    slot: Slot
    individual_first: int
    """Sessions alone with the therapist before the group."""


class SeatReserved(RequestEvent):
    """The decided therapist has a seat for this client; only now may anyone say "matched"."""

    type: ClassVar[str] = "attune.matching.seat-reserved.v1"
    stream: ClassVar[str] = STREAM

    subject_id: SubjectId
    proposal_id: ProposalId
    decision_id: DecisionId
    """The human decision that caused it."""

    decided_by: StaffId
    seat_id: SeatId
    therapist_id: TherapistId
    mode: Mode
    therapist: Annotated[TherapistContact | None, Sealed(Purpose.CONTACT)]
    group: Annotated[Group | None, Sealed(Purpose.CLINICAL)] = None
    """The group that the seat is a place in; None for a seat with the therapist alone."""

    meets: Annotated[GroupMeeting | None, Sealed(Purpose.CONTACT)] = None
    """The same for who may open contact fields alone."""


class GroupPlaceHeld(RequestEvent):
    """The client has a place in a group that still gathers; nobody says "matched" before it is formed.

    The type is open like every header, and tells that it is a group; which one, and for whom, is sealed.
    """

    type: ClassVar[str] = "attune.matching.group-place-held.v1"
    stream: ClassVar[str] = STREAM

    subject_id: SubjectId
    proposal_id: ProposalId
    decision_id: DecisionId
    """The human decision that caused it."""

    decided_by: StaffId
    seat_id: SeatId
    """The place; the seat that is reserved when the group is formed is the same one."""

    therapist_id: TherapistId
    group: Annotated[Group | None, Sealed(Purpose.CLINICAL)]


class SeatRefusal(StrEnum):
    """Why a decision could not be carried out."""

    NO_SEAT_LEFT = "no_seat_left"
    NO_LONGER_ELIGIBLE = "no_longer_eligible"
    PROPOSAL_SUPERSEDED = "proposal_superseded"
    REQUEST_CLOSED = "request_closed"
    GROUP_DISSOLVED = "group_dissolved"
    """Too few came in time, or its leader may lead it no longer; its members are offered something else."""

    GROUP_GONE = "group_gone"
    """The group is not there as it was shown: full, gone, begun, or changed in time, mode or language."""

    JOINED_UNSEEN = "joined_unseen"
    """Somebody has a place in the group whom the reviewer was not shown."""


class SeatUnavailable(RequestEvent):
    """The decided therapist cannot take this client after all; the case reopens at the top of the queue."""

    type: ClassVar[str] = "attune.matching.seat-unavailable.v1"
    stream: ClassVar[str] = STREAM

    subject_id: SubjectId | None = None
    """None in records from before it was said."""

    proposal_id: ProposalId
    decision_id: DecisionId
    therapist_id: TherapistId
    reason: SeatRefusal
    members: Annotated[tuple[RequestId, ...] | None, Sealed(Purpose.CLINICAL)] = None
    """With `joined_unseen`: the requests of all who have a place in the group now, the oldest first."""


class TherapistGone(RequestEvent):
    """The therapist of a match has left the directory; the client keeps the seat until staff decide."""

    type: ClassVar[str] = "attune.matching.therapist-gone.v1"
    stream: ClassVar[str] = STREAM

    decision_id: DecisionId
    """The human decision that the match is of."""

    seat_id: SeatId
    therapist_id: TherapistId


class GroupDoubt(StrEnum):
    """Why staff must say what becomes of a group that is formed."""

    TOO_FEW = "too_few"
    """Somebody has left it, and fewer have a place now than it needs."""

    LEADER_LAPSED = "leader_lapsed"
    """Its leader has no valid registration, or no valid accreditation for it, any more."""


class GroupInDoubt(RequestEvent):
    """Something has happened to a formed group; each member keeps the place until staff decide."""

    type: ClassVar[str] = "attune.matching.group-in-doubt.v1"
    stream: ClassVar[str] = STREAM

    decision_id: DecisionId
    """The human decision that the place is of."""

    seat_id: SeatId
    therapist_id: TherapistId
    doubt: GroupDoubt
