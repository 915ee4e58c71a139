"""Where in a policy file a field stands, so that a fault names its line."""

import re
from collections.abc import Sequence

_HEADER = re.compile(r"\s*\[\[?\s*([\w.\"'-]+)\s*\]\]?")
_KEY = re.compile(r"\s*([\w\"'-]+)\s*=")
_PATH = re.compile(r"[\w-]+(\.[\w-]+)+")


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The line of a field, or of the nearest table around it; None if not even that is in the file.

    A number in the path stands for the table of that place among tables of one name, from 0.
    """
    wanted = [str(part) for part in path]
    best: tuple[int, int] | None = None
    seen: dict[str, int] = {}
    table: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            name = header.group(1).replace('"', "").split(".")
            if line.lstrip().startswith("[["):
                place = seen[header.group(1)] = seen.get(header.group(1), -1) + 1
                name.append(str(place))
            table = name
            here = table
        elif key := _KEY.match(line):
            here = [*table, key.group(1).strip("\"'")]
        else:
            continue
        if here == wanted[: len(here)] and (best is None or len(here) > best[0]):
            best = len(here), number
    return None if best is None else best[1]


def path_in(message: str) -> list[str]:
    """The path that a message begins with, such as `evidence.ipt.anxiety is missing`."""
    found = _PATH.match(message)
    return found.group().split(".") if found else []
