"""Ages, worked out anew at each step: a birthday may pass while a case waits."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
PRESUMED_CAPACITY = 16


def today(now: datetime) -> date:
    """The date in London."""
    return now.astimezone(LONDON).date()


def age(born: date, on: date) -> int:
    """Completed years; somebody born on 29 February has their birthday on 1 March in other years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def is_under_16(born: date, on: date) -> bool:
    """Whether a person has to record who consents before a match."""
    return age(born, on) < PRESUMED_CAPACITY
