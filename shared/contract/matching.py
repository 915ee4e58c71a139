"""What matching says: a shortlist, none found, a place held, a seat taken or gone; and its directory."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AwareDatetime

from shared.contract.event import Event, Part, RequestEvent
from shared.contract.ids import DecisionId, GroupId, ProposalId, SeatId, StaffId, SubjectId, TherapistId
from shared.contract.sealing import Purpose, Sealed
from shared.contract.vocabulary import (
    AgeGroup,
    Approach,
    Body,
    Condition,
    Evidence,
    Format,
    Gender,
    Mode,
    PreferenceAbout,
    ProblemArea,
    Route,
    Slot,
    Variant,
)

STREAM = "matching.proposals"
DIRECTORY = "matching.directory"


class Reason(Part):
    """One term of a candidate's score, with the field of the request it comes from."""

    term: str
    field: str
    points: int
    text: str


class Caution(Part):
    """Something a reviewer should weigh before confirming."""

    code: str
    text: str


class Pathway(Part):
    """A variant and format that fit the person, with the evidence for it."""

    variant: Variant
    format: Format
    rule: str = ""
    """Whom it is for, and how the person meets that."""

    rule_sources: tuple[str, ...] = ()
    """What the rule stands on; `source` is about the evidence alone."""

    evidence: Evidence
    source: str
    cautions: tuple[Caution, ...] = ()


class RuledOut(Part):
    """A variant that does not fit, the rule that says so, and what the rule stands on."""

    variant: Variant
    rule: str
    source: str = ""


class Group(Part):
    """A group that a therapist gathers or leads, at one time of the week; or that confirming would open."""

    group_id: GroupId | None = None
    """None while nobody has a place in it: it is opened by the first who is confirmed."""

    slot: Slot
    language: str
    members: int
    """Who has a place, by a person's decision; nobody who only waits or is proposed."""

    least: int
    """As soon as so many have a place, the group is formed."""

    most: int
    formed: bool = False
    deadline: AwareDatetime | None = None
    """When a group that is not formed by then is dissolved."""

    joinable_until: AwareDatetime | None = None
    """When a formed group first meets; nobody comes in after that."""

    individual_first: int
    """Sessions that each member has alone with the therapist before the group."""

    sessions: int
    minutes: int


class Candidate(Part):
    """One therapist on the shortlist, explained."""

    therapist_id: TherapistId
    name: str
    variant: Variant
    mode: Mode
    score: int
    price: int = 0
    """Points less in the order of the list, never in the score: what keeping the seat for others is worth."""

    distance_km: float | None = None
    fee_pence: int
    seats_free: int
    reasons: tuple[Reason, ...]
    cautions: tuple[Caution, ...] = ()
    unmet: tuple[str, ...] = ()
    """Preferences of the client that this therapist does not meet."""

    group: Group | None = None
    """For a variant given in groups: which group the client would come into."""

    for_client: tuple[str, ...] = ()
    """What the client may be told of it: about themselves only, no sign of risk."""

    for_therapist: tuple[str, ...] = ()
    """What the therapist may be told before saying yes: nothing that tells who it is."""


class GateCount(Part):
    """How many therapists one gate kept out."""

    gate: str
    therapists: int


class Concession(Part):
    """Something the client could give on, so that somebody who fits better would come first."""

    code: str
    text: str
    """About the client alone: `Tuesday evenings as well`."""

    therapist_id: TherapistId
    name: str
    score: int


class NextBest(Part):
    """Who would score best of those whom exactly one gate keeps out, and which; for staff alone."""

    therapist_id: TherapistId
    name: str
    variant: Variant
    score: int
    gate: str
    text: str


class Shortlist(Part):
    """Whom matching proposes, in order, and what led there."""

    candidates: tuple[Candidate, ...]
    pathways: tuple[Pathway, ...]
    ruled_out: tuple[RuledOut, ...] = ()
    gates: tuple[GateCount, ...] = ()
    concessions: tuple[Concession, ...] = ()
    next_best: NextBest | None = None


class MatchProposed(RequestEvent):
    """Matching ranked therapists; a reviewer decides."""

    type: ClassVar[str] = "attune.matching.match-proposed.v1"
    stream: ClassVar[str] = STREAM

    subject_id: SubjectId
    proposal_id: ProposalId
    policy_version: str
    shortlist: Annotated[Shortlist | None, Sealed(Purpose.CLINICAL)]


