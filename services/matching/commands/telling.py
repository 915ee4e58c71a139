"""A comparison of policies for somebody to read at a terminal."""

from collections.abc import Iterator
from typing import Any

from services.matching.domain.comparing import COLUMNS, DIVISIONS, TOTALS, figure


def told(document: dict[str, Any]) -> Iterator[str]:
    """The document, line by line."""
    until = "now" if document["until"] is None else document["until"]
    yield f"Rankings from {document['since']} to {until}: {document['rankings']}"
    yield (
        f"  compared {document['compared']}, erased {document['erased']}, "
        f"not readable by this build {document['unreadable']}"
    )
    yield f"  left out, as the groups that they depend on are not on record: {document['groups_unknown']}"
    yield f"  with a group first, of those compared: {document['group_first']}"
    yield f"  differing from the record: {len(document['differing'])}"
    for each in document["differing"]:
        yield (
            f"    ranking {each['ranking']} of case {each['request']}: "
            f"first was {each['recorded_first'] or 'nobody'}, is {each['made_again_first'] or 'nobody'}"
        )
    for each in document["recorded_policies"]:
        yield f"  under policy {each['version']} (sha256 {each['sha256'][:12]})"
    if document["policy"] is None:
        return
    yield ""
    yield f"Under policy {document['policy']['version']} (sha256 {document['policy']['sha256'][:12]})"
    if document["totals"] is None:
        yield "  too few people for any figure"
    else:
        for name, words in TOTALS.items():
            yield f"  {words:58} {figure(name, document['totals'][name]):>10}"
    if "cases" in document:
        yield from _case_lines(document["cases"])
        return
    yield ""
    yield f"Figures of fewer than {document['smallest_group']} people are not told, nor what would tell them"
    for division, words in DIVISIONS.items():
        yield ""
        yield words
        yield from _table(document["groups"][division])


def _case_lines(cases: list[dict[str, Any]]) -> Iterator[str]:
    yield ""
    yield "Cases with another first place: score on the policy's own scale, value on the old one's"
    for case in cases:
        yield f"  case {case['request']}, ranking {case['ranking']}"
        for name in ("old", "new"):
            one = case[name]
            if one is None:
                yield f"    {name} nobody"
                continue
            value = "ruled out" if one["value"] is None else one["value"]
            where = "online" if one["km"] is None else f"{one['km']} km"
            yield (
                f"    {name} {one['first']}: score {one['score']}, value {value}, "
                f"{one['unmet']} wishes unmet, {where}"
            )


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    if not rows:
        yield "  too few people"
        return
    cells = [[*COLUMNS.values()]] + [
        [figure(name, row[name]) if name in row else "" for name in COLUMNS] for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        first, *others = row
        right = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        yield f"  {'  '.join([first.ljust(widths[0]), *right])}".rstrip()
