"""How old somebody is, on which day that is asked, and from when they consent; alike in every service."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")

CONSENT_AGE = 16
"""From it on people are presumed to decide on their treatment themselves (Family Law Reform Act 1969, s. 8;
Mental Capacity Act 2005). It is the law's, so no policy and no setting changes it."""


def day_in_london(now: datetime) -> date:
    """The date in London: in summer, the first hour of a day there is still the day before by UTC."""
    return now.astimezone(LONDON).date()


def age_on(day: date, born: date) -> int:
    """Completed years; somebody born on 29 February is a year older from 1 March of other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
