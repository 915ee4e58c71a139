"""Carries out a human decision for a group: a place is taken, and the last that is needed forms the group."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from services.matching import store
from services.matching.domain.gates import Gate, Search, check
from services.matching.domain.grouping import Gathering, as_told, joining, leads_in, narrowed, opening
from services.matching.domain.languages import common
from services.matching.domain.pathways import into_groups, pathways_of
from services.matching.domain.policy import Policy
from services.matching.domain.ranking import Rules, search_for
from services.matching.domain.therapist import Therapist
from services.matching.handlers.gathering import with_births
from services.matching.handlers.reading import Opened
from services.matching.handlers.refusing import refused
from services.matching.store import Member
from shared.ages import day_in_london
from shared.contract.ids import GroupId, SeatId
from shared.contract.matching import (
    Candidate,
    Group,
    GroupMeeting,
    GroupPlaceHeld,
    OtherPathway,
    Pathway,
    SeatRefusal,
    SeatReserved,
    SeatUnavailable,
    TherapistContact,
)
from shared.contract.review import MatchConfirmed
from shared.contract.vocabulary import Mode
from shared.kit.errors import KeyDestroyed
from shared.kit.identifiers import new_id
from shared.kit.transaction import Transaction


@dataclass(frozen=True, slots=True)
class _Coming:
    """A client, and the therapist into whose group they are to come."""

    search: Search
    pathway: Pathway
    therapist: Therapist
    mode: Mode
    shown: Group
    rules: Rules

    def understands(self) -> bool:
        """Whether the language of the group that was shown is one for client and therapist."""
        language = self.shown.language
        asked = self.search.case.languages
        return common(asked, (language,)) is not None and leads_in(language, self.therapist)

    def was_shown(self, group: Gathering) -> bool:
        """Whether a group is the one that staff decided on."""
        same = self.shown.group_id is None or self.shown.group_id == group.id
        told = (self.shown.slot, self.mode, self.shown.language)
        return same and told == (group.slot, group.mode, group.language)


async def hold_place(  # noqa: PLR0917
    decision: MatchConfirmed,
    opened: Opened,
    chosen: Candidate | OtherPathway,
    therapist: Therapist,
    tx: Transaction,
    rules: Rules,
) -> SeatUnavailable | None:
    """Takes a place and says so; or what to say if this client cannot come into a group of this therapist."""
    excluded = await store.excluded_from(tx, opened.request.id)
    search = search_for(opened.case, day_in_london(tx.now), rules, excluded)
    in_groups = into_groups(pathways_of(search.case, search.on, rules.policy).fitting, rules.policy)
    pathway = next((each for each in in_groups if each.variant is chosen.variant), None)
    if pathway is None or chosen.group is None:
        return refused(decision, SeatRefusal.NO_LONGER_ELIGIBLE)
    coming = _Coming(search, pathway, therapist, chosen.mode, chosen.group, rules)
    group = await _joined(coming, tx) or await _opened(coming, tx)
    if isinstance(group, SeatRefusal):
        return refused(decision, group)
    # Nobody comes or goes while the therapist is locked.
    beside = await _present(group, tx)
    if _unseen(beside, decision):
        return refused(decision, SeatRefusal.JOINED_UNSEEN, [each.request_id for each in beside])
    member = Member(
        seat_id=SeatId(new_id()),
        request_id=decision.request_id,
        subject_id=opened.subject_id,
        proposal_id=decision.proposal_id,
        decision_id=decision.decision_id,
        decided_by=decision.decided_by,
    )
    if not await store.take_place(tx, group, member):
        return refused(decision, SeatRefusal.GROUP_GONE)
    await store.mark_seated(tx, decision.request_id)
    await _tell(member, beside, group, therapist, tx, rules.policy)
    return None


async def _joined(coming: _Coming, tx: Transaction) -> Gathering | None:
    """The group that staff were shown, be it opened since; they have decided on no other."""
    for each in await store.joinable_groups(tx, [coming.pathway.variant], coming.therapist.id):
        if coming.was_shown(each):
            [group] = await with_births([each], tx)
            fit = joining(coming.search, coming.pathway, group, coming.therapist, coming.rules)
            return None if fit is None else group
    return None


async def _opened(coming: _Coming, tx: Transaction) -> Gathering | SeatRefusal:
    policy, slot = coming.rules.policy, coming.shown.slot
    search = narrowed(coming.search, coming.mode)
    fit = check(search, coming.pathway, coming.therapist, policy, coming.rules.places)
    if isinstance(fit, Gate) and fit is not Gate.SEAT:
        return SeatRefusal.NO_LONGER_ELIGIBLE
    # What is said of the therapist comes first; of the seat only where one is needed.
    if coming.shown.group_id is not None:
        return SeatRefusal.GROUP_GONE
    if isinstance(fit, Gate):
        return SeatRefusal.NO_SEAT_LEFT
    if slot not in fit.shared_slots or not coming.understands():
        return SeatRefusal.GROUP_GONE
    gathering = timedelta(days=policy.groups[coming.pathway.variant].gathering.days)
    group = replace(
        opening(search, fit, slot, policy),
        # As it was shown, be it the language of somebody else whom the same group is proposed to.
        language=coming.shown.language,
        id=GroupId(new_id()),
        deadline=tx.now + gathering,
    )
    # A therapist has one group at a time; another than was shown is for staff to decide on afresh.
    if not coming.was_shown(group) or not await store.open_group(tx, group):
        return SeatRefusal.GROUP_GONE
    if not await store.join_caseload(tx, coming.therapist.id):
        raise AssertionError("a seat went while its therapist was locked")
    return group


async def _present(group: Gathering, tx: Transaction) -> list[Member]:
    """Who has a place and may count; who was erased does not, though their place is not given back yet."""
    # It goes back together with their request, which may not be waited for with a therapist in hand.
    members = await store.members_of(tx, group)
    plain = await tx.open_all([each.details for each in members])
    # Who cannot be read has their place all the same.
    return [
        each for each, details in zip(members, plain, strict=True) if not isinstance(details, KeyDestroyed)
    ]


def _unseen(members: Sequence[Member], decision: MatchConfirmed) -> bool:
    """Whether somebody is in the group of whom the decision does not know; an older one does not say."""
    if decision.beside is None:
        return False
    return not {each.request_id for each in members} <= set(decision.beside)


async def _tell(  # noqa: PLR0917
    member: Member,
    beside: Sequence[Member],
    group: Gathering,
    therapist: Therapist,
    tx: Transaction,
    policy: Policy,
) -> None:
    """Says that the new member's place is held; or reserved, for all of them once they are enough."""
    members = [*beside, member]
    group = replace(group, members=len(members))
    if group.joinable_until is None and group.members < group.least:
        await tx.publish(
            GroupPlaceHeld(
                request_id=member.request_id,
                subject_id=member.subject_id,
                proposal_id=member.proposal_id,
                decision_id=member.decision_id,
                decided_by=member.decided_by,
                seat_id=member.seat_id,
                therapist_id=therapist.id,
                group=as_told(group, policy),
            )
        )
        return
    seated = [member]
    if group.joinable_until is None:
        rule = policy.groups[group.variant]
        begins = tx.now + timedelta(days=rule.starting.days)
        group = replace(group, joinable_until=begins)
        over = begins + timedelta(weeks=rule.course.sessions)
        await store.form_group(tx, group, joinable_until=begins, over_at=over)
        seated = members
    for each in seated:
        await tx.publish(
            SeatReserved(
                request_id=each.request_id,
                subject_id=each.subject_id,
                proposal_id=each.proposal_id,
                decision_id=each.decision_id,
                decided_by=each.decided_by,
                seat_id=each.seat_id,
                therapist_id=therapist.id,
                mode=group.mode,
                therapist=TherapistContact(name=therapist.name, email=therapist.email),
                group=as_told(group, policy),
                meets=GroupMeeting(
                    slot=group.slot, individual_first=policy.groups[group.variant].individual_first.sessions
                ),
            )
        )
