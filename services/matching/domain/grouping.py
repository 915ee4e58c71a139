"""Groups: which of them somebody can come into, and which one the first decision for it would open."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.matching.domain import telling, wording
from services.matching.domain.gates import Fit, Search, check
from services.matching.domain.ordering import with_order_told
from services.matching.domain.pathways import routes
from services.matching.domain.policy import Policy
from services.matching.domain.ranking import Found, Rules, candidate_of
from services.matching.domain.scoring import score
from services.matching.domain.therapist import Therapist
from shared.ages import age_on
from shared.contract.ids import GroupId, TherapistId
from shared.contract.matching import Candidate, GateCount, Group, NothingFound, Pathway, Reason, Shortlist
from shared.contract.vocabulary import Format, Mode, Slot, Variant


@dataclass(frozen=True, slots=True)
class Gathering:
    """A group as it stands, or as open proposals would open it."""

    id: GroupId | None
    therapist_id: TherapistId
    variant: Variant
    slot: Slot
    mode: Mode
    language: str
    least: int
    most: int
    members: int = 0
    """Who has a place, by a person's decision."""

    promised: int = 0
    """Places that open proposals name first; nobody has them yet."""

    born: tuple[date, ...] = ()
    """Of the members; before there are any, of those it is proposed to."""

    deadline: datetime | None = None
    joinable_until: datetime | None = None
    """Given once it is formed."""


@dataclass(frozen=True, slots=True)
class Around:
    """All that is to be known of groups when somebody is ranked."""

    search: Search
    rules: Rules
    gatherings: tuple[Gathering, ...]
    others: tuple[Search, ...]
    """Who else looks for a group, the oldest request first."""

    busy: Mapping[TherapistId, frozenset[Slot]]
    """When therapists have a group already."""


def group_ways(pathways: Sequence[Pathway], policy: Policy) -> tuple[Pathway, ...]:
    """The pathways that lead into a group."""
    return tuple(way for way in pathways if way.variant in policy.groups and way.format is Format.GROUP)


def joining(
    search: Search, pathway: Pathway, group: Gathering, therapist: Therapist, rules: Rules
) -> Fit | None:
    """How somebody would come into a group; None if it is not for them, or any gate but the seat bars it."""
    case = search.case
    if pathway.variant is not group.variant or group.members + group.promised >= group.most:
        return None
    if group.slot not in case.availability or group.language not in case.languages:
        return None
    if case.mode not in (group.mode, Mode.EITHER) or not _near_in_age(search, group, rules.policy):
        return None
    if group.id is None and therapist.seats_free < 1:
        return None
    # The group has its seat; whoever comes into it needs none.
    seated = replace(therapist, seats_free=max(1, therapist.seats_free))
    there = narrowed(search, group.mode)
    fit = check(replace(there, spoken_for={}), pathway, seated, rules.policy, rules.places)
    return replace(fit, therapist=therapist) if isinstance(fit, Fit) else None


def narrowed(search: Search, mode: Mode) -> Search:
    """The same search for sessions online or in person only."""
    return replace(search, case=search.case.model_copy(update={"mode": mode}))


def opening(search: Search, fit: Fit, slot: Slot, policy: Policy) -> Gathering:
    """The group that would be opened for somebody as the first, at one of their times."""
    size = policy.groups[fit.pathway.variant].size
    language = next(each for each in search.case.languages if each in fit.therapist.languages)
    return Gathering(
        None, fit.therapist.id, fit.pathway.variant, slot, fit.mode, language, size.least, size.most
    )


def as_told(group: Gathering, policy: Policy) -> Group:
    """A group as others read of it; only who has a place counts as a member."""
    rules = policy.groups[group.variant]
    return Group(
        group_id=group.id,
        slot=group.slot,
        language=group.language,
        members=group.members,
        least=group.least,
        most=group.most,
        formed=group.joinable_until is not None,
        deadline=None if group.joinable_until else group.deadline,
        joinable_until=group.joinable_until,
        individual_first=rules.individual_first.sessions,
        sessions=rules.course.sessions,
        minutes=rules.course.minutes,
    )


