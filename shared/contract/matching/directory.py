"""The directory of therapists as others may copy it."""

from datetime import date
from typing import ClassVar

from shared.contract.event import Event, Part
from shared.contract.ids import TherapistId
from shared.contract.matching.streams import DIRECTORY
from shared.contract.vocabulary import (
    AgeGroup,
    Approach,
    Body,
    Condition,
    Format,
    Gender,
    Mode,
    PreferenceAbout,
    ProblemArea,
    Route,
    Slot,
    Variant,
)


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

    has_seat: bool
    """Whether a new client could be taken when this was said; how many is nobody else's business."""


class DirectoryEvent(Event):
    """A fact about one therapist, of which nobody learns whose request brought it about.

    Said at set times, for all that has changed since: not when it became true.
    """

    stream: ClassVar[str] = DIRECTORY
    keyed_by: ClassVar[str] = "therapist_id"
    tells_cause: ClassVar[bool] = False

    therapist_id: TherapistId


class TherapistListed(DirectoryEvent):
    """A therapist is new in the directory, or told anew; whoever keeps a copy adds or replaces them."""

    type: ClassVar[str] = "attune.matching.therapist-listed.v1"

    entry: DirectoryEntry


class TherapistChanged(DirectoryEvent):
    """An entry is not what it was, be it only that a seat is free; whoever keeps a copy replaces it."""

    type: ClassVar[str] = "attune.matching.therapist-changed.v1"

    changed: tuple[str, ...]
    """Which fields of the entry have changed."""

    entry: DirectoryEntry
    """The whole entry as it is now, so that the last event about a therapist says all there is to know."""


class TherapistRemoved(DirectoryEvent):
    """A therapist is in the directory no more; whoever keeps a copy forgets them."""

    type: ClassVar[str] = "attune.matching.therapist-removed.v1"
    is_last: ClassVar[bool] = True
