"""What is said to others of an entry of the directory, and when."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from services.matching.domain.therapist import Therapist
from shared.contract.ids import TherapistId
from shared.contract.matching import (
    CoreRegistration,
    DirectoryEntry,
    DirectoryEvent,
    HeldAccreditation,
    TherapistChanged,
    TherapistListed,
    TherapistRemoved,
)
from shared.contract.vocabulary import (
    AgeGroup,
    Approach,
    Condition,
    Format,
    Mode,
    PreferenceAbout,
    ProblemArea,
    Slot,
)

W = TypeVar("W", bound=StrEnum)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def news(
    therapist_id: TherapistId, told: DirectoryEntry | None, now: DirectoryEntry | None
) -> DirectoryEvent | None:
    """What others should hear of an entry, by what they were last told; None if that is as it was."""
    if now is None:
        return TherapistRemoved(therapist_id=therapist_id)
    if told is None:
        return TherapistListed(therapist_id=therapist_id, entry=now)
    changed = tuple(
        field for field in DirectoryEntry.model_fields if getattr(told, field) != getattr(now, field)
    )
    return TherapistChanged(therapist_id=therapist_id, changed=changed, entry=now) if changed else None


def telling_began(now: datetime, hours: int) -> datetime:
    """When others were last due to be told: always at the same hours, whatever has happened."""
    return now - (now - _EPOCH) % timedelta(hours=hours)


def public_entry(therapist: Therapist) -> DirectoryEntry:
    """A therapist without what is nobody else's business."""
    registration = therapist.registration
    return DirectoryEntry(
        name=therapist.name,
        gender=therapist.gender,
        outcode=therapist.outcode,
        modes=_in_order(Mode, therapist.modes),
        formats=_in_order(Format, therapist.formats),
        age_groups=_in_order(AgeGroup, therapist.age_groups),
        languages=tuple(sorted(therapist.languages)),
        fee_pence=therapist.fee_pence,
        seats_offered=therapist.seats_offered,
        has_seat=therapist.seats_free > 0,
        slots=_in_order(Slot, therapist.slots),
        problem_areas=_in_order(ProblemArea, therapist.problem_areas),
        conditions=_in_order(Condition, therapist.conditions),
        approaches=_in_order(Approach, therapist.approaches),
        affirming=_in_order(PreferenceAbout, therapist.affirming),
        registration=None
        if registration is None
        else CoreRegistration(
            body=registration.body, number=registration.number, expires_on=registration.expires_on
        ),
        accreditations=tuple(
            HeldAccreditation(
                variant=held.variant, route=held.route, expires_on=held.expires_on, cases=held.cases
            )
            for held in therapist.accreditations
        ),
        free_from=therapist.free_from,
        confirmed_on=therapist.confirmed_on,
    )


def _in_order(kind: type[W], words: Iterable[W]) -> tuple[W, ...]:
    chosen = set(words)
    return tuple(word for word in kind if word in chosen)