def named_by(candidate: Candidate) -> Gathering | None:
    """The group that somebody on a shortlist stands for, as the next who looks for one must know it."""
    group = candidate.group
    if group is None:
        return None
    return Gathering(
        group.group_id,
        candidate.therapist_id,
        candidate.variant,
        group.slot,
        candidate.mode,
        group.language,
        group.least,
        group.most,
    )


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
    offers, without_time = [], 0
    prices = {each.therapist_id: each.price for each in found.placed}
    leaders = {group.therapist_id for group in around.gatherings}
    for therapist_id in {*prices, *leaders} & set(therapists):
        offer = _offer(around, therapists[therapist_id], prices.get(therapist_id), answer.pathways)
        if offer is not None:
            offers.append(offer)
        elif therapist_id in prices:
            without_time += 1
    asked = around.search.case.format is Format.GROUP
    size = around.rules.policy.shortlist_size
    best = sorted(offers, key=lambda each: each.rank(asked=asked))[:size]
    gates = answer.gates
    if without_time:
        gates = (*gates, GateCount(gate="group_time", therapists=without_time))
    if best:
        return Shortlist(
            candidates=with_order_told([_candidate(around, each) for each in best]),
            pathways=answer.pathways,
            ruled_out=answer.ruled_out,
            gates=gates,
            concessions=answer.concessions,
            next_best=answer.next_best,
        )
    text = "No group gathers, and none can be opened, at a time that the client has."
    return NothingFound(
        pathways=answer.pathways,
        ruled_out=answer.ruled_out,
        gates=gates,
        text=answer.text if isinstance(answer, NothingFound) else text,
        concessions=answer.concessions,
        next_best=answer.next_best,
    )


def _offer(around: Around, therapist: Therapist, price: int | None, ways: Sequence[Pathway]) -> _Offer | None:
    """The best that a therapist can offer; without a `price` they are there for the sake of a group alone."""
    search, rules = around.search, around.rules
    in_groups = group_ways(ways, rules.policy)
    own = [group for group in around.gatherings if group.therapist_id == therapist.id]
    together = [
        _Offer(fit, _points(search, fit, rules), price or 0, group)
        for group in own
        for way in in_groups
        if (fit := joining(search, way, group, therapist, rules)) is not None
    ]
    if together:
        together = [min(together, key=lambda each: each.rank(asked=True))]
    elif price is not None:
        together = [
            _Offer(fit, _points(search, fit, rules), price, opens=True)
            for fit in _fits(search, in_groups, therapist, rules)
            if _free_slots(around, fit)
        ]
    if price is None or (together and search.case.format is Format.GROUP):
        offers = together
    else:
        others = [way for way in ways if way not in in_groups]
        alone = [
            _Offer(fit, _points(search, fit, rules), price) for fit in _fits(search, others, therapist, rules)
        ]
        offers = alone + together
    return min(offers, key=lambda each: each.price - each.score, default=None)


def _fits(search: Search, ways: Sequence[Pathway], therapist: Therapist, rules: Rules) -> Iterator[Fit]:
    for way in ways:
        fit = check(search, way, therapist, rules.policy, rules.places)
        if isinstance(fit, Fit):
            yield fit


def _points(search: Search, fit: Fit, rules: Rules) -> int:
    return sum(each.points for each in score(search, fit, rules.policy))


def _free_slots(around: Around, fit: Fit) -> list[Slot]:
    taken = around.busy.get(fit.therapist.id, frozenset())
    return [slot for slot in fit.shared_slots if slot not in taken]


def _candidate(around: Around, offer: _Offer) -> Candidate:
    plain = candidate_of(around.search, offer.fit, around.rules, price=offer.price)
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
    search, policy = around.search, around.rules.policy
    chances = [opening(search, fit, slot, policy) for slot in _free_slots(around, fit)]
    chances = [replace(each, born=(search.case.date_of_birth,)) for each in chances]

    def suits(group: Gathering) -> int:
        return sum(_could_join(other, group, fit.therapist, around.rules) for other in around.others)

    # Of several that suit as many, the first of the week.
    return replace(max(chances, key=suits), born=())


def _could_join(search: Search, group: Gathering, therapist: Therapist, rules: Rules) -> bool:
    ways = group_ways(routes(search.case, search.on, rules.policy).pathways, rules.policy)
    return any(joining(search, way, group, therapist, rules) is not None for way in ways)


def _near_in_age(search: Search, group: Gathering, policy: Policy) -> bool:
    ages = [age_on(search.on, born) for born in group.born] + [search.age]
    return max(ages) - min(ages) <= policy.groups[group.variant].age_span.years


def _sentence(group: Gathering) -> str:
    when = f"{wording.slot(group.slot)}s"
    if group.joinable_until is not None:
        return f"Leads a group on {when} that is formed and has {group.most - group.members} places left."
    if group.id is not None:
        return f"Gathers a group on {when}: {group.members} of at least {group.least} have a place."
    return f"Would open a group on {when}, which begins once {group.least} have a place."
