"""Carries out what staff ask for: case, audit and what is said, in one transaction."""

from dataclasses import dataclass
from uuid import UUID

from services.review.domain import deciding
from services.review.domain.case import Case
from services.review.domain.deciding import Fault, Outcome, Refusal, Refused, Reviewing
from services.review.domain.staff import Staff
from services.review.domain.wishes import Decision, MatchDecision, SettleMail, Wish
from services.review.store import audit, cases, messages
from services.review.store.audit import Entry
from services.review.store.groups import members_beside
from shared.ages import day_in_london
from shared.contract.ids import DecisionId, RequestId
from shared.contract.matching import Candidate, Group, Shortlist
from shared.kit.errors import KeyDestroyed
from shared.kit.identifiers import new_id
from shared.kit.transaction import Transaction


class NoSuchCase(Exception):
    """There is no case for that request."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done."""

    case: Case
    decision_id: DecisionId | None


class Changed(Exception):
    """The case is not any more as its author saw it; says what happened since."""

    def __init__(self, case: Case, since: list[Entry]) -> None:
        super().__init__("the case has changed")
        self.case = case
        self.since = since


async def act(tx: Transaction, by: Staff, request_id: RequestId, wish: Wish) -> Done:
    """Acts on a case; raises NoSuchCase, Changed or Refused, and then nothing has happened."""
    case = await cases.find_case(tx, request_id, lock=True)
    if case is None:
        raise NoSuchCase
    if case.version != wish.version:
        raise Changed(case, await audit.history(tx, request_id, since_version=wish.version))
    details = await cases.details_of(tx, request_id)
    if details is None:
        raise KeyDestroyed
    shortlist = await cases.shortlist_of(tx, request_id) if isinstance(wish, Decision) else None
    looks = await audit.looks_since(tx, request_id, by.id, case.seen_anew_since)
    seen = None
    candidate = _meant(case, wish, shortlist)
    group = _group_meant(candidate, wish)
    if candidate is not None and group is not None:
        therapist_id = candidate.therapist_id
        beside = await members_beside(tx, request_id, {therapist_id: group})
        # Only looks at all who are there now count.
        present = {each.request_id for each in beside.get(therapist_id, ())}
        looks = [each for each in looks if present <= each.members(therapist_id)]
        seen = deciding.members_seen(looks, therapist_id)
    reviewing = Reviewing(
        by=by,
        decision_id=DecisionId(new_id()),
        today=day_in_london(tx.now),
        considered_seconds=deciding.considered_seconds([each.at for each in looks], tx.now),
        date_of_birth=details.date_of_birth,
        beside=seen,
        candidate=candidate,
    )
    outcome = deciding.act(case, wish, reviewing)
    return await _keep(tx, case, outcome, reviewing, shortlist)


async def settle_mail(tx: Transaction, by: Staff, request_id: RequestId, wish: SettleMail) -> Case:
    """Notes how somebody was told whom a mail did not reach; raises NoSuchCase or Refused."""
    case = await cases.find_case(tx, request_id, lock=True)
    if case is None:
        raise NoSuchCase
    faults = deciding.settling_faults(wish)
    if faults:
        raise Refused(Refusal.INCOMPLETE, "the note is not complete", tuple(faults))
    message_id: UUID = wish.message_id
    if not await messages.settle(tx, request_id, message_id, by.id):
        fault = Fault("message_id", "is not a mail of this case that is in trouble")
        raise Refused(Refusal.INCOMPLETE, "there is nothing to settle", (fault,))
    await audit.add_for_case(
        tx,
        actor="staff",
        action="mail_settled",
        request_id=request_id,
        subject_id=case.subject_id,
        case_version=case.version,
        staff_id=by.id,
        codes={"message_id": str(message_id)},
        words={"note": wish.note},
    )
    return case


async def _keep(
    tx: Transaction, before: Case, outcome: Outcome, reviewing: Reviewing, shortlist: Shortlist | None
) -> Done:
    decided = reviewing.decision_id if outcome.event is not None else None
    words = dict(outcome.words)
    name = None
    if outcome.therapist_id is not None or outcome.left_out:
        # Kept with the decision: the shortlist that names them may be replaced.
        names = {each.therapist_id: each.name for each in shortlist.candidates} if shortlist else {}
        if outcome.therapist_id is not None:
            words["therapist"] = name = names[outcome.therapist_id]
        if outcome.left_out:
            words["left_out"] = ", ".join(names[each] for each in outcome.left_out)
    await cases.save(tx, before, outcome.case, chosen_name=name, chosen_variant=outcome.variant)
    await audit.add_for_case(
        tx,
        actor="staff",
        action=outcome.action.value,
        request_id=before.request_id,
        subject_id=before.subject_id,
        case_version=outcome.case.version,
        staff_id=reviewing.by.id,
        decision_id=decided,
        therapist_id=outcome.therapist_id,
        codes=outcome.codes,
        words=words,
    )
    if outcome.event is not None:
        await tx.publish(outcome.event)
    return Done(outcome.case, decided)


def _meant(case: Case, wish: Wish, shortlist: Shortlist | None) -> Candidate | None:
    """Whom on the shortlist a decision is for; None if it is for nobody on it."""
    if not isinstance(wish, MatchDecision) or shortlist is None:
        return None
    chosen = wish.therapist_id or case.first
    return next((each for each in shortlist.candidates if each.therapist_id == chosen), None)


def _group_meant(candidate: Candidate | None, wish: Wish) -> Group | None:
    """The group that a decision is for; None if it is for none."""
    if candidate is None or not isinstance(wish, MatchDecision):
        return None
    choice = candidate.chosen(wish.variant)
    return None if choice is None else choice.group
