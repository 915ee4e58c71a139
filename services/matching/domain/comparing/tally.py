"""Many comparisons together."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from services.matching.domain.comparing.comparison import Comparison, Outcome
from shared.contract.ids import RequestId


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean, and how many people it was taken over; some of them were ranked for more than once."""

    of: int
    mean: float | None


@dataclass(frozen=True, slots=True)
class Tally:
    """What another policy would change; a change is new less old, so that more value is above zero."""

    requests: int
    rankings: int
    same_first: int
    other_first: int
    only_old: int
    """Somebody would have been found no more."""

    only_new: int
    """Somebody would have been found."""

    neither: int
    outside: int
    """The new first is one whom the recorded policy lets through nowhere: no value compares."""

    mode_changed: int
    overlap: Mean
    """How much of the longer list is on the other, too."""

    old_score: Mean
    """Of the first, each on the scale of its own policy."""

    new_score: Mean
    value: Mean
    """Change of the first's value; both on the scale of the recorded policy."""

    list_value: Mean
    """Change of the lists' mean value; both on the scale of the recorded policy."""

    unmet: Mean
    km: Mean
    wait_days: Mean
    """Change of the time until the first of a request's first proposal can begin; over requests."""

    sooner: int
    later: int

    @property
    def agreement(self) -> float | None:
        """The share of rankings with the same first place, or nobody in it under either."""
        return round((self.same_first + self.neither) / self.rankings, 4) if self.rankings else None


def tally(comparisons: Iterable[Comparison]) -> Tally:
    """Counts them up."""
    each = sorted(comparisons, key=lambda one: one.ranking)
    both = [one for one in each if one.old.listed and one.new.listed]
    waits = _waits(each)
    return Tally(
        requests=len({one.request_id for one in each}),
        rankings=len(each),
        same_first=sum(one.same_first for one in both),
        other_first=sum(not one.same_first for one in both),
        only_old=sum(not one.new.listed for one in each if one.old.listed),
        only_new=sum(not one.old.listed for one in each if one.new.listed),
        neither=sum(not one.old.listed and not one.new.listed for one in each),
        outside=sum(one.new.value is None for one in each if one.new.listed),
        mode_changed=sum((one.old.km is None) != (one.new.km is None) for one in both),
        overlap=_mean([(one.request_id, _overlap(one)) for one in each], 4),
        old_score=_mean([(one.request_id, one.old.score) for one in each if one.old.listed]),
        new_score=_mean([(one.request_id, one.new.score) for one in each if one.new.listed]),
        value=_mean(_changes(both, lambda outcome: outcome.value)),
        list_value=_mean(_changes(both, _list_value)),
        unmet=_mean(_changes(both, lambda outcome: outcome.unmet)),
        km=_mean(_changes(both, lambda outcome: outcome.km)),
        wait_days=_mean(waits),
        sooner=sum(change < 0 for _, change in waits),
        later=sum(change > 0 for _, change in waits),
    )


def _overlap(one: Comparison) -> float:
    longer = max(len(one.old.listed), len(one.new.listed))
    return len(set(one.old.listed) & set(one.new.listed)) / longer if longer else 1.0


def _list_value(outcome: Outcome) -> float | None:
    known = [value for value in outcome.values if value is not None]
    return sum(known) / len(known) if known else None


def _changes(
    comparisons: Iterable[Comparison], measured: Callable[[Outcome], float | None]
) -> list[tuple[RequestId, float]]:
    pairs = [(one.request_id, measured(one.old), measured(one.new)) for one in comparisons]
    return [(request, new - old) for request, old, new in pairs if old is not None and new is not None]


def _waits(comparisons: Sequence[Comparison]) -> list[tuple[RequestId, float]]:
    """For each request that finds somebody under both: how many days later therapy could begin."""
    old: dict[RequestId, int] = {}
    new: dict[RequestId, int] = {}
    for one in comparisons:
        if one.old.listed:
            old.setdefault(one.request_id, one.waited_days + one.old.begins_in_days)
        if one.new.listed:
            new.setdefault(one.request_id, one.waited_days + one.new.begins_in_days)
    return [(request, new[request] - old[request]) for request in old if request in new]


def _mean(values: Sequence[tuple[RequestId, float]], digits: int = 2) -> Mean:
    if not values:
        return Mean(0, None)
    people = {request for request, _ in values}
    # Adding 0.0 makes one zero of the two.
    return Mean(len(people), round(sum(value for _, value in values) / len(values), digits) + 0.0)
