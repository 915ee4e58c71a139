"""The pathways of every search, worked out once for all who are compared: the engine remembers them, too."""

from collections.abc import Sequence

from services.matching.domain.gates import Search
from services.matching.domain.pathways import routes
from services.matching.domain.policy import Policy
from shared.contract.matching import Pathway


class Ways:
    """Pathways by search; a search is told by being the same object."""

    def __init__(self, searches: Sequence[Search], policy: Policy) -> None:
        self._searches = searches
        self._known = {id(each): routes(each.case, each.on, policy).pathways for each in searches}

    def of(self, search: Search) -> Sequence[Pathway]:
        """The pathways of one of these searches."""
        return self._known[id(search)]
