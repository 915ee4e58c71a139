"""What each therapist can offer once groups are thought of: a place in one, one to open, or time alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from services.matching.domain.gates import Fit, Search, check
from services.matching.domain.grouping import Gathering, joining
from services.matching.domain.pathways import into_groups, pathways_of
from services.matching.domain.ranking import Found, Rules
from services.matching.domain.scoring import points_for_times, score
from services.matching.domain.therapist import Therapist
from shared.contract.ids import TherapistId
from shared.contract.matching import Pathway
from shared.contract.vocabulary import Format, Slot, Variant


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

    @property
    def asked(self) -> bool:
        """Whether the client asks for a group, and would not only come into one."""
        return self.search.case.format is Format.GROUP

    def busy_times(self, therapist_id: TherapistId) -> frozenset[Slot]:
        """When a therapist has a group already."""
        return self.busy.get(therapist_id, frozenset())


@dataclass(frozen=True, slots=True)
class Offer:
    """What somebody offers on one pathway."""

    therapist: Therapist
    pathway: Pathway
    score: int
    price: int
    group: Gathering | None = None
    """Which can be joined."""

    opens: bool = False

    @property
    def behind(self) -> int:
        """The lower, the better, whatever the group."""
        return self.price - self.score

    def rank(self, *, asked: bool) -> tuple[int, int, int, int]:
        """Whoever asked for a group finds those first that gather: else every one would stay too small."""
        kind = (0 if self.group else 1 if self.opens else 2) if asked else 0
        gathered = self.group.members + self.group.promised if self.group and asked else 0
        return kind, -gathered, self.behind, self.therapist.id.int


class Offering:
    """Finds what each can offer; of whom the engine has spoken, nothing is worked out again."""

    def __init__(self, around: Around, found: Found, pathways: Sequence[Pathway]) -> None:
        self._around = around
        # A group has one time, for which the engine gave no points.
        one_time = points_for_times(1, around.rules.policy)
        of_group = {each.variant: one_time for each in into_groups(pathways, around.rules.policy)}
        self._times = frozenset(around.search.case.availability)
        self.prices: dict[TherapistId, int] = {}
        """What counts of the price of everybody who passes the gates on some pathway."""

        self._named: dict[Variant, dict[int, int]] = {}
        """For a variant, the score of everybody whom the engine named for it."""

        self._last: dict[Variant, int] = {}
        """For a variant for which it was cut short, the order of the last named: others come after."""

        for each in (*found.placed, *found.for_groups):
            self.prices[each.therapist_id] = each.price
        for each in found.for_groups:
            more = of_group.get(each.variant, 0)
            self._named.setdefault(each.variant, {})[each.number] = each.score + more
            if each.variant in found.cut_short:
                order = each.order + more
                self._last[each.variant] = min(order, self._last.get(each.variant, order))
        self._gatherings: dict[TherapistId, list[Gathering]] = {}
        for group in around.gatherings:
            self._gatherings.setdefault(group.therapist_id, []).append(group)

    @property
    def asked(self) -> set[TherapistId]:
        """Who may have something to offer; whoever only leads a group is there for its sake alone."""
        return {*self.prices, *self._gatherings}

    def best_of_each(self, therapists: Iterable[Therapist], pathways: Sequence[Pathway]) -> list[Offer]:
        """The best that each can offer on these pathways, if there is anything."""
        in_groups = into_groups(pathways, self._around.rules.policy)
        single = tuple(each for each in pathways if each not in in_groups)
        offers = (self._best(each, in_groups, single) for each in therapists)
        return [each for each in offers if each is not None]

    def best_on(self, pathway: Pathway, therapists: Sequence[Therapist]) -> Offer | None:
        """The best that any of these can offer on one pathway."""
        named = self._named.get(pathway.variant, {})
        leading = [each for each in therapists if each.id in self._gatherings]
        others = [each for each in therapists if each.id not in self._gatherings]
        offers = self.best_of_each((each for each in others if each.id.int in named), (pathway,))
        # But for those who gather a group, nobody comes before those whom the engine named.
        if not offers and pathway.variant in self._last:
            offers = self.best_of_each((each for each in others if each.id.int not in named), (pathway,))
        offers += self.best_of_each(leading, (pathway,))
        return min(offers, key=lambda each: each.rank(asked=self._around.asked), default=None)

    def others(self, offer: Offer, pathways: Sequence[Pathway]) -> list[Offer]:
        """What the same therapist can offer on each other pathway."""
        others = (each for each in pathways if each.variant is not offer.pathway.variant)
        return [best for each in others for best in self.best_of_each((offer.therapist,), (each,))]

    def _best(
        self, therapist: Therapist, in_groups: Sequence[Pathway], single: Sequence[Pathway]
    ) -> Offer | None:
        to_join = self._to_join(therapist, in_groups) if therapist.id in self._gatherings else None
        if therapist.id not in self.prices:
            return to_join
        if self._around.asked:
            return (
                to_join
                or _least_behind(self._to_open(therapist, in_groups))
                or _least_behind(self._passing(therapist, single))
            )
        # Most often it is certain from what the engine named, and no pathway need be looked at besides.
        number, price = therapist.id.int, self.prices[therapist.id]
        scores = (self._named.get(each.variant, {}).get(number) for each in single)
        least = max((each - price for each in scores if each is not None), default=None)
        alone = self._passing(therapist, single, least)
        together = (to_join,) if to_join else self._to_open(therapist, in_groups, least)
        return _least_behind((*alone, *together))

    def _to_join(self, therapist: Therapist, in_groups: Sequence[Pathway]) -> Offer | None:
        theirs, price = self._gatherings[therapist.id], self.prices.get(therapist.id, 0)
        return _place_in(self._around, theirs, therapist, in_groups, price=price)

    def _to_open(
        self, therapist: Therapist, in_groups: Sequence[Pathway], least: int | None = None
    ) -> Iterator[Offer]:
        """A group to open on each pathway whose gates they pass, if they have a time for it."""
        if in_groups and self._times & therapist.slots - self._around.busy_times(therapist.id):
            yield from self._passing(therapist, in_groups, least, opens=True)

    def _passing(
        self,
        therapist: Therapist,
        pathways: Sequence[Pathway],
        least: int | None = None,
        *,
        opens: bool = False,
    ) -> Iterator[Offer]:
        """What they offer on each pathway whose gates they pass, but for what cannot come up to `least`."""
        for pathway in pathways:
            score = self._named.get(pathway.variant, {}).get(therapist.id.int)
            if score is None:
                last = self._last.get(pathway.variant)
                if last is None or (least is not None and last < least):
                    continue
                # They may come after all whom the engine named.
                score = _worked_out(self._around, therapist, pathway, opens=opens)
            if score is not None:
                yield Offer(therapist, pathway, score, self.prices[therapist.id], opens=opens)


def worth(around: Around, therapist: Therapist, pathways: Sequence[Pathway]) -> int | None:
    """The score of what somebody can offer, whatever they cost; None if there is nothing."""
    search, rules = around.search, around.rules
    in_groups = into_groups(pathways, rules.policy)

    def passing(some: Iterable[Pathway], *, opens: bool) -> list[int]:
        scores = (_worked_out(around, therapist, each, opens=opens) for each in some)
        return [each for each in scores if each is not None]

    theirs = [each for each in around.gatherings if each.therapist_id == therapist.id]
    to_join = _place_in(around, theirs, therapist, in_groups, price=0)
    free = set(search.case.availability) & therapist.slots - around.busy_times(therapist.id)
    together = [to_join.score] if to_join else passing(in_groups, opens=True) if free else []
    if around.asked and together:
        return max(together)
    single = [each for each in pathways if each not in in_groups]
    return max([*passing(single, opens=False), *together], default=None)


def _worked_out(around: Around, therapist: Therapist, pathway: Pathway, *, opens: bool) -> int | None:
    """The score of somebody on a pathway, beside no group of theirs; None if a gate keeps them out."""
    search, rules = around.search, around.rules
    fit = check(search, pathway, therapist, rules.policy, rules.places)
    if not isinstance(fit, Fit):
        return None
    # Whichever of their times a group is opened at, it is one.
    meant = replace(fit, shared_slots=fit.shared_slots[:1]) if opens else fit
    return _points(search, meant, rules)


def _place_in(
    around: Around,
    theirs: Sequence[Gathering],
    therapist: Therapist,
    in_groups: Sequence[Pathway],
    *,
    price: int,
) -> Offer | None:
    """A place in the group of somebody's that is nearest to being formed."""
    search, rules = around.search, around.rules
    offers = [
        Offer(therapist, pathway, _points(search, fit, rules), price, group)
        for group in theirs
        for pathway in in_groups
        if (fit := joining(search, pathway, group, therapist, rules)) is not None
    ]
    return min(offers, key=lambda each: (each.rank(asked=True), _age(each.group)), default=None)


def _points(search: Search, fit: Fit, rules: Rules) -> int:
    return sum(each.points for each in score(search, fit, rules.policy))


def _least_behind(offers: Iterable[Offer]) -> Offer | None:
    return min(offers, key=lambda each: each.behind, default=None)


def _age(group: Gathering | None) -> tuple[object, ...]:
    """Of groups that are alike, the one that gathers longest comes first: ids are given in that order."""
    if group is None:
        return ()
    number = 0 if group.id is None else group.id.int
    return group.id is None, number, group.slot, group.variant, group.mode, group.language
