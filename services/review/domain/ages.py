"""From which age on somebody consents for themselves."""

from datetime import date

from shared.ages import age_on

PRESUMED_CAPACITY = 16


def is_under_16(born: date, on: date) -> bool:
    """Whether a person has to record who consents before a match."""
    return age_on(on, born) < PRESUMED_CAPACITY
