"""How long things took and how much memory the parts hold."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psutil

from deploy.local.demo.story import Story
from deploy.local.state import SERVICES, Part


@dataclass(frozen=True, slots=True)
class Durations:
    """Some durations of the same thing, in seconds."""

    what: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Half took no longer."""
        return statistics.median(self.seconds)


@dataclass(frozen=True, slots=True)
class Memory:
    """What one part holds."""

    part: str
    processes: int
    megabytes: float
    share: float
    """The same in MB, with memory that several processes hold together counted in parts."""


def durations(stories: Iterable[Story]) -> list[Durations]:
    """Submit to stored shortlist, and confirm to accepted mail."""
    shortlists: list[float] = []
    mails: list[float] = []
    for story in stories:
        proposed = story.event("match-proposed")
        if proposed is not None:
            # Heard here only after it was committed, so never too short.
            shortlists.append((proposed.heard - story.submitted.at).total_seconds())
        for kind, recipient in (("matched", "client"), ("referral", "therapist")):
            letter = story.letter(kind, recipient)
            if letter is not None and story.decision is not None:
                mails.append((letter.accepted - story.decision.at).total_seconds())
    found = [
        Durations("submit → stored shortlist", tuple(shortlists)),
        Durations("confirm → mail accepted", tuple(mails)),
    ]
    return [each for each in found if each.seconds]


def memory(parts: dict[str, Part]) -> list[Memory]:
    """What each part holds now."""
    return [_memory(name, part.pid) for name, part in parts.items() if part.pid is not None]


def of_services(found: Sequence[Memory]) -> float:
    """What the four services hold together, in MB: what they share, such as Python itself, counts once."""
    return sum(each.share for each in found if each.part in SERVICES)


def _memory(name: str, pid: int) -> Memory:
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        held = [each.memory_full_info() for each in family]
    except psutil.Error:
        return Memory(name, 0, 0, 0)
    resident = sum(each.rss for each in held)
    share = sum(getattr(each, "pss", each.rss) for each in held)
    return Memory(name, len(family), resident / 2**20, share / 2**20)
