"""Where in a policy file a field stands, so that a fault names its line."""

import re
from collections.abc import Sequence
from itertools import takewhile

_HEADER = re.compile(r"\s*\[\[?\s*([\w.\"'-]+)\s*\]\]?")
_KEY = re.compile(r"\s*([\w\"'-]+)\s*=")
_PATH = re.compile(r"[\w-]+(\.[\w-]+)*")


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """The line of a field, or of what is nearest to it; None if nothing around it is in the file.

    Nearest is the innermost table around it, else the first that stands in the same one; of a field that
    stands in none, the first of the file.
    A number in the path stands for the table of that place among tables of one name, from 0.
    """
    wanted = [str(part) for part in path]
    best, found = (0, False), None
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
        if found is None and len(wanted) == len(here) == 1:
            found = number
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(here, wanted, strict=False)))
        near = shared, shared == len(here)
        if near > best and shared:
            best, found = near, number
    return found


def path_in(message: str) -> list[str]:
    """The path that a message begins with, such as `evidence.ipt.anxiety is missing`."""
    found = _PATH.match(message)
    return found.group().split(".") if found else []