class NothingFound(Part):
    """Why no therapist fits for now."""

    pathways: tuple[Pathway, ...]
    ruled_out: tuple[RuledOut, ...] = ()
    gates: tuple[GateCount, ...] = ()
    text: str
    concessions: tuple[Concession, ...] = ()
    next_best: NextBest | None = None


class Shortfall(StrEnum):
    """What stands in the way of a shortlist; says nothing about the person."""

    NOBODY_FREE = "nobody_free"
    """Somebody may fit once a place is free: the request waits."""

    NO_WAY_FITS = "no_way_fits"
    """No form of therapy here is for this request, whoever is free: a person decides what becomes of it."""


class WaitWeeks(Part):
    """How long the middle half of those who waited lately did, in whole weeks; not about this person."""

    least: int
    """A quarter had a shortlist sooner; always less than `most`."""

    most: int
    """Three quarters had one by then."""


class MatchNotFound(RequestEvent):
    """No therapist fits for now: the request waits and the client is told; or a person looks at it."""

    type: ClassVar[str] = "attune.matching.match-not-found.v1"
    stream: ClassVar[str] = STREAM

    subject_id: SubjectId
    policy_version: str
    shortfall: Shortfall = Shortfall.NOBODY_FREE
    wait_weeks: WaitWeeks | None = None
    """None where it is not known, or where nothing is waited for; said again when it has changed."""

    findings: Annotated[NothingFound | None, Sealed(Purpose.CLINICAL)]


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
    """The client has a place in a group that still gathers; nobody says "matched" before it is formed."""

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
    """Too few had a place by the group's deadline; whoever had one is offered something else."""


class SeatUnavailable(RequestEvent):
    """The decided therapist cannot take this client after all; the case reopens at the top of the queue."""

    type: ClassVar[str] = "attune.matching.seat-unavailable.v1"
    stream: ClassVar[str] = STREAM

    proposal_id: ProposalId
    decision_id: DecisionId
    therapist_id: TherapistId
    reason: SeatRefusal


class CoreRegistration(Part):
    """A core profession, live up to and including its last day."""

    body: Body
    number: str
    expires_on: date


class HeldAccreditation(Part):
    """The right to practise one variant, live up to and including its last day."""

    variant: Variant
    route: Route
    expires_on: date
    cases: int


class DirectoryEntry(Part):
    """What anybody may know of a therapist: no e-mail address, and nothing about clients."""

    name: str
    gender: Gender
    outcode: str
    modes: tuple[Mode, ...]
    formats: tuple[Format, ...]
    age_groups: tuple[AgeGroup, ...]
    languages: tuple[str, ...]
    fee_pence: int
    seats_offered: int
    seats_free: int
    slots: tuple[Slot, ...]
    problem_areas: tuple[ProblemArea, ...]
    conditions: tuple[Condition, ...]
    approaches: tuple[Approach, ...]
    affirming: tuple[PreferenceAbout, ...]
    registration: CoreRegistration | None
    accreditations: tuple[HeldAccreditation, ...]
    free_from: date | None = None
    """When a first session can be, if not at once."""

    confirmed_on: date
    """When the entry was last confirmed to be true."""


class TherapistListed(Event):
    """A therapist is new in the directory; whoever keeps a copy adds them."""

    type: ClassVar[str] = "attune.matching.therapist-listed.v1"
    stream: ClassVar[str] = DIRECTORY
    keyed_by: ClassVar[str] = "therapist_id"

    therapist_id: TherapistId
    entry: DirectoryEntry


class TherapistChanged(Event):
    """An entry is not what it was, be it only a seat taken or freed; whoever keeps a copy replaces it."""

    type: ClassVar[str] = "attune.matching.therapist-changed.v1"
    stream: ClassVar[str] = DIRECTORY
    keyed_by: ClassVar[str] = "therapist_id"

    therapist_id: TherapistId
    changed: tuple[str, ...]
    """Which fields of the entry have changed."""

    entry: DirectoryEntry
    """The whole entry as it is now, so that the last event about a therapist says all there is to know."""
