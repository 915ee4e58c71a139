"""The answer once groups are thought of: who is listed then, and which group each of them stands for."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from services.matching.domain import telling, wording
from services.matching.domain.gates import Fit, Gate, check
from services.matching.domain.grouping import Gathering, as_told, joining, joining_in_time, meeting, opening
from services.matching.domain.offering import Around, Offer, Offering, Other
from services.matching.domain.ordering import with_order_told
from services.matching.domain.ranking import Found, OutOfStep, Rules, candidate_of, with_choices
from services.matching.domain.rising import Basis, with_rises
from services.matching.domain.scoring import points_for_times
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
from shared.contract.vocabulary import Slot

MOST_FOR_GROUPS = 100
"""How many are looked at for a group at first: some have no time in common with the client and fall away."""


def leaders(around: Around | None) -> set[TherapistId]:
    """Who leads a group around a client, and so must be known whatever the engine finds."""
    return {group.therapist_id for group in around.gatherings} if around else set()


def first_for_groups(around: Around | None) -> int:
    """How many the engine is to name for groups at first."""
    return MOST_FOR_GROUPS if around else 0


def more_for_groups(answer: Shortlist | NothingFound, found: Found, so_far: int) -> int:
    """How many it is to name when those were too few; 0 if they were not."""
    # A time is no gate of the engine: who has one may come after many who score more and have none.
    return so_far * 2 if isinstance(answer, NothingFound) and found.cut_short else 0


def with_groups(
    around: Around,
    found: Found,
    answer: Shortlist | NothingFound,
    therapists: Mapping[TherapistId, Therapist],
) -> Shortlist | NothingFound:
    """The answer with a group named for every candidate of a variant that is given in groups.

    Whoever can neither be joined nor open a group is proposed for another pathway, or not at all.
    """
    offering = Offering(around, found, answer.pathways)
    asked = [therapists[each] for each in offering.asked if each in therapists]
    offers = {each.therapist.id: each for each in offering.best_of_each(asked, answer.pathways)}
    listed = _listed(around, offering, offers, answer.pathways)
    placed = {each for each in offering.prices if each in therapists}
    gates = _gates(around, answer.gates, offers, placed)
    # Where groups come first, that somebody scores more brings nobody to the top.
    concessions = () if around.asked and listed else _concessions(answer.concessions, listed)
    next_best = _next_best(around, answer.next_best, offers, therapists)
    if listed:
        basis = Basis(around.search, therapists, answer.pathways, around.rules.policy, around.rules.places)
        candidates = with_order_told([_candidate(around, offering, each, answer.pathways) for each in listed])
        return Shortlist(
            candidates=with_rises(basis, candidates, concessions),
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


def _listed(
    around: Around, offering: Offering, offers: Mapping[TherapistId, Offer], pathways: Sequence[Pathway]
) -> list[Offer]:
    """The best offers, and below them the best on each pathway that nobody listed is proposed for."""

    def rank(offer: Offer) -> tuple[int, int, int, int]:
        return offer.rank(asked=around.asked)

    listed = sorted(offers.values(), key=rank)[: around.rules.policy.shortlist_size]
    for pathway in pathways:
        if all(each.pathway.variant is not pathway.variant for each in listed):
            known = {each.therapist.id for each in listed}
            others = [each.therapist for each in offers.values() if each.therapist.id not in known]
            further = offering.best_on(pathway, others)
            listed += [further] if further else []
    return sorted(listed, key=rank)


def _gates(
    around: Around,
    gates: Sequence[GateCount],
    offers: Mapping[TherapistId, Offer],
    placed: Set[TherapistId],
) -> tuple[GateCount, ...]:
    """Whom each gate keeps out, now that a place in a group needs no seat, and a new group needs a time."""
    counts = {each.gate: each.therapists for each in gates}
    spoken_for = around.search.spoken_for
    # Only the gate of seats can have kept out who has an offer all the same.
    counts[Gate.SEAT] = counts.get(Gate.SEAT, 0) - sum(
        therapist_id not in placed and offer.therapist.seats_free - spoken_for.get(therapist_id, 0) < 1
        for therapist_id, offer in offers.items()
    )
    counts["group_time"] = len(placed - offers.keys())
    return tuple(GateCount(gate=gate, therapists=number) for gate, number in counts.items() if number > 0)


def _concessions(concessions: Sequence[Concession], listed: Sequence[Offer]) -> tuple[Concession, ...]:
    """Those which would still bring somebody else, and better, to the top, with or without groups."""
    known = {each.therapist.id for each in listed}
    first = max((each.score for each in listed[:1]), default=-1)
    return tuple(each for each in concessions if each.therapist_id not in known and each.score > first)


def _next_best(
    around: Around,
    next_best: NextBest | None,
    offers: Mapping[TherapistId, Offer],
    therapists: Mapping[TherapistId, Therapist],
) -> NextBest | None:
    """The next best, if it is true that they are kept off, and by that one gate alone."""
    if next_best is None or next_best.therapist_id in offers:
        return None
    times = therapists[next_best.therapist_id].slots & set(around.search.case.availability)
    policy = around.rules.policy
    if next_best.variant not in policy.groups:
        return next_best
    if not times - around.busy_times(next_best.therapist_id):
        return None
    fewer = points_for_times(len(times), policy) - points_for_times(1, policy)
    return next_best.model_copy(update={"score": next_best.score - fewer})


def _candidate(around: Around, offering: Offering, offer: Offer, pathways: Sequence[Pathway]) -> Candidate:
    others = [_as_listed(around, each) for each in offering.others(offer, pathways)]
    return with_choices(_as_listed(around, offer), others)


def _as_listed(around: Around, offer: Offer) -> Candidate:
    fit, group = _meant(around, offer)
    candidate = candidate_of(around.search, fit, around.rules, price=offer.price)
    if group is None:
        return candidate
    reason = Reason(term="group", field="details.availability", points=0, text=_sentence(group))
    when = telling.of_group(group.slot)
    return candidate.model_copy(
        update={
            "group": as_told(group, around.rules.policy),
            "reasons": (*candidate.reasons, reason),
            "for_client": (*candidate.for_client, when),
            "for_therapist": (*candidate.for_therapist, when),
        }
    )


def _meant(around: Around, offer: Offer) -> tuple[Fit, Gathering | None]:
    """How an offer would be, and in which group if it is in one."""
    fit = _fit(around, offer)
    if not offer.opens:
        return fit, offer.group
    group = _opened(around, fit)
    return meeting(around.search, fit, group), group


def _fit(around: Around, offer: Offer) -> Fit:
    """How it would be: worked out for those alone who are listed."""
    search, rules = around.search, around.rules
    fit: Fit | Gate | None
    if offer.group is None:
        fit = check(search, offer.pathway, offer.therapist, rules.policy, rules.places)
    else:
        fit = joining(search, offer.pathway, offer.group, offer.therapist, rules)
    if not isinstance(fit, Fit):
        raise OutOfStep
    return fit


def _opened(around: Around, fit: Fit) -> Gathering:
    """The group to open, at the time that suits most of those who look for one as well."""
    search, taken = around.search, around.busy_times(fit.therapist.id)
    slots = [slot for slot in fit.shared_slots if slot not in taken]
    group = opening(search, fit, slots[0], around.rules.policy)
    if len(slots) == 1:
        return group
    beside = replace(group, born=(search.case.date_of_birth,))
    # But for its time it is the same group, so that each is asked once, and nobody who has none of the times.
    others = [
        each
        for each in around.others
        if not frozenset(slots).isdisjoint(each.search.case.availability)
        and _could_join(each, beside, fit.therapist, around.rules)
    ]

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
