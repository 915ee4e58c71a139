"""What sets each candidate behind the one above, and what the client could give on to turn that round."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise

from services.matching.domain import telling, wording
from services.matching.domain.conceding import MOST_TIMES, Change, distances, modes
from services.matching.domain.gates import Fit, Search, check
from services.matching.domain.place import Places
from services.matching.domain.policy import Policy
from services.matching.domain.scoring import Term, score
from services.matching.domain.therapist import Therapist
from shared.contract.ids import TherapistId
from shared.contract.matching import Candidate, Concession, Pathway, Rise
from shared.contract.vocabulary import Format, Slot

_PRICE = "price"
_NAMES: Mapping[str, str] = {
    Term.PROBLEM_AREA: "problem areas",
    Term.CONDITION: "conditions",
    Term.EVIDENCE: "evidence",
    Term.FORMAT: "format",
    Term.EXPERIENCE: "experience",
    Term.AVAILABILITY: "times in common",
    Term.PREFERENCE: "wishes",
    Term.LANGUAGE: "language",
    Term.DISTANCE: "distance",
    Term.FEE: "fee",
    Term.WAIT: "how soon it can begin",
    Term.CASELOAD: "free seats",
    Term.OUTCOME: "outcomes",
    _PRICE: "keeping the seat for others",
}


@dataclass(frozen=True, slots=True)
class Basis:
    """All that the points of those on a list come from."""

    search: Search
    therapists: Mapping[TherapistId, Therapist]
    pathways: Sequence[Pathway]
    policy: Policy
    places: Places


def with_rises(
    basis: Basis, candidates: Sequence[Candidate], concessions: Sequence[Concession]
) -> tuple[Candidate, ...]:
    """The candidates in their order, each with what would change it; of the first, what brings another."""
    others = telling.of_others([each.text for each in concessions])
    return (
        *(_telling_client(first, others) for first in candidates[:1]),
        *(_with_rises(basis, candidate, above) for above, candidate in pairwise(candidates)),
    )


def _with_rises(basis: Basis, candidate: Candidate, above: Candidate) -> Candidate:
    in_groups = candidate.group is not None or above.group is not None
    if in_groups and basis.search.case.format is Format.GROUP:
        # Points alone do not decide there.
        return candidate
    rises = () if in_groups else tuple(_rises(basis, candidate, above))
    told = candidate.model_copy(update={"behind": _behind(candidate, above), "rises": rises})
    return _telling_client(told, telling.of_rises([each.text for each in rises]))


def _telling_client(candidate: Candidate, lines: tuple[str, ...]) -> Candidate:
    return candidate.model_copy(update={"for_client": (*candidate.for_client, *lines)})


def _rises(basis: Basis, candidate: Candidate, above: Candidate) -> Iterator[Rise]:
    """The smallest of each kind that is enough; a fee is within the client's limit already."""
    search = basis.search
    for most, kind in (
        (MOST_TIMES, _times(search, basis.therapists[candidate.therapist_id])),
        (1, distances(search, basis.policy)),
        (1, modes(search)),
    ):
        helpful = (
            Rise(code=code, text=text)
            for code, text, case in kind
            if _order(basis, candidate, asked := replace(search, case=case)) > _order(basis, above, asked)
        )
        yield from islice(helpful, most)


def _times(search: Search, therapist: Therapist) -> Iterator[Change]:
    case = search.case
    for slot in Slot:
        if slot in therapist.slots and slot not in case.availability:
            more = case.model_copy(update={"availability": (*case.availability, slot)})
            yield "times", f"{wording.slot(slot)}s as well", more


def _order(basis: Basis, candidate: Candidate, asked: Search) -> int:
    """What somebody would be listed by."""
    pathway = next(each for each in basis.pathways if each.variant is candidate.variant)
    fit = check(asked, pathway, basis.therapists[candidate.therapist_id], basis.policy, basis.places)
    terms = score(asked, fit, basis.policy) if isinstance(fit, Fit) else ()
    return sum(each.points for each in terms) - candidate.price


def _behind(candidate: Candidate, above: Candidate) -> str:
    lacks = Counter({_PRICE: candidate.price - above.price})
    for reason in above.reasons:
        lacks[reason.term] += reason.points
    for reason in candidate.reasons:
        lacks[reason.term] -= reason.points
    total = lacks.total()
    if total == 0:
        return f"As many points as {above.name}: which of the two is listed first says nothing."
    less = [f"{points} less for {_NAMES[term]}" for term, points in lacks.most_common() if points > 0]
    more = [
        f"{-points} more for {_NAMES[term]}" for term, points in reversed(lacks.most_common()) if points < 0
    ]
    points = "1 point" if total == 1 else f"{total} points"
    return f"{points} behind {above.name}: {wording.joined([*less, *more])}."
