"""The hard rules: whether a therapist may be proposed for a pathway at all, and which gate keeps them out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from services.matching.domain.areas import Area
from services.matching.domain.languages import Common, common
from services.matching.domain.place import Places, Position, metres_between
from services.matching.domain.policy import Policy
from services.matching.domain.therapist import Accreditation, Route, Therapist
from shared.contract.ids import TherapistId
from shared.contract.intake import CaseDetails, Preference
from shared.contract.matching import Pathway
from shared.contract.vocabulary import Mode, PreferenceAbout, RequesterRole, Slot, Strength, Variant


class Gate(StrEnum):
    """The gates in the order in which they are tried; who fails one is not tried on the next."""

    EXCLUDED = "excluded"
    REGISTRATION = "registration"
    ACCREDITATION = "accreditation"
    PRIVATE_PRACTICE = "private_practice"
    AGE_GROUP = "age_group"
    FORMAT = "format"
    LANGUAGE = "language"
    MODE = "mode"
    DISTANCE = "distance"
    FEE = "fee"
    MUST_HAVE = "must_have"
    FRESH = "fresh"
    START = "start"
    SEAT = "seat"


@dataclass(frozen=True, slots=True)
class Search:
    """One case on one day, with everything about it that is the same for every therapist."""

    case: CaseDetails
    on: date
    age: int
    areas: tuple[Area, ...]
    position: Position | None
    excluded: frozenset[TherapistId] = frozenset()
    spoken_for: Mapping[TherapistId, int] = field(default_factory=dict)
    """Free seats that others were offered first."""

    credit: int = 0
    """For having waited: so many points of every price do not count."""

    asked_by: RequesterRole | None = None
    """Who asks, as far as it is known."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A therapist who passes every gate of a pathway, and how it would be."""

    therapist: Therapist
    pathway: Pathway
    accreditation: Accreditation
    mode: Mode
    metres: int | None
    shared_slots: tuple[Slot, ...]
    language: Common
    """The first that counts; in a group, the one that it meets in."""


def check(  # noqa: PLR0911 - a gate, a return
    search: Search, pathway: Pathway, therapist: Therapist, policy: Policy, places: Places
) -> Fit | Gate:
    """How the therapist fits, or the first gate that keeps them out."""
    case = search.case
    if therapist.id in search.excluded:
        return Gate.EXCLUDED
    held = credentials(therapist, pathway.variant, search.on)
    if isinstance(held, Gate):
        return held
    if not any(search.age in policy.age_groups[group] for group in therapist.age_groups):
        return Gate.AGE_GROUP
    if pathway.format not in therapist.formats:
        return Gate.FORMAT
    language = common(case.languages, therapist.languages)
    if language is None:
        return Gate.LANGUAGE
    where = _where(search, therapist, policy, places)
    if isinstance(where, Gate):
        return where
    if case.max_fee_pence is not None and therapist.fee_pence > case.max_fee_pence:
        return Gate.FEE
    if not all(meets(therapist, wish) for wish in case.preferences if wish.strength is Strength.MUST):
        return Gate.MUST_HAVE
    if not is_fresh(therapist, search.on, policy):
        return Gate.FRESH
    if not begins_in_time(therapist, search.on, policy):
        return Gate.START
    if therapist.seats_free - search.spoken_for.get(therapist.id, 0) < 1:
        return Gate.SEAT
    mode, metres = where
    shared = tuple(slot for slot in Slot if slot in case.availability and slot in therapist.slots)
    return Fit(therapist, pathway, held, mode, metres, shared, language)


def credentials(therapist: Therapist, variant: Variant, on: date) -> Accreditation | Gate:
    """What somebody holds for a variant, with a registration that is live; or the gate that bars them."""
    held = therapist.accreditation_for(variant)
    if therapist.registration is None or therapist.registration.expires_on < on:
        # Somebody without a core profession comes by the KSA route, and is kept out as such.
        return Gate.PRIVATE_PRACTICE if held is not None and held.route is Route.KSA else Gate.REGISTRATION
    if held is None or held.expires_on < on:
        return Gate.ACCREDITATION
    return Gate.PRIVATE_PRACTICE if held.route is Route.KSA else held


def is_fresh(therapist: Therapist, on: date, policy: Policy) -> bool:
    """Whether an entry was confirmed lately enough to be believed."""
    return therapist.confirmed_on >= on - timedelta(days=policy.fresh_days)


def begins_in_time(therapist: Therapist, on: date, policy: Policy) -> bool:
    """Whether somebody is free soon enough; until then the client may find another by waiting."""
    latest = on + timedelta(weeks=policy.latest_start_weeks)
    return therapist.free_from is None or therapist.free_from <= latest


def meets(therapist: Therapist, wish: Preference) -> bool:
    """Whether a therapist is what the client wishes for."""
    if wish.about is PreferenceAbout.THERAPIST_GENDER:
        return therapist.gender == wish.wish
    if wish.about is PreferenceAbout.APPROACH:
        return wish.wish in therapist.approaches
    return wish.about in therapist.affirming


def may_be_unsaid(wish: Preference) -> bool:
    """Whether an entry that does not meet a wish may simply say nothing of it."""
    return wish.about is not PreferenceAbout.THERAPIST_GENDER


def _where(
    search: Search, therapist: Therapist, policy: Policy, places: Places
) -> tuple[Mode, int | None] | Gate:
    """In person where that is near enough, else online; or the gate that bars both."""
    wanted = search.case.mode
    in_person = wanted is not Mode.ONLINE and Mode.IN_PERSON in therapist.modes
    if in_person:
        there = places.find(therapist.outcode)
        if search.position is not None and there is not None:
            metres = metres_between(search.position, there)
            if metres <= (search.case.max_distance_km or policy.default_distance_km) * 1000:
                return Mode.IN_PERSON, metres
    if wanted is not Mode.IN_PERSON and Mode.ONLINE in therapist.modes:
        return Mode.ONLINE, None
    return Gate.DISTANCE if in_person else Gate.MODE
