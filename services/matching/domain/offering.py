"""What each therapist can offer once groups are thought of: a place in one, one to open, or time alone."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from services.matching.domain import telling, wording
from services.matching.domain.gates import Fit, Gate, Search, check
from services.matching.domain.grouping import (
    Gathering,
    as_told,
    into_groups,
    joining,
    joining_in_time,
    opening,
)
from services.matching.domain.ordering import with_order_told
from services.matching.domain.pathways import pathways_of
from services.matching.domain.ranking import Found, Rules, candidate_of
from services.matching.domain.rising import Basis, with_rises
from services.matching.domain.scoring import score
from services.matching.domain.therapist import Therapist
from shared.contract.ids import TherapistId
from shared.contract.matching import (
    Candidate,
    Concession,
    GateCount,
    NextBest,
    NothingFound,
    Pathway,
    Reason,
    Shortlist,
)
from shared.contract.vocabulary import Format, Slot


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody else who looks for a group, and the pathways that lead them into one."""

    search: Search
    pathways: tuple[Pathway, ...]

    @classmethod
    def looking(cls, search: Search, rules: Rules) -> "Other":
        """Finds the pathways, once for all therapists and times."""
        return cls(
            search, into_groups(pathways_of(search.case, search.on, rules.policy).fitting, rules.policy)
        )


@dataclass(frozen=True, slots=True)
class Around:
    """All that is to be known of groups when somebody is ranked."""

    search: Search
    rules: Rules
    gatherings: tuple[Gathering, ...]
    others: tuple[Other, ...]
    """Who else looks for a group, the oldest request first."""

    busy: Mapping[TherapistId, frozenset[Slot]]
    """When therapists have a group already."""


@dataclass(frozen=True, slots=True)
class _Offer:
    fit: Fit
    score: int
    price: int
    group: Gathering | None = None
    """Which can be joined."""

    opens: bool = False

    def rank(self, *, asked: bool) -> tuple[int, int, int, int]:
        """Whoever asked for a group finds those first that gather: else every one would stay too small."""
        kind = (0 if self.group else 1 if self.opens else 2) if asked else 0
        gathered = self.group.members + self.group.promised if self.group and asked else 0
        return kind, -gathered, self.price - self.score, self.fit.therapist.id.int


def with_groups(
    around: Around,
    found: Found,
    answer: Shortlist | NothingFound,
    therapists: Mapping[TherapistId, Therapist],
) -> Shortlist | NothingFound:
    """The answer with a group named for every candidate of a variant that is given in groups.

    Whoever can neither be joined nor open a group is proposed for another pathway, or not at all.
    """
    offers: dict[TherapistId, _Offer] = {}
    prices = {each.therapist_id: each.price for each in (*found.placed, *found.for_groups)}
    leaders = {group.therapist_id for group in around.gatherings}
    for therapist_id in {*prices, *leaders} & set(therapists):
        offer = _offer(around, therapists[therapist_id], prices.get(therapist_id), answer.pathways)
        if offer is not None:
            offers[therapist_id] = offer
    asked = around.search.case.format is Format.GROUP
    best = sorted(offers.values(), key=lambda each: each.rank(asked=asked))
    best = best[: around.rules.policy.shortlist_size]
    for pathway in answer.pathways:
        best += _left_out(around, pathway, best, [therapists[each] for each in offers], prices)
    best.sort(key=lambda each: each.rank(asked=asked))
    gates = _gates(around, answer.gates, offers, prices.keys() & therapists.keys())
    # Where groups come first, that somebody scores more brings nobody to the top.
    concessions = () if asked and best else _concessions(answer.concessions, best)
    next_best = _next_best(around, answer.next_best, offers, therapists)
    if best:
        basis = Basis(around.search, therapists, answer.pathways, around.rules.policy, around.rules.places)
        listed = with_order_told([_candidate(around, each, answer.pathways) for each in best])
        return Shortlist(
            candidates=with_rises(basis, listed, concessions),
            pathways=answer.pathways,
            ruled_out=answer.ruled_out,
            gates=gates,
            concessions=concessions,
            next_best=next_best,
        )
    text = "No group gathers, and none can be opened, at a time that the client has."
    return NothingFound(
        pathways=answer.pathways,
        ruled_out=answer.ruled_out,
        gates=gates,
        text=answer.text if isinstance(answer, NothingFound) else text,
        concessions=concessions,
        next_best=next_best,
    )


def _left_out(
    around: Around,
    pathway: Pathway,
    listed: Sequence[_Offer],
    therapists: Sequence[Therapist],
    prices: Mapping[TherapistId, int],
) -> list[_Offer]:
    """The best offer on a pathway that nobody listed is proposed for, of who is not listed."""
    if any(each.fit.pathway.variant is pathway.variant for each in listed):
        return []
    known = {each.fit.therapist.id for each in listed}
    others = (each for each in therapists if each.id not in known)
    offers = [offer for each in others if (offer := _offer(around, each, prices.get(each.id), (pathway,)))]
    asked = around.search.case.format is Format.GROUP
    return sorted(offers, key=lambda each: each.rank(asked=asked))[:1]


def _gates(
    around: Around,
    gates: Sequence[GateCount],
    offers: Mapping[TherapistId, _Offer],
    placed: Set[TherapistId],
) -> tuple[GateCount, ...]:
    """Whom each gate keeps out, now that a place in a group needs no seat, and a new group needs a time."""
    counts = {each.gate: each.therapists for each in gates}
    spoken_for = around.search.spoken_for
    # Only the gate of seats can have kept out who has an offer all the same.
    counts[Gate.SEAT] = counts.get(Gate.SEAT, 0) - sum(
        therapist_id not in placed and offer.fit.therapist.seats_free - spoken_for.get(therapist_id, 0) < 1
        for therapist_id, offer in offers.items()
    )
    counts["group_time"] = len(placed - offers.keys())
    return tuple(GateCount(gate=gate, therapists=number) for gate, number in counts.items() if number > 0)


