"""What ranking must know of groups, worked out from what was seen of them: then, or again from the record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.matching.domain.gates import Search
from services.matching.domain.grouping import Gathering
from services.matching.domain.offering import Around, Other
from services.matching.domain.pathways import into_groups, pathways_of
from services.matching.domain.ranking import Rules, search_for
from shared.contract.ids import TherapistId
from shared.contract.intake import CaseDetails
from shared.contract.vocabulary import Slot, Variant


@dataclass(frozen=True, slots=True)
class Seeker:
    """Somebody else who looks for a group, and the one that their open proposal names first."""

    case: CaseDetails
    named: Gathering | None

    def would_open(self, busy: Mapping[TherapistId, frozenset[Slot]]) -> bool:
        """Whether confirming the proposal would open a group: that which it names is not there yet."""
        named = self.named
        return named is not None and named.id is None and named.slot not in busy.get(named.therapist_id, ())

    def means(self, group: Gathering) -> bool:
        """Whether confirming the proposal would bring them into a group."""
        named = self.named
        return named is not None and _kind(named) == _kind(group) and named.id in {None, group.id}


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of groups when somebody was ranked."""

    joinable: tuple[Gathering, ...]
    """With their members' dates of birth; who gathers longest first."""

    seekers: tuple[Seeker, ...]
    """The oldest request first."""

    busy: Mapping[TherapistId, frozenset[Slot]]
    heeding: bool
    """Whether places that open proposals name first count as taken."""


def group_variants(search: Search, rules: Rules) -> frozenset[Variant]:
    """The variants by which a client may come into a group; none, and nothing of groups matters to them."""
    fitting = pathways_of(search.case, search.on, rules.policy).fitting
    return frozenset(each.variant for each in into_groups(fitting, rules.policy))


def around(search: Search, rules: Rules, seen: Seen) -> Around | None:
    """What is around a client by these rules; None if none of their pathways leads into a group."""
    if not group_variants(search, rules):
        return None
    gathering = seen.joinable
    if seen.heeding:
        gathering = tuple(
            replace(each, promised=sum(one.means(each) for one in seen.seekers)) for each in gathering
        )
    to_open = [each for each in seen.seekers if each.would_open(seen.busy)]
    others = tuple(Other.looking(search_for(each.case, search.on, rules), rules) for each in seen.seekers)
    return Around(search, rules, (*gathering, *_would_open(to_open, rules)), others, seen.busy)


def _kind(group: Gathering) -> tuple[object, ...]:
    """Proposals that say the same would open one group."""
    return group.therapist_id, group.slot, group.variant, group.mode, group.language


def _would_open(seekers: Sequence[Seeker], rules: Rules) -> list[Gathering]:
    """The groups that open proposals would open, in the order of the oldest request for each."""
    found: dict[tuple[object, ...], Gathering] = {}
    for each in seekers:
        # Proposed by a policy that had groups of it, be these others or none.
        if each.named is None or each.named.variant not in rules.policy.groups:
            continue
        size = rules.policy.groups[each.named.variant].size
        key = _kind(each.named)
        before = found.setdefault(key, replace(each.named, least=size.least, most=size.most))
        born = (*before.born, each.case.date_of_birth)
        found[key] = replace(before, promised=before.promised + 1, born=born)
    return list(found.values())
