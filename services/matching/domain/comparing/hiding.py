"""Which groups of a division are not told, so that no small number can be read or worked out."""

from collections.abc import Mapping, Sequence

WITHHELD = "withheld"


def hidden(sizes: Mapping[str, int], fewest: int) -> dict[str, str]:
    """What is shown in place of a group's size, for every group whose size is not shown.

    The size of all together is known, so a small group that is hidden alone could be worked out by
    subtraction. Others, the smallest first, are withheld with it until every small group may be of any size
    below `fewest`.
    """
    small = [group for group, size in sizes.items() if size < fewest]
    if not small:
        return {}
    besides = sorted(
        (group for group in sizes if group not in small), key=lambda group: (sizes[group], group)
    )
    for more in range(len(besides) + 1):
        if _safe([sizes[group] for group in small], [sizes[group] for group in besides[:more]], fewest):
            return dict.fromkeys(small, f"<{fewest}") | dict.fromkeys(besides[:more], WITHHELD)
    # Nothing is left to hide behind: not even which of them are small is told.
    return dict.fromkeys(sizes, WITHHELD)


def _safe(small: Sequence[int], withheld: Sequence[int], fewest: int) -> bool:
    """Whether each small one, from the sum of all hidden ones, may be 1 and may be `fewest` - 1."""
    together, others = sum(small) + sum(withheld), len(small) - 1
    may_be_least = bool(withheld) or together - others * (fewest - 1) <= 1
    may_be_most = together - others - len(withheld) * fewest >= fewest - 1
    return may_be_least and may_be_most
