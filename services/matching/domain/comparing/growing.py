"""A comparison that goes on, as it is told: each figure in steps of people, the same from look to look."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.matching.domain.comparing.comparison import Comparison, Kind
from services.matching.domain.comparing.groups import DIVISIONS
from services.matching.domain.comparing.hiding import hidden
from services.matching.domain.comparing.tally import Values, mean_of, values_of
from shared.contract.ids import RequestId

KINDS: Mapping[Kind, str] = {
    Kind.SAME: "same_first",
    Kind.OTHER: "other_first",
    Kind.ONLY_OLD: "found_only_before",
    Kind.ONLY_NEW: "found_only_now",
    Kind.NEITHER: "nobody_under_either",
}

_OF_GROUPS = (
    "overlap",
    "value_change",
    "list_value_change",
    "unmet_change",
    "km_change",
    "wait_days_change",
)

Whose = Sequence[RequestId]
"""Of each ranking that is counted, whose it is."""


def told_so_far(comparisons: Sequence[Comparison], fewest: int) -> dict[str, Any]:
    """Totals and groups, as long as more are to come.

    Each figure stays as it is until `fewest` more people make it up: neither it nor what two looks at it
    differ by is of fewer. A mean takes everybody once, and a group's is of people of the mean of all, so that
    what the groups leave of it is not of fewer either.
    """
    told = _told(comparisons, fewest)
    values = values_of(told)
    cut = _cut_each(values, fewest)
    return {
        "totals": _totals(told, values, cut, fewest),
        "groups": {division: _groups(told, cut, division, fewest) for division in DIVISIONS},
    }


def totals_so_far(comparisons: Sequence[Comparison], fewest: int) -> dict[str, Any] | None:
    """The totals alone."""
    told = _told(comparisons, fewest)
    values = values_of(told)
    return _totals(told, values, _cut_each(values, fewest), fewest)


def _told(comparisons: Sequence[Comparison], fewest: int) -> Sequence[Comparison]:
    return comparisons[: _steps([one.request_id for one in comparisons], fewest)]


def _cut_each(values: Mapping[str, Values], fewest: int) -> dict[str, Values]:
    return {name: _cut(of, fewest) for name, of in values.items()}


def _totals(
    told: Sequence[Comparison], values: Mapping[str, Values], cut: Mapping[str, Values], fewest: int
) -> dict[str, Any] | None:
    if not told:
        return None
    return {
        **_counts(told, values["wait_days_change"], fewest),
        "agreement": _agreement(told, fewest),
        **{name: mean_of(name, of).mean for name, of in cut.items()},
    }


def _counts(told: Sequence[Comparison], waits_changed: Values, fewest: int) -> dict[str, int | str]:
    parts = parts_of(told, waits_changed)
    return {
        "requests": len({one.request_id for one in told}),
        "rankings": _count([one.request_id for one in told], fewest),
        **{name: count for each in parts for name, count in _parted(each, fewest).items() if name},
    }


def parts_of(told: Sequence[Comparison], waits_changed: Values) -> tuple[Mapping[str, Whose], ...]:
    """The parts that the totals count, each time of the whole; one that is not told has no name."""
    kinds = {name: _whose(told, [one.kind is kind for one in told]) for kind, name in KINDS.items()}
    outside, mode_changed = [one.outside for one in told], [one.mode_changed for one in told]
    group_changed = [one.group_changed for one in told]
    changes = dict(waits_changed)
    everybody = list(dict.fromkeys(one.request_id for one in told))
    waits = {
        "begin_sooner": [each for each, change in changes.items() if change < 0],
        "begin_later": [each for each, change in changes.items() if change > 0],
        "": [each for each in everybody if not changes.get(each)],
    }
    return (
        kinds,
        _either("first_not_allowed_before", told, outside),
        _either("online_instead_or_in_person", told, mode_changed),
        _either("group_instead_or_alone", told, group_changed),
        waits,
    )


def _either(name: str, told: Sequence[Comparison], true: Sequence[bool]) -> Mapping[str, Whose]:
    return {name: _whose(told, true), "": _whose(told, [not each for each in true])}


def _parted(parts: Mapping[str, Whose], fewest: int) -> dict[str, int | str]:
    """How many rankings each part has; not of few people, nor where that of few could be worked out."""
    kept_back = kept_back_of(parts, fewest)
    return {name: kept_back.get(name, _count(whose, fewest)) for name, whose in parts.items()}


def kept_back_of(parts: Mapping[str, Whose], fewest: int) -> dict[str, str]:
    """What is told in place of each part of few people, and of each from which that could be worked out."""
    return hidden({name: len(set(whose)) for name, whose in parts.items() if whose}, fewest)


def _agreement(told: Sequence[Comparison], fewest: int) -> float | None:
    """The share of rankings with the same first place, or nobody in it under either, from what is told."""
    agree, others = _parted(_either("agree", told, [one.same_first for one in told]), fewest).values()
    if isinstance(agree, str) or isinstance(others, str):
        return None
    return round(agree / (agree + others), 4)


def _groups(
    told: Sequence[Comparison], values: Mapping[str, Values], division: str, fewest: int
) -> list[dict[str, Any]]:
    # Whoever has a birthday stays where they were, so that nobody is counted in two groups.
    home: dict[RequestId, str] = {}
    members: dict[str, list[Comparison]] = {}
    for one in told:
        group = home.setdefault(one.request_id, one.groups[division])
        members.setdefault(group, []).append(one)
    whose = {group: [one.request_id for one in ones] for group, ones in sorted(members.items())}
    kept_back = hidden({group: len(set(ids)) for group, ids in whose.items()}, fewest)
    return [
        {"group": group, "requests": kept_back[group]}
        if group in kept_back
        else {
            "group": group,
            "requests": len(set(ids[: _steps(ids, fewest)])),
            "rankings": _count(ids, fewest),
            "agreement": _agreement(members[group], fewest),
            **{
                name: mean_of(
                    name, _cut([each for each in values[name] if home[each[0]] == group], fewest)
                ).mean
                for name in _OF_GROUPS
            },
        }
        for group, ids in whose.items()
    ]


def _whose(told: Sequence[Comparison], counted: Sequence[bool]) -> Whose:
    return [one.request_id for one, counts in zip(told, counted, strict=True) if counts]


def _count(whose: Whose, fewest: int) -> int:
    """How many rankings are told of; those that are not their person's first have steps of their own."""
    seen: set[RequestId] = set()
    again: list[RequestId] = []
    for each in whose[: _steps(whose, fewest)]:
        if each in seen:
            again.append(each)
        seen.add(each)
    return len(seen) + _steps(again, fewest)


def _cut(values: Values, fewest: int) -> Values:
    """Each person's first value, in steps of people: so a set of values is one of people, too."""
    firsts: dict[RequestId, float] = {}
    for request, value in values:
        firsts.setdefault(request, value)
    return list(firsts.items())[: len(firsts) // fewest * fewest]


def _steps(whose: Whose, fewest: int) -> int:
    """How many there are up to the last person who made `fewest` more."""
    people: set[RequestId] = set()
    told = 0
    for place, each in enumerate(whose, start=1):
        if each not in people:
            people.add(each)
            told = place if len(people) % fewest == 0 else told
    return told
