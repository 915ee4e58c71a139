"""One ranking under two policies: who came first, and how much each list is worth on one scale."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from services.matching.domain.comparing.groups import groups_of
from services.matching.domain.gates import Fit, Search, check
from services.matching.domain.offering import Around, worth
from services.matching.domain.pathways import pathways_of
from services.matching.domain.ranking import Rules
from services.matching.domain.scoring import score
from services.matching.domain.therapist import Therapist
from shared.contract.ids import RequestId, TherapistId
from shared.contract.matching import NothingFound, Shortlist
from shared.contract.vocabulary import RequesterRole

Answer = Shortlist | NothingFound


class Kind(StrEnum):
    """What two answers to one search have in common; every ranking is of one kind."""

    SAME = "same"
    OTHER = "other"
    ONLY_OLD = "live_only"
    """Somebody would have been found no more."""

    ONLY_NEW = "shadow_only"
    """Somebody would have been found."""

    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a ranking came to under one policy; of nobody, if the list is empty."""

    listed: tuple[TherapistId, ...]
    score: int
    """Of the first, on the policy's own scale."""

    values: tuple[int | None, ...]
    """Of everybody listed, on the scale of the recorded policy; None for whom it lets through nowhere."""

    unmet: int
    """How many of the client's wishes the first does not meet."""

    km: float | None
    """How far the first is; None for online."""

    begins_in_days: int
    """When the first can take a new client; 0 for at once. How long a group gathers nobody knows."""

    in_group: bool = False
    """Whether the first stands for a group."""

    @property
    def first(self) -> TherapistId | None:
        """Who comes first."""
        return self.listed[0] if self.listed else None

    @property
    def value(self) -> int | None:
        """What the first is worth on the scale of the recorded policy."""
        return self.values[0] if self.values else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One ranking as it was recorded, and under another policy."""

    ranking: int
    request_id: RequestId
    waited_days: int
    """From the submission of the request."""

    groups: Mapping[str, str]
    """Which part of each division of clients this one belongs to."""

    old: Outcome
    new: Outcome

    @property
    def kind(self) -> Kind:
        """Who comes first under which policy."""
        if not self.old.listed or not self.new.listed:
            return Kind.ONLY_OLD if self.old.listed else Kind.ONLY_NEW if self.new.listed else Kind.NEITHER
        return Kind.SAME if self.same_first else Kind.OTHER

    @property
    def outside(self) -> bool:
        """Whether the new first is one whom the recorded policy lets through nowhere: no value compares."""
        return bool(self.new.listed) and self.new.value is None

    @property
    def mode_changed(self) -> bool:
        """Whether one first is met online and the other in person."""
        return bool(self.old.listed and self.new.listed) and (self.old.km is None) != (self.new.km is None)

    @property
    def group_changed(self) -> bool:
        """Whether one first stands for a group and the other for sessions without others."""
        return bool(self.old.listed and self.new.listed) and self.old.in_group != self.new.in_group

    @property
    def same_first(self) -> bool:
        """Whether the same therapist comes first, or nobody under either."""
        return self.old.first == self.new.first


def compare(
    *,
    ranking: int,
    request_id: RequestId,
    requester: RequesterRole | None,
    waited: timedelta,
    search: Search,
    rules: Rules,
    old: Answer,
    new: Answer,
    therapists: Mapping[TherapistId, Therapist],
    around: Around | None = None,
) -> Comparison:
    """Compares two answers to one search; `search`, `rules` and `around` are those of the recorded policy."""
    return Comparison(
        ranking=ranking,
        request_id=request_id,
        waited_days=max(waited.days, 0),
        groups=groups_of(search.case, search.age, requester),
        old=_outcome(old, search, rules, around, therapists),
        new=_outcome(new, search, rules, around, therapists),
    )


def value_of(search: Search, therapist: Therapist, rules: Rules, around: Around | None = None) -> int | None:
    """The score on the pathway that suits best; None if every one keeps the therapist out.

    With groups around, it is of what the therapist could offer beside them.
    """
    pathways = pathways_of(search.case, search.on, rules.policy).fitting
    if around is not None:
        return worth(around, therapist, pathways)
    scores = [
        sum(each.points for each in score(search, fit, rules.policy))
        for pathway in pathways
        if isinstance(fit := check(search, pathway, therapist, rules.policy, rules.places), Fit)
    ]
    return max(scores, default=None)


def _outcome(
    answer: Answer,
    search: Search,
    rules: Rules,
    around: Around | None,
    therapists: Mapping[TherapistId, Therapist],
) -> Outcome:
    candidates = answer.candidates if isinstance(answer, Shortlist) else ()
    first = candidates[0] if candidates else None
    free_from = therapists[first.therapist_id].free_from if first else None
    return Outcome(
        listed=tuple(each.therapist_id for each in candidates),
        score=first.score if first else 0,
        values=tuple(value_of(search, therapists[each.therapist_id], rules, around) for each in candidates),
        unmet=len(first.unmet) if first else 0,
        km=first.distance_km if first else None,
        begins_in_days=max((free_from - search.on).days, 0) if free_from else 0,
        in_group=first is not None and first.group is not None,
    )
