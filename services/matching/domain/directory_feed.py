"""What is said to others when an entry of the directory has changed."""

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar

from services.matching.domain.therapist import Therapist
from shared.contract.matching import (
    CoreRegistration,
    DirectoryEntry,
    HeldAccreditation,
    TherapistChanged,
    TherapistListed,
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


def news(before: Therapist | None, now: Therapist) -> TherapistListed | TherapistChanged | None:
    """What others should hear of an entry; None if nothing has changed that they may know."""
    if before == now:
        return None
    entry = public_entry(now)
    if before is None:
        return TherapistListed(therapist_id=now.id, entry=entry)
    old = public_entry(before)
    changed = tuple(
        field for field in DirectoryEntry.model_fields if getattr(old, field) != getattr(entry, field)
    )
    return TherapistChanged(therapist_id=now.id, changed=changed, entry=entry) if changed else None


def seats_changed(now: Therapist) -> TherapistChanged:
    """A seat was taken or freed, and nothing else."""
    return TherapistChanged(therapist_id=now.id, changed=("seats_free",), entry=public_entry(now))


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
        seats_free=therapist.seats_free,
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
