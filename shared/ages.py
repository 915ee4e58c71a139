"""How old somebody is, and on which day that is asked: every service counts alike, anew at each step."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def day_in_london(now: datetime) -> date:
    """The date in London: in summer, the first hour of a day there is still the day before by UTC."""
    return now.astimezone(LONDON).date()


def age_on(day: date, born: date) -> int:
    """Completed years; somebody born on 29 February is a year older from 1 March of other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
