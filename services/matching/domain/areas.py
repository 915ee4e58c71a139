"""What the therapy would be about, as far as a request tells."""

from dataclasses import dataclass

from services.matching.domain.policy import Policy
from shared.contract.intake import CaseDetails
from shared.contract.vocabulary import LifeEvent, ProblemArea


@dataclass(frozen=True, slots=True)
class Area:
    """A problem area that the case points to, and the field that says so."""

    area: ProblemArea
    field: str


def areas_of(case: CaseDetails, policy: Policy) -> tuple[Area, ...]:
    """The areas the client named, then the one that the life event points to if it is not among them."""
    named = [Area(area, "details.problem_areas") for area in dict.fromkeys(case.problem_areas)]
    hint = policy.life_events.get(case.life_event or LifeEvent.OTHER)
    if hint is not None and hint not in case.problem_areas:
        named.append(Area(hint, "details.life_event"))
    return tuple(named)
