"""Who works here, and how many wrong passwords are too many."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from shared.contract.ids import StaffId


class Role(StrEnum):
    """What a member of staff may do; each may do what the one before it may."""

    REVIEWER = "reviewer"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of staff who is signed in."""

    id: StaffId
    name: str
    email: str
    role: Role

    @property
    def oversees(self) -> bool:
        """Whether they may take over what a colleague has claimed, and see who has opened a case."""
        return self.role is not Role.REVIEWER


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lasts: at most, and unused."""

    longest: timedelta
    idle: timedelta


PASSWORD_LENGTH = range(12, 201)

WINDOW = timedelta(minutes=15)
ATTEMPTS_HERE = 5
"""For one account from one address."""

ATTEMPTS_OF_ADDRESS = 30
"""For all accounts from one address: somebody tries one password on everybody."""

ATTEMPTS_ON_ACCOUNT = 50
"""For one account from everywhere; high, so that a stranger cannot easily lock a colleague out."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often it was tried within the window, without success since."""

    here: int
    of_address: int
    on_account: int

    @property
    def too_many(self) -> bool:
        """Whether the next one must wait."""
        return (
            self.here >= ATTEMPTS_HERE
            or self.of_address >= ATTEMPTS_OF_ADDRESS
            or self.on_account >= ATTEMPTS_ON_ACCOUNT
        )


def password_fault(password: str, email: str) -> str | None:
    """Which rule a new password breaks, if any."""
    if len(password) not in PASSWORD_LENGTH:
        return f"must have {PASSWORD_LENGTH.start} to {PASSWORD_LENGTH.stop - 1} characters"
    if len(set(password)) < 6:
        return "must have at least six different characters"
    if email.partition("@")[0].casefold() in password.casefold():
        return "must not contain the name in the e-mail address"
    return None
