"""What there is of groups around a request: which gather, which are proposed, who else looks for one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.matching import store
from services.matching.domain.gates import Search
from services.matching.domain.grouping import Around, Gathering, group_ways
from services.matching.domain.pathways import routes
from services.matching.domain.ranking import Rules, search_for
from shared.contract.ids import RequestId
from shared.contract.intake import CaseDetails
from shared.kit.transaction import Transaction

MOST_SEEKERS = 50
"""How many others are asked, as it were, before a time is chosen."""


@dataclass(frozen=True, slots=True)
class _Named:
    group: Gathering
    born: date

    @property
    def key(self) -> tuple[object, ...]:
        """Proposals that say the same would open one group."""
        return self.group.therapist_id, self.group.slot, self.group.variant


async def groups_around(
    search: Search, request_id: RequestId, tx: Transaction, rules: Rules, *, heeding: bool
) -> Around | None:
    """What ranking must know of groups; None if none of the client's pathways leads into one.

    `heeding` counts the places that open proposals name first as taken.
    """
    ways = group_ways(routes(search.case, search.on, rules.policy).pathways, rules.policy)
    await store.look_for_group(tx, request_id, looks=bool(ways))
    if not ways:
        return None
    joinable = await store.joinable_groups(tx, [way.variant for way in ways])
    others: list[Search] = []
    named: list[_Named] = []
    for seeker in await store.seekers(tx, request_id, MOST_SEEKERS):
        case = await _case_in(tx, seeker.details)
        if case is not None:
            others.append(search_for(case, search.on, rules))
            named += [_Named(seeker.named, case.date_of_birth)] if seeker.named else []
    gathering = [await with_births(each, tx) for each in joinable]
    if heeding:
        gathering = [replace(each, promised=sum(_means(one, each) for one in named)) for each in gathering]
    busy = await store.slots_in_use(tx)
    proposed = [each for each in named if each.group.slot not in busy.get(each.group.therapist_id, ())]
    return Around(search, rules, (*gathering, *_would_open(proposed, rules)), tuple(others), busy)


async def with_births(group: Gathering, tx: Transaction) -> Gathering:
    """A group with its members' dates of birth, which decide who may come beside them."""
    cases = [await _case_in(tx, member.details) for member in await store.members_of(tx, group)]
    return replace(group, born=tuple(case.date_of_birth for case in cases if case is not None))


def _means(named: _Named, group: Gathering) -> bool:
    return named.key == (group.therapist_id, group.slot, group.variant)


def _would_open(named: Sequence[_Named], rules: Rules) -> list[Gathering]:
    """The groups that open proposals would open, in the order of the oldest request for each."""
    found: dict[tuple[object, ...], Gathering] = {}
    for each in named:
        size = rules.policy.groups[each.group.variant].size
        before = found.setdefault(each.key, replace(each.group, id=None, least=size.least, most=size.most))
        found[each.key] = replace(before, promised=before.promised + 1, born=(*before.born, each.born))
    return list(found.values())


async def _case_in(tx: Transaction, details: bytes) -> CaseDetails | None:
    plain = await tx.open(details)
    return None if plain is None else CaseDetails.model_validate_json(plain)
