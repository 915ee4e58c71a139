"""Random directories and cases that meet every rule from both sides; the same seed gives the same ones."""

from collections.abc import Iterable
from datetime import date, timedelta
from random import Random
from typing import Any, TypeVar
from uuid import UUID

from services.matching.domain.therapist import (
    Accreditation,
    AgeGroup,
    Approach,
    Body,
    Gender,
    Outcomes,
    Registration,
    Route,
    Therapist,
)
from shared.contract.ids import TherapistId
from shared.contract.intake import CaseDetails, Flag, Preference
from shared.contract.vocabulary import (
    Condition,
    FlagKind,
    Format,
    LifeEvent,
    Mode,
    PreferenceAbout,
    ProblemArea,
    Slot,
    Strength,
    Therapy,
    Variant,
)
from tests.matching.builders import RULES, THE_DAY

T = TypeVar("T")

OUTCODES = [*list(RULES.places.positions)[:60], "ZZ9", " br1 "]
OTHER_LANGUAGES = ["pl", "bn", "fr", "ur", "cy", "bfi", "nb", "nn", "no", "cmn", "yue", "zh"]
AFFIRMING = [
    PreferenceAbout.LGBTQ_AFFIRMING,
    PreferenceAbout.NEURODIVERGENCE_AFFIRMING,
    PreferenceAbout.FAITH_AWARE,
]
WISHES = {
    PreferenceAbout.THERAPIST_GENDER: [*map(str, Gender)],
    PreferenceAbout.APPROACH: [*map(str, Approach)],
}
AGES = [4, 5, 6, 7, 8, 11, 12, 13, 16, 17, 18, 19, 35, 70, 90]
# When points for beginning soon are over, and when somebody begins too late.
STARTS = [7 * RULES.policy.caps.wait_weeks, 7 * RULES.policy.latest_start_weeks]
# The limits themselves and the days beside them, which chance alone would seldom meet.
EDGES = [-1, 0, 1]


def some(dice: Random, these: Iterable[T], least: int, most: int) -> list[T]:
    """A few of these, in any order."""
    those = list(these)
    return dice.sample(those, dice.randint(least, min(most, len(those))))


def random_therapist(dice: Random, identifier: UUID | None = None) -> Therapist:
    """Somebody who passes most gates, and often fails one."""
    seats = dice.randint(0, 6)
    english = ["en"] if dice.random() < 0.9 else []
    return Therapist(
        id=TherapistId(identifier or UUID(int=dice.getrandbits(128))),
        name="Rowan Sampleford",
        email="rowan@therapists.example",
        gender=dice.choice(list(Gender)),
        outcode=dice.choice(OUTCODES),
        modes=frozenset(some(dice, [Mode.ONLINE, Mode.IN_PERSON], 1, 2)),
        formats=frozenset(some(dice, Format, 1, 4)),
        age_groups=frozenset(some(dice, AgeGroup, 1, 3)),
        languages=frozenset(english + some(dice, OTHER_LANGUAGES, 0, 2)) or frozenset({"en"}),
        fee_pence=0 if dice.random() < 0.08 else dice.randrange(4_000, 16_000, 500),
        seats_offered=seats,
        seats_free=dice.randint(0, seats) if dice.random() < 0.8 else 0,
        slots=frozenset(some(dice, Slot, 1, 12)),
        problem_areas=frozenset(some(dice, ProblemArea, 0, 4)),
        conditions=frozenset(some(dice, Condition, 0, 6)),
        approaches=frozenset(some(dice, Approach, 0, 2)),
        affirming=frozenset(some(dice, AFFIRMING, 0, 3)),
        registration=None if dice.random() < 0.05 else Registration(Body.BACP, "SYN100000", _until(dice)),
        accreditations=tuple(_accreditation(dice, variant) for variant in Variant if dice.random() < 0.5),
        confirmed_on=THE_DAY - timedelta(days=_near(dice, RULES.policy.fresh_days, 0, 140)),
        free_from=None
        if dice.random() < 0.4
        else THE_DAY + timedelta(days=_near(dice, dice.choice(STARTS), -30, 140)),
        outcomes=None
        if dice.random() < 0.3
        else Outcomes(_near(dice, RULES.policy.outcome.least_cases, 0, 80), dice.randint(-20, 180)),
    )


