"""What there is of groups around a request: which gather, which are proposed, who else looks for one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from services.matching import store
from services.matching.domain.around import Seeker, Seen, around, group_variants
from services.matching.domain.gates import Search
from services.matching.domain.grouping import Gathering, named_by
from services.matching.domain.offering import Around
from services.matching.domain.ranking import Rules
from services.matching.handlers.reading import read, readable
from services.matching.store import GroupSight, SeenGroup, SeenSeeker
from shared.contract.ids import GroupId, RequestId
from shared.contract.intake import CaseDetails
from shared.contract.matching import Shortlist
from shared.kit.transaction import Transaction

MOST_SEEKERS = 50
"""How many others are asked, as it were, before a time is chosen."""

LEFT_OUT = "a case was left out of account for groups"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What there is of groups around a request, and what it was seen by."""

    around: Around
    sight: GroupSight


async def groups_around(
    search: Search, request_id: RequestId, tx: Transaction, rules: Rules, *, heeding: bool
) -> Surroundings | None:
    """What ranking must know of groups; None if none of the client's pathways leads into one.

    `heeding` counts the places that open proposals name first as taken.
    """
    variants = sorted(group_variants(search, rules))
    await store.look_for_group(tx, request_id, looks=bool(variants))
    if not variants:
        return None
    # In this order: a decision that comes between two of these looks turns a proposal into a group, which is
    # then seen as one of them or as both, and never as neither.
    looking = await store.seekers(tx, request_id, MOST_SEEKERS)
    busy = await store.slots_in_use(tx)
    joinable = await store.joinable_groups(tx, variants)
    proposed = [(each.request_id, each.shortlist) for each in looking if each.shortlist is not None]
    # All with one look for their keys.
    plain = await tx.open_all([*(each.details for each in looking), *(sealed for _, sealed in proposed)])
    cases = read([each.request_id for each in looking], plain[: len(looking)], CaseDetails, LEFT_OUT)
    shortlists = read([each for each, _ in proposed], plain[len(looking) :], Shortlist, LEFT_OUT)
    seekers = {
        each: Seeker(case, named_by(shortlists[each].candidates[0]) if each in shortlists else None)
        for each, case in cases.items()
    }
    members = await _born(joinable, tx)
    seen = Seen(_with_births(joinable, members), tuple(seekers.values()), busy, heeding)
    found = around(search, rules, seen)
    assert found is not None  # noqa: S101 - some pathway leads into a group
    proposals = {each.request_id: each.proposal_id for each in looking if each.request_id in shortlists}
    sight = GroupSight(
        variants=tuple(variants),
        groups=tuple(SeenGroup(each, tuple(members[each.id])) for each in joinable),
        seekers=tuple(SeenSeeker(each, proposals.get(each)) for each in seekers),
        busy={therapist_id: tuple(sorted(slots)) for therapist_id, slots in busy.items()},
        heeding=heeding,
    )
    return Surroundings(found, sight)


async def groups_as_seen(tx: Transaction, sight: GroupSight) -> Seen | None:
    """What a ranking had seen of groups, from the cases of those who were in it; None once one was erased."""
    members = [each for group in sight.groups for each in group.members]
    ids = list(dict.fromkeys([*(each.request_id for each in sight.seekers), *members]))
    proposals = [each.proposal_id for each in sight.seekers if each.proposal_id is not None]
    details, sealed = await store.details_of(tx, ids), await store.shortlists_of(tx, proposals)
    if len(details) < len(ids):
        return None
    cases = await readable(tx, list(details.items()), CaseDetails, LEFT_OUT)
    of = {each.proposal_id: each.request_id for each in sight.seekers if each.proposal_id is not None}
    shortlists = await readable(
        tx, [(of[proposal], each) for proposal, each in sealed.items()], Shortlist, LEFT_OUT
    )
    if len(cases) < len(ids) or len(shortlists) < len(proposals):
        return None
    born = {each.group.id: [cases[member].date_of_birth for member in each.members] for each in sight.groups}
    return Seen(
        joinable=tuple(replace(each.group, born=tuple(born[each.group.id])) for each in sight.groups),
        seekers=tuple(
            Seeker(
                cases[each.request_id],
                named_by(shortlists[each.request_id].candidates[0]) if each.proposal_id else None,
            )
            for each in sight.seekers
        ),
        busy={therapist_id: frozenset(slots) for therapist_id, slots in sight.busy.items()},
        heeding=sight.heeding,
    )


async def with_births(groups: Sequence[Gathering], tx: Transaction) -> list[Gathering]:
    """Groups with their members' dates of birth, which decide who may come beside them."""
    return list(_with_births(groups, await _born(groups, tx)))


Born = dict[GroupId | None, dict[RequestId, date]]
"""When the members of groups were born."""


async def _born(groups: Sequence[Gathering], tx: Transaction) -> Born:
    born: Born = {each.id: {} for each in groups}
    members = await store.members_of_each(tx, groups)
    cases = await readable(
        tx, [(each.request_id, each.details) for _, each in members], CaseDetails, LEFT_OUT
    )
    for group_id, member in members:
        if member.request_id in cases:
            born[group_id][member.request_id] = cases[member.request_id].date_of_birth
    return born


def _with_births(groups: Sequence[Gathering], born: Born) -> tuple[Gathering, ...]:
    return tuple(replace(each, born=tuple(born[each.id].values())) for each in groups)
