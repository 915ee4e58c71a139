"""How long people wait, told from the service's own history or not at all."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.matching.domain.policy import Policy
from shared.contract.matching import WaitWeeks
from shared.contract.vocabulary import Mode

WEEK = timedelta(weeks=1)
A_QUARTER_FOUND, THREE_QUARTERS_FOUND = 0.75, 0.25
"""The share of people who still wait at either end of the range."""

ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Wait:
    """A request's wait for its first shortlist; for another it begins nearer the head and would flatter."""

    mode: Mode
    since: datetime
    ended_at: datetime | None = None
    found: bool = False
    """Whether it ended with a shortlist, and not because the client gave up or nothing fits any more."""


def weeks_waited(waits: Iterable[Wait], mode: Mode, now: datetime, policy: Policy) -> WaitWeeks | None:
    """The middle half of how long people waited lately, rounded outwards; None if it is not known.

    By Kaplan and Meier's estimate (JASA 1958) with delayed entry: at every length of a wait it asks how many
    of those who were waiting that long within the days of the policy were found then. So whoever waits still,
    or gave up, counts for as long as they did, and a range that only the quick have reached yet is not told.
    """
    begin, least = now - timedelta(days=policy.wait_history_days), policy.wait_history_least
    lately = [each for each in waits if each.ended_at is None or each.ended_at > begin]
    alike = [each for each in lately if each.mode is mode]
    # Enough waits of the same mode speak for themselves, also where they do not tell a range.
    watched = alike if len(alike) >= least else lately
    found = Counter(each.ended_at - each.since for each in watched if each.found and each.ended_at)
    if found.total() < least:
        return None
    entered = sorted(max(begin - each.since, timedelta()) for each in watched)
    left = sorted((each.ended_at or now) - each.since for each in watched)
    still_waiting, first_quarter = 1.0, None
    for length in sorted(found):
        waiting = bisect_right(entered, length) - bisect_left(left, length)
        if waiting * 4 < least:
            # The fewest waits allowed leave so many at their third quartile; a share of fewer tells nothing.
            return None
        still_waiting *= 1 - found[length] / waiting
        if first_quarter is None and still_waiting <= A_QUARTER_FOUND + ROUNDING:
            first_quarter = length
        if first_quarter is not None and still_waiting <= THREE_QUARTERS_FOUND + ROUNDING:
            weeks = first_quarter // WEEK
            return WaitWeeks(least=weeks, most=max(-(-length // WEEK), weeks + 1))
    return None
