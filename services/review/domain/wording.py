"""The words of the contract and of this service as staff read them."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from services.review.domain.ages import LONDON
from services.review.domain.case import State
from shared.contract.matching import SeatRefusal
from shared.contract.notify import FailureReason
from shared.contract.vocabulary import (
    Condition,
    Door,
    Evidence,
    FlagKind,
    Format,
    LifeEvent,
    MessageKind,
    Mode,
    OnwardRoute,
    PreferenceAbout,
    ProblemArea,
    RequesterRole,
    Slot,
    Strength,
    Therapy,
    Variant,
)

STATES = {
    State.AWAITING_PROPOSAL: "Waiting for a shortlist",
    State.READY: "To decide",
    State.WAITING: "On the waiting list",
    State.INFORMATION_ASKED: "Question asked",
    State.CONFIRMED: "Decided, seat being taken",
    State.MATCHED: "Matched",
    State.DECLINED: "Declined",
    State.WITHDRAWN: "Withdrawn",
}
DOORS = {Door.WEB: "our web form", Door.API: "a partner's system", Door.KAFKA: "a partner's system"}
ROLES = {
    RequesterRole.SELF: "the client",
    RequesterRole.PARENT: "a parent",
    RequesterRole.CARER: "a carer",
    RequesterRole.PROFESSIONAL: "a professional",
}
THERAPIES = {
    Therapy.IPT: "interpersonal (IPT)",
    Therapy.SYSTEMIC: "systemic",
    Therapy.EITHER: "interpersonal or systemic",
}
VARIANTS = {
    Variant.IPT: "IPT",
    Variant.IPT_A: "IPT-A (adolescents)",
    Variant.IPT_AST: "IPT-AST (skills training)",
    Variant.FB_IPT: "FB-IPT (family-based)",
    Variant.IPT_G: "IPT in a group",
    Variant.IPSRT: "IPSRT (bipolar disorder)",
    Variant.SYSTEMIC: "Systemic therapy",
}
MODES = {Mode.ONLINE: "online", Mode.IN_PERSON: "in person", Mode.EITHER: "online or in person"}
FORMATS = {
    Format.INDIVIDUAL: "one to one",
    Format.COUPLE: "as a couple",
    Format.FAMILY: "as a family",
    Format.GROUP: "in a group",
}
AREAS = {
    ProblemArea.ROLE_DISPUTE: "role dispute (conflict in a relationship)",
    ProblemArea.ROLE_TRANSITION: "role transition (a life change)",
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
    Condition.OTHER: "something else",
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
PREFERENCES = {
    PreferenceAbout.THERAPIST_GENDER: "gender of the therapist",
    PreferenceAbout.APPROACH: "approach",
    PreferenceAbout.LGBTQ_AFFIRMING: "LGBTQ-affirming",
    PreferenceAbout.NEURODIVERGENCE_AFFIRMING: "neurodivergence-affirming",
    PreferenceAbout.FAITH_AWARE: "faith-aware",
}
STRENGTHS = {Strength.SLIGHT: "slight wish", Strength.STRONG: "strong wish", Strength.MUST: "must have"}
EVIDENCE = {
    Evidence.STRONG: "strong evidence",
    Evidence.MODERATE: "moderate evidence",
    Evidence.LIMITED: "limited evidence",
    Evidence.NONE_FOUND: "no evidence found",
}
FLAGS = {
    FlagKind.SUICIDAL_THOUGHTS: "Thoughts of ending life",
    FlagKind.SELF_HARM: "Self-harm",
    FlagKind.HARM_TO_OTHERS: "May hurt somebody",
    FlagKind.BEING_HURT: "Being hurt by somebody",
    FlagKind.CHILD_AT_RISK: "A child may be at risk",
    FlagKind.PSYCHOSIS: "Signs of psychosis",
    FlagKind.SUBSTANCES: "Alcohol or drugs",
}
_CRISIS = (
    "Life in danger: 999 or A&E. Crisis, any age, day or night: NHS 111, option 2. "
    "Samaritans 116 123. Shout: text 85258."
)
CRISIS = {
    FlagKind.SUICIDAL_THOUGHTS: f"Speak to the person today; ask openly. {_CRISIS}",
    FlagKind.SELF_HARM: f"Speak to the person today; ask about injuries. {_CRISIS}",
    FlagKind.HARM_TO_OTHERS: "Somebody in danger now: 999. Follow the safeguarding procedure today.",
    FlagKind.BEING_HURT: (
        "Ask when and how it is safe to talk before anything else. In danger now: 999. "
        "Follow the safeguarding procedure today."
    ),
    FlagKind.CHILD_AT_RISK: (
        "Follow the child safeguarding procedure today. A child in danger now: 999. Childline 0800 1111."
    ),
    FlagKind.PSYCHOSIS: f"Ask about safety and who is caring for them now. {_CRISIS}",
    FlagKind.SUBSTANCES: f"Ask about safety, withdrawal and other help. {_CRISIS}",
}
CRISIS_UNDER_19 = "Under 19: Childline 0800 1111."
CRISIS_UNDER_35 = "Under 35: Papyrus 0800 068 4141."
ROUTES = {
    OnwardRoute.GP: "Their GP",
    OnwardRoute.NHS_TALKING_THERAPIES: "NHS talking therapies",
    OnwardRoute.NHS_CRISIS_LINE: "NHS crisis line (111, option 2)",
    OnwardRoute.CHILD_AND_ADOLESCENT_SERVICE: "Child and adolescent mental health service",
    OnwardRoute.EATING_DISORDER_SERVICE: "Eating disorder service",
    OnwardRoute.COMMUNITY_MENTAL_HEALTH_TEAM: "Community mental health team",
    OnwardRoute.RELATIONSHIP_SERVICE: "Relationship service",
    OnwardRoute.OTHER_CLINIC: "Another clinic",
}
MAILS = {
    MessageKind.ACKNOWLEDGEMENT: "acknowledgement",
    MessageKind.WAITING: "waiting list",
    MessageKind.MATCHED: "match",
    MessageKind.REFERRAL: "referral",
    MessageKind.DECLINED: "decline, with where to turn",
    MessageKind.INFORMATION: "request to get in touch",
    MessageKind.WITHDRAWN: "withdrawal",
    MessageKind.REFERRAL_WITHDRAWN: "referral withdrawn",
}
MAIL_FAILURES = {
    FailureReason.REFUSED: "refused by the mail server",
    FailureReason.GAVE_UP: "given up after many tries",
    FailureReason.NO_LONGER_WANTED: "no longer needed",
    FailureReason.ERASED: "the person was erased",
}
REFUSALS = {
    SeatRefusal.NO_SEAT_LEFT: "the therapist's last seat had gone",
    SeatRefusal.NO_LONGER_ELIGIBLE: "the therapist may not take this client any more",
    SeatRefusal.PROPOSAL_SUPERSEDED: "there was a newer shortlist",
    SeatRefusal.REQUEST_CLOSED: "the request was closed meanwhile",
}
ACTIONS = {
    "submitted": "Took the request in",
    "proposed": "Proposed a shortlist",
    "nobody_found": "Found nobody for now: on the waiting list",
    "seat_reserved": "Took the seat: matched",
    "seat_unavailable": "Could not take the seat: reopened",
    "withdrawn": "Told that the client has withdrawn",
    "claim": "Claimed the case",
    "release": "Released the case",
    "released": "Released the case of an account that was disabled",
    "confirm": "Confirmed the first of the shortlist",
    "choose": "Chose another than the first",
    "rematch": "Asked for another shortlist",
    "decline": "Declined the request",
    "ask": "Asked for information",
    "mail_settled": "Settled a mail that did not arrive",
}
FIELDS = {
    "therapist_id": "therapist",
    "exclude": "leave out",
    "flags_seen": "risk flags",
    "onward_route": "where to turn",
    "under_16_basis": "who consents",
    "under_16_note": "what was established",
}
"""Fields of a decision; others are called as they are."""

ASKED = {
    "max fee pence": "fee limit",
    "outcode": "place",
    "max distance km": "distance limit",
    "mode": "online or in person",
    "date of birth": "age",
}
"""Fields of the request; others are called as they are."""

LANGUAGES = {
    "ar": "Arabic",
    "bn": "Bengali",
    "cy": "Welsh",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fa": "Persian",
    "fr": "French",
    "gu": "Gujarati",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "it": "Italian",
    "nl": "Dutch",
    "pa": "Punjabi",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "so": "Somali",
    "sv": "Swedish",
    "ta": "Tamil",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "yi": "Yiddish",
    "zh": "Chinese",
}
_DAYS = {"mon": "Mon", "tue": "Tue", "wed": "Wed", "thu": "Thu", "fri": "Fri", "sat": "Sat", "sun": "Sun"}


def said(action: str, codes: Mapping[str, Any]) -> str:
    """What an entry of the audit says in one sentence; without anything about the person."""
    sentence = ACTIONS.get(action, action)
    match codes:
        case {"because": str(because)} if action == "seat_unavailable":
            return f"{sentence}, because {REFUSALS[SeatRefusal(because)]}"
        case {"candidates": int(number)}:
            return f"{sentence} of {_many(number, 'therapist')}"
        case {"taken_from": _}:
            return f"{sentence}, taking it over from a colleague"
    return sentence


def crisis(kind: FlagKind, age: int) -> str:
    """What to do about a flag, with the lines for this age."""
    lines = [CRISIS[kind]]
    if _CRISIS in CRISIS[kind]:
        lines += [CRISIS_UNDER_35] if age < 35 else []
        lines += [CRISIS_UNDER_19] if age < 19 else []
    return " ".join(lines)


def language(code: str) -> str:
    """A language by its code."""
    return LANGUAGES.get(code, code)


def times(slots: tuple[Slot, ...]) -> str:
    """Parts of a week, gathered by day: `Tue evening; Thu morning, evening`."""
    days: dict[str, list[str]] = {}
    for each in slots:
        day, _, part = each.partition("_")
        days.setdefault(_DAYS[day], []).append(part)
    return "; ".join(f"{day} {', '.join(parts)}" for day, parts in days.items())


def day(when: date) -> str:
    """A date: `4 March 2027`."""
    return f"{when.day} {when:%B %Y}"


def moment(when: datetime) -> str:
    """A moment in London: `24 Nov 2026, 09:30`."""
    local = when.astimezone(LONDON)
    return f"{local.day} {local:%b %Y, %H:%M}"


def lasting(span: timedelta) -> str:
    """A time that has passed: `2 days 4 hours`, `35 minutes`."""
    minutes = max(0, int(span.total_seconds()) // 60)
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{_many(days, 'day')} {_many(hours, 'hour')}" if hours else _many(days, "day")
    if hours:
        return (
            f"{_many(hours, 'hour')} {_many(minutes % 60, 'minute')}"
            if minutes % 60
            else _many(hours, "hour")
        )
    return _many(minutes, "minute") if minutes else "less than a minute"


def pounds(pence: int) -> str:
    """An amount: `£80`, `£82.50`."""
    return f"£{pence // 100}" if pence % 100 == 0 else f"£{pence / 100:.2f}"


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
