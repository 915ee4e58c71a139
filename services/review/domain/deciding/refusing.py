"""Why an action is refused, in words that its author can use and that say nothing about the person."""

from dataclasses import dataclass
from enum import StrEnum


class Refusal(StrEnum):
    """Why an action was refused."""

    INCOMPLETE = "incomplete"
    """Its author can mend it: `faults` say what."""

    NOT_NOW = "not_now"
    """The case is not in a state for it."""

    CLAIMED = "claimed"
    """A colleague is working on it."""

    UNSEEN = "unseen"
    """Its author has not opened the case as it stands."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A field, and the rule that it breaks."""

    field: str
    rule: str


class Refused(Exception):
    """The action is not possible; says why, without anything about the person."""

    def __init__(self, refusal: Refusal, rule: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal
        self.rule = rule
        self.faults = faults
