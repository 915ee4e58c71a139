"""The day on which ages and credentials are looked at: London's, whatever clock the machine keeps."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def day_in_london(now: datetime) -> date:
    """In summer, the first hour of a day in London is still the day before by UTC."""
    return now.astimezone(LONDON).date()
