"""What every row of the policy rests on: a citation, or the clinic's own choice and why."""

from collections.abc import Collection, Iterator, Mapping

from pydantic import BaseModel, ConfigDict

Source = str | Mapping[str, str]
"""One for the whole table, or one for each of its rows."""


class Cited(BaseModel):
    """A table that says what it rests on, by the name of one of the policy's sources."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    source: Source


def unsourced(table: str, source: Source, rows: Collection[str], known: Collection[str]) -> Iterator[str]:
    """The faults in what a table says of its sources: a row without one, one without a row, one not known."""
    field = f"{table}.source" if table else "source"
    if isinstance(source, str):
        if source not in known:
            yield f"{field} is not among the sources"
        return
    for row in sorted(set(rows) | set(source)):
        if row not in source:
            yield f"{field}.{row} is missing"
        elif row not in rows:
            yield f"{field}.{row} has no row"
        elif source[row] not in known:
            yield f"{field}.{row} is not among the sources"
