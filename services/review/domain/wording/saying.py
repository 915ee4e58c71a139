"""Times, amounts and what was done, in words."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from services.review.domain.case import State
from services.review.domain.wording.names import (
    ACTIONS,
    DOUBTED,
    FORMATS,
    GATES,
    REFUSALS,
    STATES,
    VARIANTS,
)
from shared.ages import LONDON
from shared.contract.intake import CaseDetails
from shared.contract.matching import GroupDoubt, Pathway, SeatRefusal, Shortfall, WaitWeeks
from shared.contract.vocabulary import Slot, Variant
from shared.languages import SIGNED

_DAYS = {"mon": "Mon", "tue": "Tue", "wed": "Wed", "thu": "Thu", "fri": "Fri", "sat": "Sat", "sun": "Sun"}


def said(action: str, codes: Mapping[str, Any]) -> str:  # noqa: PLR0911 - a table
    """What an entry of the audit says in one sentence; without anything about the person."""
    sentence = ACTIONS.get(action, action)
    match codes:
        case {"because": SeatRefusal.GROUP_DISSOLVED} if action == "seat_unavailable":
            return f"Dissolved the group: reopened, because {REFUSALS[SeatRefusal.GROUP_DISSOLVED]}"
        case {"because": str(because)} if action == "seat_unavailable":
            return f"{sentence}, because {REFUSALS[SeatRefusal(because)]}"
        case {"because": str(because)} if action == "group_in_doubt":
            return f"{sentence}, because {DOUBTED[GroupDoubt(because)]}"
        case {"shortfall": Shortfall.NO_WAY_FITS}:
            return "Found that no form of therapy here is for this request"
        case {"candidates": int(number)}:
            return f"{sentence} of {_many(number, 'therapist')}"
        case {"other_pathway": True}:
            return f"{sentence}, on another pathway than they are listed for"
        case {"taken_from": _}:
            return f"{sentence}, taking it over from a colleague"
    return sentence


def in_format(pathway: Pathway) -> str:
    """A variant in its format."""
    name = VARIANTS[pathway.variant]
    return name if pathway.variant is Variant.IPT_G else f"{name}, {FORMATS[pathway.format]}"


def gate(code: str, details: CaseDetails | None) -> str:
    """What keeps therapists off a shortlist; from no district nobody is known to be too far away."""
    if code == "distance" and details is not None and details.outcode is None:
        return "in person alone, for which no postcode district was given"
    if code == "language" and details is not None and SIGNED.intersection(details.languages):
        return "no sign language that was asked for"
    return GATES.get(code, code.replace("_", " "))


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


def considered(seconds: int) -> str:
    """For how long a case lay open before a decision: `1 second`, `12 minutes`."""
    return _many(seconds, "second") if seconds < 120 else lasting(timedelta(seconds=seconds))


def state(of: State, *, erased: bool) -> str:
    """What has become of a case: somebody who was erased has not withdrawn."""
    return "Erased" if erased and of is State.WITHDRAWN else STATES[of]


def waited(weeks: WaitWeeks | None) -> str:
    """How long a shortlist took for the middle half of those who waited lately, as the client is told it."""
    if weeks is None:
        told = "How long people wait is not known yet"
    elif weeks.least == 0:
        told = f"Most of those who waited lately had a shortlist within {_many(weeks.most, 'week')}"
    else:
        told = (
            f"About half of those who waited lately had a shortlist after {weeks.least} to {weeks.most} weeks"
        )
    return f"{told}; the client is told so."


def pounds(pence: int) -> str:
    """An amount: `£80`, `£82.50`."""
    return f"£{pence // 100}" if pence % 100 == 0 else f"£{pence / 100:.2f}"


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