def _concessions(concessions: Sequence[Concession], best: Sequence[_Offer]) -> tuple[Concession, ...]:
    """Those which would still bring somebody else, and better, to the top, with or without groups."""
    listed = {each.fit.therapist.id for each in best}
    first = max((each.score for each in best[:1]), default=-1)
    return tuple(each for each in concessions if each.therapist_id not in listed and each.score > first)


def _next_best(
    around: Around,
    next_best: NextBest | None,
    offers: Mapping[TherapistId, _Offer],
    therapists: Mapping[TherapistId, Therapist],
) -> NextBest | None:
    """The next best, if it is true that they are kept off, and by that one gate alone."""
    if next_best is None or next_best.therapist_id in offers:
        return None
    times = therapists[next_best.therapist_id].slots & set(around.search.case.availability)
    if next_best.variant in around.rules.policy.groups and not times - _busy(around, next_best.therapist_id):
        return None
    return next_best


def _age(group: Gathering | None) -> tuple[object, ...]:
    """Of groups that are alike, the one that gathers longest comes first: ids are given in that order."""
    if group is None:
        return ()
    number = 0 if group.id is None else group.id.int
    return group.id is None, number, group.slot, group.variant, group.mode, group.language


def _offer(
    around: Around, therapist: Therapist, price: int | None, pathways: Sequence[Pathway]
) -> _Offer | None:
    """The best that a therapist can offer; without a `price` they are there for the sake of a group alone."""
    search, rules = around.search, around.rules
    in_groups = into_groups(pathways, rules.policy)
    own = [group for group in around.gatherings if group.therapist_id == therapist.id]
    together = [
        _Offer(fit, _points(search, fit, rules), price or 0, group)
        for group in own
        for pathway in in_groups
        if (fit := joining(search, pathway, group, therapist, rules)) is not None
    ]
    if together:
        together = [min(together, key=lambda each: (each.rank(asked=True), _age(each.group)))]
    elif price is not None:
        together = [
            _Offer(fit, _points(search, fit, rules), price, opens=True)
            for fit in _fits(search, in_groups, therapist, rules)
            if _free_slots(around, fit)
        ]
    if price is None or (together and search.case.format is Format.GROUP):
        offers = together
    else:
        others = [each for each in pathways if each not in in_groups]
        alone = [
            _Offer(fit, _points(search, fit, rules), price) for fit in _fits(search, others, therapist, rules)
        ]
        offers = alone + together
    return min(offers, key=lambda each: each.price - each.score, default=None)


def _fits(search: Search, pathways: Sequence[Pathway], therapist: Therapist, rules: Rules) -> Iterator[Fit]:
    for pathway in pathways:
        fit = check(search, pathway, therapist, rules.policy, rules.places)
        if isinstance(fit, Fit):
            yield fit


def _points(search: Search, fit: Fit, rules: Rules) -> int:
    return sum(each.points for each in score(search, fit, rules.policy))


def _free_slots(around: Around, fit: Fit) -> list[Slot]:
    taken = _busy(around, fit.therapist.id)
    return [slot for slot in fit.shared_slots if slot not in taken]


def _busy(around: Around, therapist_id: TherapistId) -> frozenset[Slot]:
    return around.busy.get(therapist_id, frozenset())


def _candidate(around: Around, offer: _Offer, pathways: Sequence[Pathway]) -> Candidate:
    plain = candidate_of(around.search, offer.fit, around.rules, pathways, price=offer.price)
    group = offer.group or (_opened(around, offer.fit) if offer.opens else None)
    if group is None:
        return plain
    reason = Reason(term="group", field="details.availability", points=0, text=_sentence(group))
    return plain.model_copy(
        update={
            "group": as_told(group, around.rules.policy),
            "reasons": (*plain.reasons, reason),
            "for_client": (*plain.for_client, telling.of_group(group.slot)),
            "for_therapist": (*plain.for_therapist, telling.of_group(group.slot)),
        }
    )


def _opened(around: Around, fit: Fit) -> Gathering:
    """The group to open, at the time that suits most of those who look for one as well."""
    search, slots = around.search, _free_slots(around, fit)
    group = opening(search, fit, slots[0], around.rules.policy)
    beside = replace(group, born=(search.case.date_of_birth,))
    # But for its time it is the same group, so that each is asked once.
    others = [each for each in around.others if _could_join(each, beside, fit.therapist, around.rules)]

    def suits(slot: Slot) -> int:
        return sum(slot in other.search.case.availability for other in others)

    # Of several that suit as many, the first of the week.
    return replace(group, slot=max(slots, key=suits))


def _could_join(other: Other, group: Gathering, therapist: Therapist, rules: Rules) -> bool:
    return any(joining_in_time(other.search, pathway, group, therapist, rules) for pathway in other.pathways)


def _sentence(group: Gathering) -> str:
    when = f"{wording.slot(group.slot)}s"
    if group.joinable_until is not None:
        return f"Leads a group on {when} that is formed and has {group.most - group.members} places left."
    if group.id is not None:
        return f"Gathers a group on {when}: {group.members} of at least {group.least} have a place."
    return f"Would open a group on {when}, which begins once {group.least} have a place."
