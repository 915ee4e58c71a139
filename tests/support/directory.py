"""Builds what anybody may know of therapists, and word of it."""

from datetime import date
from typing import Any

from shared.contract import matching
from shared.contract.ids import TherapistId
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
from tests.support.builders import id_of


def an_entry(**changes: Any) -> matching.DirectoryEntry:
    """What anybody may know of a therapist."""
    return matching.DirectoryEntry(
        name="Ada Sampleford",
        gender=Gender.WOMAN,
        outcode="E2",
        modes=(Mode.ONLINE, Mode.IN_PERSON),
        formats=(Format.INDIVIDUAL,),
        age_groups=(AgeGroup.ADULTS,),
        languages=("en", "pl"),
        fee_pence=8000,
        seats_offered=4,
        has_seat=True,
        slots=(Slot.TUE_EVENING, Slot.WED_MORNING),
        problem_areas=(ProblemArea.ROLE_TRANSITION,),
        conditions=(Condition.DEPRESSION,),
        approaches=(Approach.STRUCTURED,),
        affirming=(PreferenceAbout.LGBTQ_AFFIRMING,),
        registration=matching.CoreRegistration(
            body=Body.BACP, number="SYN123456", expires_on=date(2030, 1, 1)
        ),
        accreditations=(
            matching.HeldAccreditation(
                variant=Variant.IPT, route=Route.STANDARD, expires_on=date(2030, 1, 1), cases=20
            ),
        ),
        confirmed_on=date(2026, 11, 24),
    ).model_copy(update=changes)


def a_listing(name: str = "ada", **changes: Any) -> matching.TherapistListed:
    """Word that a therapist is in the directory."""
    return matching.TherapistListed(therapist_id=TherapistId(id_of(name)), entry=an_entry(**changes))


def a_change(*changed: str, name: str = "ada", **changes: Any) -> matching.TherapistChanged:
    """Word that an entry of the directory is not what it was."""
    return matching.TherapistChanged(
        therapist_id=TherapistId(id_of(name)), changed=changed, entry=an_entry(**changes)
    )
