"""What intake says: a request was taken in, sent back, or withdrawn."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from shared.contract.event import Part, RequestEvent
from shared.contract.ids import SubjectId
from shared.contract.sealing import Purpose, Sealed
from shared.contract.vocabulary import (
    Condition,
    Door,
    FlagKind,
    Format,
    LifeEvent,
    Mode,
    PreferenceAbout,
    ProblemArea,
    RequesterRole,
    Slot,
    Strength,
    Therapy,
)

STREAM = "intake.requests"
REJECTIONS = "intake.rejections"


class Contact(Part):
    """Whom to reach, and how it is safe to do so."""

    client_name: str
    client_phone: str | None = None
    requester_role: RequesterRole
    requester_name: str | None = None
    requester_phone: str | None = None
    write_to_name: str
    write_to_email: str
    """The one address that mails about this request go to."""

    may_leave_message: bool = False
    """Whether a voice message may be left."""

    status_url: str
    """The secret link to the status page."""


class Preference(Part):
    """Something the client wishes for in a therapist, with how much it matters."""

    about: PreferenceAbout
    wish: str
    strength: Strength


class Flag(Part):
    """A risk sign with its evidence; it goes to a person and is never a level."""

    kind: FlagKind
    field: str
    """Where it was seen."""

    evidence: str
    """What was answered or written there."""


class CaseDetails(Part):
    """What matching and review need to know of the person; nothing of it names them."""

    date_of_birth: date
    outcode: str | None = None
    """The first half of the postcode; the rest is not kept."""

    therapy: Therapy
    mode: Mode
    format: Format
    max_distance_km: int | None = None
    max_fee_pence: int | None = None
    availability: tuple[Slot, ...]
    languages: tuple[str, ...]
    """ISO 639-1 codes, or of ISO 639-3 where that has none; the preferred one first."""

    problem_areas: tuple[ProblemArea, ...] = ()
    life_event: LifeEvent | None = None
    conditions: tuple[Condition, ...] = ()
    diagnosed: bool | None = None
    """Whether a professional has diagnosed one of the conditions; None if not known."""

    preferences: tuple[Preference, ...] = ()
    attending_adult: bool = False
    """Whether an adult would come to every session."""

    in_own_words: str = ""
    flags: tuple[Flag, ...] = ()


class RequestSubmitted(RequestEvent):
    """A complete, consented request; matching ranks therapists, notify acknowledges it."""

    type: ClassVar[str] = "attune.intake.request-submitted.v1"
    stream: ClassVar[str] = STREAM

    subject_id: SubjectId
    door: Door
    partner: str | None = None
    consented_at: AwareDatetime
    contact: Annotated[Contact | None, Sealed(Purpose.CONTACT)]
    details: Annotated[CaseDetails | None, Sealed(Purpose.CLINICAL)]


class Fault(Part):
    """One thing that is wrong with a submission: where, and which rule it breaks; never the value."""

    field: str
    rule: str


class SubmissionRejected(RequestEvent):
    """A partner's submission cannot be taken in; the partner mends it and sends it again."""

    type: ClassVar[str] = "attune.intake.submission-rejected.v1"
    stream: ClassVar[str] = REJECTIONS

    partner: str | None = None
    """Who sent it, as far as that could be read."""

    submission_id: str | None = None
    """The partner's CloudEvents id."""

    reference: str | None = None
    """The partner's own reference."""

    faults: Annotated[tuple[Fault, ...], Field(min_length=1)]
    onward_route: str | None = None
    """Where the person can turn, when it is the clinic that cannot serve them."""


class WithdrawalReason(StrEnum):
    """Why a request ends before a match."""

    CLIENT_ASKED = "client_asked"
    PARTNER_ASKED = "partner_asked"


class RequestWithdrawn(RequestEvent):
    """The client no longer wants a match; everyone stops, and a seat that was taken is freed."""

    type: ClassVar[str] = "attune.intake.request-withdrawn.v1"
    stream: ClassVar[str] = STREAM

    reason: WithdrawalReason