def _near(dice: Random, limit: int, least: int, most: int) -> int:
    return limit + dice.choice(EDGES) if dice.random() < 0.1 else dice.randint(least, most)


def _until(dice: Random) -> date:
    return THE_DAY + timedelta(days=_near(dice, 0, -60, 900))


def _accreditation(dice: Random, variant: Variant) -> Accreditation:
    route = Route.KSA if dice.random() < 0.05 else Route.STANDARD
    return Accreditation(variant, route, _until(dice), dice.randint(0, 300))


def random_case(dice: Random, **changes: Any) -> CaseDetails:
    """A request of any age, form and wish."""
    told: dict[str, Any] = {
        "date_of_birth": _birthday(dice),
        "outcode": dice.choice([*OUTCODES, None]),
        "therapy": dice.choice(list(Therapy)),
        "mode": dice.choice(list(Mode)),
        "format": dice.choice(list(Format)),
        "max_distance_km": dice.choice([None, 2, 5, 10, 30]),
        "max_fee_pence": dice.choice([None, None, 0, 6_000, 8_000, 12_000]),
        "availability": tuple(some(dice, Slot, 1, 8)),
        "languages": tuple(some(dice, ["en", "pl", "xx", "fr", "bfi", "nb", "no", "yue", "zh"], 1, 3))
        if dice.random() < 0.3
        else ("en",),
        "problem_areas": tuple(some(dice, ProblemArea, 0, 3)),
        "life_event": dice.choice([None, *LifeEvent]),
        "conditions": tuple(dice.choices(list(Condition), k=dice.randint(0, 3))),
        "diagnosed": dice.choice([None, True, False]),
        "preferences": tuple(_wish(dice, about) for about in some(dice, PreferenceAbout, 0, 3)),
        "attending_adult": dice.random() < 0.6,
        "flags": tuple(
            Flag(kind=kind, field="story.in_own_words", evidence="said so")
            for kind in some(dice, FlagKind, 0, 1)
        ),
    }
    return CaseDetails(**(told | changes))


def _birthday(dice: Random) -> date:
    if dice.random() < 0.05:
        return date(dice.choice([1956, 1988, 2008, 2012, 2016, 2020]), 2, 29)
    year = THE_DAY.year - dice.choice(AGES)
    if dice.random() < 0.1:
        return THE_DAY.replace(year=year) + timedelta(days=dice.choice(EDGES))
    return date(year, dice.randint(1, 12), dice.randint(1, 28))


def _wish(dice: Random, about: PreferenceAbout) -> Preference:
    strength = Strength.MUST if dice.random() < 0.2 else dice.choice([Strength.SLIGHT, Strength.STRONG])
    return Preference(about=about, wish=dice.choice(WISHES.get(about, ["yes"])), strength=strength)


def plain(therapist: Therapist) -> dict[str, Any]:
    """A therapist as the oracle reads one."""
    held = therapist.registration
    return {
        "id": str(therapist.id),
        "gender": str(therapist.gender),
        "outcode": therapist.outcode,
        "modes": set(map(str, therapist.modes)),
        "formats": set(map(str, therapist.formats)),
        "age_groups": set(map(str, therapist.age_groups)),
        "languages": set(therapist.languages),
        "fee": therapist.fee_pence,
        "offered": therapist.seats_offered,
        "free": therapist.seats_free,
        "slots": set(map(str, therapist.slots)),
        "areas": set(map(str, therapist.problem_areas)),
        "conditions": set(map(str, therapist.conditions)),
        "approaches": set(map(str, therapist.approaches)),
        "affirming": set(map(str, therapist.affirming)),
        "registered_until": None if held is None else held.expires_on,
        "accreditations": {
            str(each.variant): {"until": each.expires_on, "route": str(each.route), "cases": each.cases}
            for each in therapist.accreditations
        },
        "confirmed": therapist.confirmed_on,
        "free_from": therapist.free_from,
        "outcomes": therapist.outcomes and (therapist.outcomes.cases, therapist.outcomes.change),
    }
