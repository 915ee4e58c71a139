"""Many comparisons together."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from services.matching.domain.comparing.comparison import Comparison, Kind, Outcome
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
    group_changed: int
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


Values = Sequence[tuple[RequestId, float]]
"""What a mean is taken over, each with whose it is."""

_DIGITS = {"overlap": 4}


def tally(comparisons: Iterable[Comparison]) -> Tally:
    """Counts them up."""
    each = sorted(comparisons, key=lambda one: one.ranking)
    kinds = Counter(one.kind for one in each)
    values = values_of(each)
    means = {name: mean_of(name, of) for name, of in values.items()}
    return Tally(
        requests=len({one.request_id for one in each}),
        rankings=len(each),
        same_first=kinds[Kind.SAME],
        other_first=kinds[Kind.OTHER],
        only_old=kinds[Kind.ONLY_OLD],
        only_new=kinds[Kind.ONLY_NEW],
        neither=kinds[Kind.NEITHER],
        outside=sum(one.outside for one in each),
        mode_changed=sum(one.mode_changed for one in each),
        group_changed=sum(one.group_changed for one in each),
        overlap=means["overlap"],
        old_score=means["old_score"],
        new_score=means["new_score"],
        value=means["value_change"],
        list_value=means["list_value_change"],
        unmet=means["unmet_change"],
        km=means["km_change"],
        wait_days=means["wait_days_change"],
        sooner=sum(change < 0 for _, change in values["wait_days_change"]),
        later=sum(change > 0 for _, change in values["wait_days_change"]),
    )


def values_of(comparisons: Sequence[Comparison]) -> dict[str, Values]:
    """What each mean is taken over, in the order of the comparisons."""
    return {
        "old_score": [(one.request_id, one.old.score) for one in comparisons if one.old.listed],
        "new_score": [(one.request_id, one.new.score) for one in comparisons if one.new.listed],
        "overlap": [(one.request_id, _overlap(one)) for one in comparisons],
        "value_change": _changes(comparisons, lambda outcome: outcome.value),
        "list_value_change": _changes(comparisons, _list_value),
        "unmet_change": _changes(comparisons, lambda outcome: outcome.unmet),
        "km_change": _changes(comparisons, lambda outcome: outcome.km),
        "wait_days_change": _waits(comparisons),
    }


def mean_of(name: str, values: Values) -> Mean:
    """The mean of that name."""
    if not values:
        return Mean(0, None)
    people = {request for request, _ in values}
    # Adding 0.0 makes one zero of the two.
    mean = round(sum(value for _, value in values) / len(values), _DIGITS.get(name, 2)) + 0.0
    return Mean(len(people), mean)


def _overlap(one: Comparison) -> float:
    longer = max(len(one.old.listed), len(one.new.listed))
    return len(set(one.old.listed) & set(one.new.listed)) / longer if longer else 1.0


def _list_value(outcome: Outcome) -> float | None:
    known = [value for value in outcome.values if value is not None]
    return sum(known) / len(known) if known else None


def _changes(comparisons: Iterable[Comparison], measured: Callable[[Outcome], float | None]) -> Values:
    return [
        (one.request_id, new - old)
        for one in comparisons
        if one.old.listed and one.new.listed
        if (old := measured(one.old)) is not None and (new := measured(one.new)) is not None
    ]


def _waits(comparisons: Sequence[Comparison]) -> Values:
    """For each request that finds somebody under both: how many days later therapy could begin."""
    old: dict[RequestId, int] = {}
    new: dict[RequestId, int] = {}
    changes: dict[RequestId, float] = {}
    for one in comparisons:
        request = one.request_id
        if one.old.listed:
            old.setdefault(request, one.waited_days + one.old.begins_in_days)
        if one.new.listed:
            new.setdefault(request, one.waited_days + one.new.begins_in_days)
        if request in old and request in new:
            changes.setdefault(request, new[request] - old[request])
    return list(changes.items())
