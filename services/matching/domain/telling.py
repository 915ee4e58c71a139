"""What of a proposal the client may be told and what the therapist; staff read the whole record."""

from collections.abc import Iterator, Sequence

from services.matching.domain import wording
from services.matching.domain.gates import Fit, Search, may_be_unsaid, meets
from services.matching.domain.languages import spoken
from services.matching.domain.therapist import Therapist
from shared.contract.intake import Preference
from shared.contract.vocabulary import (
    Condition,
    Format,
    Mode,
    PreferenceAbout,
    ProblemArea,
    Slot,
    Strength,
    Variant,
)

AGE_BANDS = {
    13: "a child of 12 or younger",
    16: "a young person from 13 to 15",
    18: "a young person of 16 or 17",
    25: "an adult under 25",
    40: "an adult from 25 to 39",
    65: "an adult from 40 to 64",
}
"""By the age at which each band is over; narrow where the law and the forms change, never one year."""

_OF_AGE = 18
OLDEST_BAND = "an adult of 65 or older"

_UNSAID = {Condition.PSYCHOSIS, Condition.OTHER}
"""Never said back in writing: a sign of risk, and a word that says nothing."""

_GIVEN = {
    Format.INDIVIDUAL: "one to one",
    Format.COUPLE: "together with your partner",
    Format.FAMILY: "together with your family",
    Format.GROUP: "in a group",
}
_LIVED = {
    ProblemArea.ROLE_DISPUTE: "conflict between people who are close",
    ProblemArea.ROLE_TRANSITION: "changes in life",
    ProblemArea.GRIEF: "the death of somebody close",
    ProblemArea.INTERPERSONAL_DEFICITS: "what is hard in making and keeping relationships",
}
"""The areas as people live them: their names are the clinic's."""

_WHERE = {Mode.ONLINE: "online", Mode.IN_PERSON: "in person"}
_HOW_MUCH = {Strength.SLIGHT: "slight wish", Strength.STRONG: "strong wish", Strength.MUST: "needed"}


def for_client(search: Search, fit: Fit) -> tuple[str, ...]:
    """In plain words, from nothing but their own answers and this therapist's entry."""
    return tuple(_for_client(search, fit))


def for_therapist(search: Search, fit: Fit) -> tuple[str, ...]:
    """Enough to say yes or no: whom it is for as a band of age, which work, when and in which language."""
    return tuple(_for_therapist(search, fit))


def of_group(slot: Slot) -> str:
    """Of a group the time alone: who else is in it is for staff."""
    return f"The group meets on {wording.slot(slot)}s."


def of_rises(texts: Sequence[str]) -> tuple[str, ...]:
    """What the client could give on so that this therapist suits them better than the one before."""
    return (f"Would suit you better with: {'; '.join(texts)}.",) if texts else ()


def of_others(texts: Sequence[str]) -> tuple[str, ...]:
    """What the client could give on so that somebody else comes first; of that one, nothing."""
    return (f"Somebody else might suit you better with: {'; '.join(texts)}.",) if texts else ()


def _for_client(search: Search, fit: Fit) -> Iterator[str]:
    case, therapist = search.case, fit.therapist
    yield f"{_school(fit)}, {_GIVEN[fit.pathway.format]}, {_WHERE[fit.mode]}."
    if fit.metres is not None:
        yield (
            "In your postcode district."
            if fit.metres == 0
            else f"About {fit.metres / 1000:.1f} km from you in a straight line."
        )
    yield f"The sessions can be in {spoken(fit.language)}."
    if fit.shared_slots:
        yield f"Times that suit you both: {_times(fit)}."
    else:
        yield "The time has still to be agreed: none that you gave is free."
    yield (
        "The sessions cost nothing."
        if not therapist.fee_pence
        else (f"A session costs {wording.pounds(therapist.fee_pence)}.")
    )
    lived = [_LIVED[each.area] for each in search.areas if each.area in therapist.problem_areas]
    if lived:
        yield f"The therapist often works with {wording.joined(lived)}, as in what you told us."
    known = [
        wording.CONDITIONS[each]
        for each in dict.fromkeys(case.conditions)
        if each in therapist.conditions and each not in _UNSAID
    ]
    if known:
        yield f"The therapist has experience with {wording.joined(known)}, which you named."
    first = therapist.free_from
    if first is not None and first > search.on:
        yield f"The first session can be from {wording.day(first)}."
    for wish in case.preferences:
        yield f"{wording.capital(wording.wish(wish))}: {_met(therapist, wish)}."


def _met(therapist: Therapist, wish: Preference) -> str:
    if meets(therapist, wish):
        return "as you wished"
    if may_be_unsaid(wish):
        return "which you wished for; this therapist's entry does not say so"
    return "which you wished for and this therapist is not"


def _for_therapist(search: Search, fit: Fit) -> Iterator[str]:
    case = search.case
    yield f"For {age_band(search.age)}."
    # Never the variant: IPSRT would tell of bipolar disorder to whoever is accredited for more than that.
    yield f"{_school(fit)}, {wording.FORMATS[fit.pathway.format]}, {_WHERE[fit.mode]}."
    yield "You are accredited for the form that it takes."
    areas = [_LIVED[each.area] for each in search.areas]
    yield f"It is about {wording.joined(areas)}." if areas else "What it is about is still open."
    yield f"Times in common: {_times(fit)}." if fit.shared_slots else "No time in common was found."
    yield f"The sessions would be in {spoken(fit.language)}."
    if case.attending_adult and search.age < _OF_AGE:
        yield "An adult would come to every session."
    # Of all wishes only the one that says how they would have to work.
    wishes = [_wish(each) for each in case.preferences if each.about is PreferenceAbout.APPROACH]
    if wishes:
        yield f"Wishes for somebody who is {wording.joined(wishes)}."


def _school(fit: Fit) -> str:
    return "Systemic therapy" if fit.pathway.variant is Variant.SYSTEMIC else "Interpersonal therapy"


def age_band(age: int) -> str:
    """An age so roughly that it points at nobody."""
    return next((band for end, band in AGE_BANDS.items() if age < end), OLDEST_BAND)


def _times(fit: Fit) -> str:
    return wording.joined([wording.slot(each) for each in fit.shared_slots])


def _wish(wish: Preference) -> str:
    return f"{wording.wish(wish)} ({_HOW_MUCH[wish.strength]})"
