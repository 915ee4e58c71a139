"""A comparison of two policies as it is told: totals, groups without small numbers, single cases by id."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from services.matching.domain.comparing.comparison import Comparison, Kind, Outcome
from services.matching.domain.comparing.groups import DIVISIONS
from services.matching.domain.comparing.growing import KINDS, kept_back_of, parts_of, told_so_far
from services.matching.domain.comparing.hiding import WITHHELD, hidden
from services.matching.domain.comparing.tally import Mean, Tally, tally, values_of

_AGREEING = {KINDS[Kind.SAME], KINDS[Kind.NEITHER]}


def report(comparisons: Sequence[Comparison], fewest: int, *, growing: bool = False) -> dict[str, Any]:
    """Totals, and each division of clients; no figure of fewer people than `fewest` is told.

    Of comparisons that are `growing` every figure is told in steps of so many people.
    """
    if growing:
        return told_so_far(comparisons, fewest)
    if _people(comparisons) < fewest:
        return {"totals": None, "groups": {division: [] for division in DIVISIONS}}
    totals = _totals(tally(comparisons), fewest) | _kept_back(comparisons, fewest)
    agreement_told = totals["agreement"] is not None
    return {
        "totals": totals,
        "groups": {
            division: _groups(comparisons, division, fewest, agreement_told=agreement_told)
            for division in DIVISIONS
        },
    }


def _people(comparisons: Collection[Comparison]) -> int:
    return len({one.request_id for one in comparisons})


def groups_first(comparisons: Sequence[Comparison], fewest: int) -> int | str:
    """How many had a group first in the record; not where few had, or all but few."""
    whose = {
        in_group: [one.request_id for one in comparisons if one.old.in_group is in_group]
        for in_group in (True, False)
    }
    # How many there are in all is told: each of the two tells the other.
    kept_back = kept_back_of({str(in_group): ids for in_group, ids in whose.items()}, fewest)
    return kept_back.get(str(True), WITHHELD) if kept_back else len(whose[True])


def case_of(one: Comparison) -> dict[str, Any]:
    """One case, by ids alone."""
    return {
        "ranking": one.ranking,
        "request": str(one.request_id),
        "old": _outcome(one.old),
        "new": _outcome(one.new),
    }


def _outcome(outcome: Outcome) -> dict[str, Any] | None:
    if not outcome.listed:
        return None
    return {
        "first": str(outcome.first),
        "score": outcome.score,
        "value": outcome.value,
        "unmet": outcome.unmet,
        "km": outcome.km,
        "begins_in_days": outcome.begins_in_days,
        "in_group": outcome.in_group,
    }


def _totals(counted: Tally, fewest: int) -> dict[str, Any]:
    return {
        "requests": counted.requests,
        "rankings": counted.rankings,
        "same_first": counted.same_first,
        "other_first": counted.other_first,
        "found_only_before": counted.only_old,
        "found_only_now": counted.only_new,
        "nobody_under_either": counted.neither,
        "first_not_allowed_before": counted.outside,
        "online_instead_or_in_person": counted.mode_changed,
        "group_instead_or_alone": counted.group_changed,
        "begin_sooner": counted.sooner,
        "begin_later": counted.later,
        "agreement": counted.agreement,
        **{
            name: mean.mean if mean.of >= fewest else None
            for name, mean in {
                "old_score": counted.old_score,
                "new_score": counted.new_score,
                **_means(counted),
            }.items()
        },
    }


def _kept_back(comparisons: Sequence[Comparison], fewest: int) -> dict[str, str | None]:
    """What is told in place of each of the totals that is of few people, or would tell one that is."""
    kinds, *others = parts_of(comparisons, values_of(comparisons)["wait_days_change"])
    kept_back: dict[str, str | None] = {}
    for parts in others:
        kept_back |= kept_back_of(parts, fewest)
    of_kinds = kept_back_of(kinds, fewest)
    kept_back |= of_kinds
    kept_back.pop("", None)
    # It parts the kinds in two: where some of either are kept back, it would tell more than the others do.
    if _AGREEING & set(of_kinds) and set(of_kinds) - _AGREEING:
        kept_back["agreement"] = None
    return kept_back


def _groups(
    comparisons: Sequence[Comparison], division: str, fewest: int, *, agreement_told: bool
) -> list[dict[str, Any]]:
    """A row for each group."""
    members: dict[str, list[Comparison]] = {}
    for one in comparisons:
        members.setdefault(one.groups[division], []).append(one)
    kept_back = hidden({group: _people(ones) for group, ones in sorted(members.items())}, fewest)
    tallies = {group: tally(ones) for group, ones in sorted(members.items())}
    untold = _untold(tallies, fewest)
    agreement_untold = _agreement_untold(members, fewest) if agreement_told else set(members)
    return [
        {"group": group, "requests": kept_back[group]}
        if group in kept_back
        else {
            "group": group,
            "requests": counted.requests,
            "rankings": counted.rankings,
            "agreement": None if group in agreement_untold else counted.agreement,
            **{name: None if group in untold[name] else mean.mean for name, mean in _means(counted).items()},
        }
        for group, counted in tallies.items()
    ]


def _agreement_untold(members: Mapping[str, Sequence[Comparison]], fewest: int) -> Collection[str]:
    """The groups of whom few agree, or all but few, and those that would tell of how many."""
    return {
        group
        for agreed in (True, False)
        for group in kept_back_of(
            {
                group: [one.request_id for one in ones if one.same_first is agreed]
                for group, ones in members.items()
            },
            fewest,
        )
    }


def _untold(tallies: Mapping[str, Tally], fewest: int) -> dict[str, Collection[str]]:
    """For each mean the groups that it is not told of: over few people, or it would tell that of few."""
    people: dict[str, dict[str, int]] = {}
    for group, counted in tallies.items():
        for name, mean in _means(counted).items():
            # Where there is nothing to take a mean over, there is nothing to hide.
            people.setdefault(name, {}).update({group: mean.of} if mean.of else {})
    return {name: hidden(sizes, fewest) for name, sizes in people.items()}


def _means(counted: Tally) -> dict[str, Mean]:
    return {
        "overlap": counted.overlap,
        "value_change": counted.value,
        "list_value_change": counted.list_value,
        "unmet_change": counted.unmet,
        "km_change": counted.km,
        "wait_days_change": counted.wait_days,
    }
