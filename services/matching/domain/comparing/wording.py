"""A comparison in words and figures that people read; the same on the page and on the command line."""

from collections.abc import Mapping

TOTALS: Mapping[str, str] = {
    "requests": "Requests",
    "rankings": "Rankings",
    "same_first": "The same therapist first",
    "other_first": "Another therapist first",
    "found_only_before": "Somebody found under the old policy only",
    "found_only_now": "Somebody found under the new policy only",
    "nobody_under_either": "Nobody found under either",
    "first_not_allowed_before": "The new first is ruled out by the old policy",
    "online_instead_or_in_person": "Online instead of in person, or the other way round",
    "group_instead_or_alone": "A group instead of no group, or the other way round",
    "begin_sooner": "Requests that could begin sooner",
    "begin_later": "Requests that could begin later",
    "old_score": "Mean score of the first, on the old policy's scale",
    "new_score": "Mean score of the first, on the new policy's scale",
    "agreement": "Agreement on the first place",
    "overlap": "Overlap of the lists",
    "value_change": "Change of the first's value, on the old policy's scale",
    "list_value_change": "Change of the list's mean value, on the old policy's scale",
    "unmet_change": "Change of wishes that the first does not meet",
    "km_change": "Change of the distance to the first, in km",
    "wait_days_change": "Change of the days until therapy can begin",
}

COLUMNS: Mapping[str, str] = {
    "group": "Group",
    "requests": "Requests",
    "rankings": "Rankings",
    "agreement": "Agreement",
    "overlap": "Overlap",
    "value_change": "Value",
    "list_value_change": "List value",
    "unmet_change": "Unmet",
    "km_change": "Km",
    "wait_days_change": "Days",
}

_SHARES = {"agreement", "overlap"}


def figure(name: str, value: object) -> str:
    """A figure of the report as it is read."""
    if value is None:
        return "–"
    if name in _SHARES and isinstance(value, int | float):
        return f"{value:.0%}"
    if name.endswith("_change") and isinstance(value, int | float):
        return f"{value:+.2f}" if value else "0.00"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
