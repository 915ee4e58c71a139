"""What a process knows of the comparison with a shadow policy; the page reads it, a worker keeps it."""

from collections import Counter
from dataclasses import dataclass, field

from services.matching.domain.comparing.comparison import Comparison


@dataclass(slots=True)
class Book:
    """Comparisons so far, and what could not be compared."""

    live: str
    shadow: str | None
    """The version of the policy that is tried; None if there is none."""

    comparisons: list[Comparison] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    behind: int = 0
    """Rankings still to be compared."""

    read_to: int = 0

    def note(self, row: int, found: Comparison | str) -> None:
        """Takes one up: a comparison, or why there is none."""
        if isinstance(found, str):
            self.faults[found] += 1
        else:
            self.comparisons.append(found)
        self.read_to = row

    def clear(self) -> None:
        """Begins anew."""
        self.comparisons, self.read_to = [], 0
        self.faults.clear()
