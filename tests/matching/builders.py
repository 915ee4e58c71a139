"""Builds therapists and searches for tests: complete, synthetic, with only what matters spelled out."""

from datetime import date
from typing import Any

from services.matching.app import load_rules
from services.matching.domain.ranking import Rules, search_for
from services.matching.domain.therapist import (
    Accreditation,
    AgeGroup,
    Approach,
    Body,
    Gender,
    Registration,
    Route,
    Therapist,
)
from shared.contract.ids import TherapistId
from shared.contract.vocabulary import Condition, Format, Mode, PreferenceAbout, ProblemArea, Slot, Variant
from tests.support.builders import a_case, id_of

THE_DAY = date(2026, 11, 24)

RULES = load_rules()


def a_therapist(name: str = "ada", **changes: Any) -> Therapist:
    """A therapist who suits the case of `a_case` in every way."""
    values: dict[str, Any] = {
        "id": TherapistId(id_of(name)),
        "name": f"{name.title()} Sampleford",
        "email": f"{name}@therapists.example",
        "gender": Gender.WOMAN,
        "outcode": "E2",
        "modes": frozenset({Mode.ONLINE, Mode.IN_PERSON}),
        "formats": frozenset(Format),
        "age_groups": frozenset(AgeGroup),
        "languages": frozenset({"en"}),
        "fee_pence": 8000,
        "seats_offered": 4,
        "seats_free": 4,
        "slots": frozenset({Slot.TUE_EVENING, Slot.WED_MORNING}),
        "problem_areas": frozenset({ProblemArea.ROLE_TRANSITION}),
        "conditions": frozenset({Condition.DEPRESSION}),
        "approaches": frozenset({Approach.STRUCTURED}),
        "affirming": frozenset({PreferenceAbout.LGBTQ_AFFIRMING}),
        "registration": a_registration(),
        "accreditations": tuple(an_accreditation(variant) for variant in Variant),
        "confirmed_on": THE_DAY,
    }
    return Therapist(**(values | changes))


def a_registration(**changes: Any) -> Registration:
    """A core registration that is live for years."""
    values: dict[str, Any] = {"body": Body.BACP, "number": "SYN123456", "expires_on": date(2030, 1, 1)}
    return Registration(**(values | changes))


def an_accreditation(variant: Variant = Variant.IPT, **changes: Any) -> Accreditation:
    """An accreditation that is live for years."""
    values: dict[str, Any] = {
        "variant": variant,
        "route": Route.STANDARD,
        "expires_on": date(2030, 1, 1),
        "cases": 20,
    }
    return Accreditation(**(values | changes))


def born(age: int, on: date = THE_DAY) -> date:
    """The birthday of somebody who turns so old on that very day."""
    return on.replace(year=on.year - age)


def a_search(on: date = THE_DAY, rules: Rules = RULES, excluded: Any = frozenset(), **case: Any) -> Any:
    """A search for the case of `a_case`, changed as told."""
    return search_for(a_case(**case), on, rules, frozenset(excluded))
