"""The pathways of every search, worked out once for all who are compared: the engine remembers them, too."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from services.matching.domain.gates import Search
from services.matching.domain.pathways import pathways_of
from services.matching.domain.policy import Policy
from shared.contract.matching import Pathway
from shared.contract.vocabulary import Variant


class Placed(NamedTuple):
    """A therapist's place on the list; the lowest comes first."""

    behind: int
    """What counts of the price minus the score."""

    number: int
    """The therapist's id as one number."""

    score: int
    variant: Variant


Best = Callable[[Search, int, Variant | None], Awaitable[list[Placed]]]
"""So many of the best, or of those on one pathway."""


class Ways:
    """Pathways by search; a search is told by being the same object."""

    def __init__(self, searches: Sequence[Search], policy: Policy) -> None:
        self._searches = searches
        self._known = {id(each): pathways_of(each.case, each.on, policy).fitting for each in searches}

    def of(self, search: Search) -> Sequence[Pathway]:
        """The pathways of one of these searches."""
        return self._known[id(search)]


async def shortlist(search: Search, size: int, ways: Sequence[Pathway], best: Best) -> list[Placed]:
    """The best, and below them the best of each pathway that they leave out."""
    placed = await best(search, size, None)
    if len(placed) == size:
        for variant in [way.variant for way in ways]:
            if all(each.variant is not variant for each in placed):
                listed = {each.number for each in placed}
                on_it = await best(search, len(listed) + 1, variant)
                placed += [each for each in on_it if each.number not in listed][:1]
    return sorted(placed)
