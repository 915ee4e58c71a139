"""Counts age in whole years."""

from datetime import date


def age_on(today: date, date_of_birth: date) -> int:
    """Whole years; somebody born on 29 February turns a year older on 1 March of a common year."""
    had_birthday = (today.month, today.day) >= (date_of_birth.month, date_of_birth.day)
    return today.year - date_of_birth.year - (not had_birthday)
