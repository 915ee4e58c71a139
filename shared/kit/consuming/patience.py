"""How long a consumer waits, for what, and when it gives up."""

import time
from dataclasses import dataclass

from shared.kit.consuming.verdicts import Kind

FIRST_DELAY, LONGEST_DELAY = 0.2, 5.0
PATIENT_SECONDS = 10.0
"""Until then an event that waits for another stream is nothing to worry about."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a consumer bears what."""

    entry_seconds: float = 45
    not_yet_seconds: float = 60
    tries: int = 5
    dead_letters_in_a_row: int = 20


@dataclass(slots=True)
class Trial:
    """How often a record in trouble was tried, and since when; outlives a re-entry, not the process."""

    failures: int = 0
    bugs: int = 0
    not_yet_since: float | None = None

    def count(self, kind: Kind) -> None:
        """Adds a failure."""
        self.failures += 1
        self.bugs += kind is Kind.BUG
        if kind is Kind.NOT_YET and self.not_yet_since is None:
            self.not_yet_since = time.monotonic()

    @property
    def not_yet_seconds(self) -> float:
        """How long it has been waiting for another stream."""
        return 0.0 if self.not_yet_since is None else time.monotonic() - self.not_yet_since

    @property
    def overdue(self) -> bool:
        """Whether it has been waiting for another stream for longer than that stream should need."""
        return self.not_yet_seconds > PATIENT_SECONDS


def delay(failures: int, chance: float) -> float:
    """How long to wait after so many failures: doubling, with jitter, so that they do not move in step."""
    full = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(failures - 1, 10))
    return full * (0.5 + chance / 2)
