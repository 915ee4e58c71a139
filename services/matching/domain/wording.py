"""The words of the contract as staff read them."""

from datetime import date

from shared.contract.intake import Preference
from shared.contract.vocabulary import (
    Condition,
    Evidence,
    Format,
    LifeEvent,
    Mode,
    PreferenceAbout,
    ProblemArea,
    Slot,
    Variant,
)

VARIANTS = {
    Variant.IPT: "IPT",
    Variant.IPT_A: "IPT-A",
    Variant.IPT_AST: "IPT-AST",
    Variant.FB_IPT: "FB-IPT",
    Variant.IPT_G: "group IPT",
    Variant.IPSRT: "IPSRT",
    Variant.SYSTEMIC: "systemic therapy",
}
FORMATS = {
    Format.INDIVIDUAL: "one to one",
    Format.COUPLE: "as a couple",
    Format.FAMILY: "as a family",
    Format.GROUP: "in a group",
}
AREAS = {
    ProblemArea.ROLE_DISPUTE: "role disputes",
    ProblemArea.ROLE_TRANSITION: "role transitions",
    ProblemArea.GRIEF: "grief",
    ProblemArea.INTERPERSONAL_DEFICITS: "interpersonal deficits",
}
CONDITIONS = {
    Condition.DEPRESSION: "depression",
    Condition.ANXIETY: "anxiety",
    Condition.BULIMIA_NERVOSA: "bulimia nervosa",
    Condition.ANOREXIA_NERVOSA: "anorexia nervosa",
    Condition.BIPOLAR_DISORDER: "bipolar disorder",
    Condition.CHRONIC_FATIGUE: "chronic fatigue",
    Condition.RELATIONSHIP_CONFLICT: "relationship conflict",
    Condition.PSYCHOSIS: "psychosis",
    Condition.OTHER: "another condition",
}
EVIDENCE = {
    Evidence.STRONG: "strong evidence",
    Evidence.MODERATE: "moderate evidence",
    Evidence.LIMITED: "limited evidence",
    Evidence.NONE_FOUND: "no evidence found",
}
LIFE_EVENTS = {
    LifeEvent.DEATH: "a death",
    LifeEvent.BIRTH: "a birth",
    LifeEvent.MOVE: "a move",
    LifeEvent.JOB: "a change at work",
    LifeEvent.SEPARATION: "a separation",
    LifeEvent.ILLNESS: "an illness",
    LifeEvent.CONFLICT: "a conflict",
    LifeEvent.OTHER: "something else",
}
MODES = {Mode.ONLINE: "online", Mode.IN_PERSON: "in person", Mode.EITHER: "online or in person"}
GENDERS = {"woman": "a woman", "man": "a man", "non_binary": "non-binary"}
AFFIRMING = {
    PreferenceAbout.LGBTQ_AFFIRMING: "LGBTQ-affirming",
    PreferenceAbout.NEURODIVERGENCE_AFFIRMING: "neurodivergence-affirming",
    PreferenceAbout.FAITH_AWARE: "faith-aware",
}
DAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}


def slot(when: Slot) -> str:
    """A part of the week: `Tuesday evening`."""
    day, _, part = when.partition("_")
    return f"{DAYS[day]} {part}"


def day(when: date) -> str:
    """A date as it is read aloud: `4 March 2027`."""
    return f"{when.day} {when:%B %Y}"


def pounds(pence: int) -> str:
    """An amount: `£80`, `£82.50`."""
    return f"£{pence // 100}" if pence % 100 == 0 else f"£{pence / 100:.2f}"


def joined(parts: list[str]) -> str:
    """A list in a sentence: `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def form(variant: Variant, given: Format) -> str:
    """A variant in its format: `IPT one to one`, `group IPT`."""
    return VARIANTS[variant] if variant is Variant.IPT_G else f"{VARIANTS[variant]} {FORMATS[given]}"


def capital(text: str) -> str:
    """The same as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def wish(wanted: Preference) -> str:
    """What a client wishes a therapist to be: `a woman`, `structured in approach`."""
    if wanted.about is PreferenceAbout.THERAPIST_GENDER:
        return GENDERS.get(wanted.wish, wanted.wish)
    if wanted.about is PreferenceAbout.APPROACH:
        return f"{wanted.wish} in approach"
    return AFFIRMING[wanted.about]
