"""What there is of groups around a request: which gather, which are proposed, who else looks for one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.matching import store
from services.matching.domain.gates import Search
from services.matching.domain.grouping import Gathering, named_by
from services.matching.domain.offering import Around, Other
from services.matching.domain.pathways import into_groups, pathways_of
from services.matching.domain.ranking import Rules, search_for
from services.matching.handlers.reading import read, readable
from shared.contract.ids import GroupId, RequestId, TherapistId
from shared.contract.intake import CaseDetails
from shared.contract.matching import Shortlist
from shared.contract.vocabulary import Slot
from shared.kit.transaction import Transaction

MOST_SEEKERS = 50
"""How many others are asked, as it were, before a time is chosen."""

LEFT_OUT = "a case was left out of account for groups"


@dataclass(frozen=True, slots=True)
class _Named:
    group: Gathering
    born: date

    @property
    def key(self) -> tuple[object, ...]:
        """Proposals that say the same would open one group."""
        return _kind(self.group)

    def would_open(self, busy: Mapping[TherapistId, frozenset[Slot]]) -> bool:
        """Whether confirming the proposal would open a group: that which it names is not there yet."""
        return self.group.id is None and self.group.slot not in busy.get(self.group.therapist_id, ())


async def groups_around(
    search: Search, request_id: RequestId, tx: Transaction, rules: Rules, *, heeding: bool
) -> Around | None:
    """What ranking must know of groups; None if none of the client's pathways leads into one.

    `heeding` counts the places that open proposals name first as taken.
    """
    in_groups = into_groups(pathways_of(search.case, search.on, rules.policy).fitting, rules.policy)
    await store.look_for_group(tx, request_id, looks=bool(in_groups))
    if not in_groups:
        return None
    # In this order: a decision that comes between two of these looks turns a proposal into a group, which is
    # then seen as one of them or as both, and never as neither.
    seekers = await store.seekers(tx, request_id, MOST_SEEKERS)
    busy = await store.slots_in_use(tx)
    joinable = await store.joinable_groups(tx, [each.variant for each in in_groups])
    others: list[Other] = []
    named: list[_Named] = []
    proposed = [(each.request_id, each.shortlist) for each in seekers if each.shortlist is not None]
    # All with one look for their keys.
    plain = await tx.open_all([*(each.details for each in seekers), *(sealed for _, sealed in proposed)])
    cases = read([each.request_id for each in seekers], plain[: len(seekers)], CaseDetails, LEFT_OUT)
    shortlists = read([each for each, _ in proposed], plain[len(seekers) :], Shortlist, LEFT_OUT)
    for seeker_id, case in cases.items():
        others.append(Other.looking(search_for(case, search.on, rules), rules))
        first = named_by(shortlists[seeker_id].candidates[0]) if seeker_id in shortlists else None
        named += [_Named(first, case.date_of_birth)] if first else []
    gathering = await with_births(joinable, tx)
    if heeding:
        gathering = [replace(each, promised=sum(_means(one, each) for one in named)) for each in gathering]
    to_open = [each for each in named if each.would_open(busy)]
    return Around(search, rules, (*gathering, *_would_open(to_open, rules)), tuple(others), busy)


async def with_births(groups: Sequence[Gathering], tx: Transaction) -> list[Gathering]:
    """Groups with their members' dates of birth, which decide who may come beside them."""
    born: dict[GroupId | None, list[date]] = {each.id: [] for each in groups}
    members = await store.members_of_each(tx, groups)
    cases = await readable(
        tx, [(each.request_id, each.details) for _, each in members], CaseDetails, LEFT_OUT
    )
    for group_id, member in members:
        if member.request_id in cases:
            born[group_id].append(cases[member.request_id].date_of_birth)
    return [replace(each, born=tuple(born[each.id])) for each in groups]


def _kind(group: Gathering) -> tuple[object, ...]:
    return group.therapist_id, group.slot, group.variant, group.mode, group.language


def _means(named: _Named, group: Gathering) -> bool:
    """Whether confirming a proposal would bring its client into a group."""
    return named.key == _kind(group) and named.group.id in {None, group.id}


def _would_open(named: Sequence[_Named], rules: Rules) -> list[Gathering]:
    """The groups that open proposals would open, in the order of the oldest request for each."""
    found: dict[tuple[object, ...], Gathering] = {}
    for each in named:
        size = rules.policy.groups[each.group.variant].size
        before = found.setdefault(each.key, replace(each.group, least=size.least, most=size.most))
        found[each.key] = replace(before, promised=before.promised + 1, born=(*before.born, each.born))
    return list(found.values())
