"""What becomes of a case when somebody on the staff acts on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from services.review.domain.case import Case, Choice, State
from services.review.domain.deciding.rules import Reviewing, require_complete, require_turn
from services.review.domain.wishes import (
    Action,
    Ask,
    Choose,
    Claim,
    Confirm,
    Decision,
    Decline,
    Keep,
    MatchDecision,
    Release,
    Rematch,
    Wish,
)
from shared.contract import review
from shared.contract.event import Event
from shared.contract.ids import TherapistId
from shared.contract.vocabulary import Variant

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The case afterwards, what is said to the other services, and what the audit keeps."""

    case: Case
    action: Action
    event: Event | None = None
    therapist_id: TherapistId | None = None
    variant: Variant | None = None
    """The pathway with them."""

    left_out: tuple[TherapistId, ...] = ()
    """Whom the next shortlist must not name."""

    codes: Mapping[str, object] = field(default_factory=dict)
    """Ids, numbers and codes that say nothing about the person."""

    words: Mapping[str, str] = field(default_factory=dict)
    """What was written, and whatever may say what somebody suffers from; to be sealed."""


def act(case: Case, wish: Wish, now: Reviewing) -> Outcome:  # noqa: PLR0911 - a table
    """Carries an action out, or raises Refused with all that stands against it."""
    require_turn(case, wish, now.by)
    if isinstance(wish, Decision):
        require_complete(case, wish, now)
    after = replace(case, version=case.version + 1)
    match wish:
        case Claim():
            codes = {"taken_from": str(case.claimed_by)} if case.claimed_by else {}
            return Outcome(replace(after, claimed_by=now.by.id), Action.CLAIM, codes=codes)
        case Release():
            return Outcome(replace(after, claimed_by=None), Action.RELEASE)
        case Confirm() | Choose():
            return _match(case, after, wish, now)
        case Rematch():
            return _rematch(case, after, wish, now)
        case Decline():
            return _decline(after, wish, now)
        case Ask():
            return _ask(after, wish, now)
        case Keep():
            return _keep(after, wish, now)
    raise TypeError(f"nobody decides on {type(wish).__name__}")


def _match(case: Case, after: Case, wish: MatchDecision, now: Reviewing) -> Outcome:
    chosen = TherapistId(wish.therapist_id or _present(case.first))
    overruled = chosen != case.first
    codes: dict[str, object] = {"overruled": overruled}
    words = {"reason": wish.reason} if wish.reason else {}
    variant = wish.variant or (now.candidate.variant if now.candidate is not None else None)
    if variant is not None and now.candidate is not None:
        # Sealed: a pathway may say what somebody suffers from.
        words["variant"] = variant.value
        codes["other_pathway"] = variant is not now.candidate.variant
    if wish.under_16_basis is not None:
        codes["under_16_basis"] = wish.under_16_basis.value
        words["under_16_note"] = wish.under_16_note
    return Outcome(
        replace(
            after,
            state=State.CONFIRMED,
            claimed_by=None,
            choice=Choice(now.decision_id, now.by.id, chosen),
            reopened_at=None,
            reopened_because=None,
        ),
        wish.action,
        review.MatchConfirmed(
            request_id=case.request_id,
            subject_id=case.subject_id,
            proposal_id=_present(case.proposal_id),
            decision_id=now.decision_id,
            decided_by=now.by.id,
            therapist_id=chosen,
            overruled=overruled,
            considered_seconds=_present(now.considered_seconds),
            variant=variant,
            reason=wish.reason or None,
            beside=now.beside,
        ),
        chosen,
        variant,
        codes=codes | _considered(case, now),
        words=words,
    )


def _rematch(case: Case, after: Case, wish: Rematch, now: Reviewing) -> Outcome:
    # Whoever was ruled out before stays ruled out.
    matched = (case.choice.therapist_id,) if case.state is State.MATCHED and case.choice else ()
    left_out = tuple(dict.fromkeys((*matched, *map(TherapistId, wish.exclude))))
    excluded = tuple(dict.fromkeys((*case.excluded, *left_out)))
    return Outcome(
        replace(
            after,
            state=State.AWAITING_PROPOSAL,
            claimed_by=None,
            proposal_id=None,
            shortlist=(),
            unavailable=(),
            answered_at=None,
            shortfall=None,
            excluded=excluded,
            choice=None,
            seat_id=None,
            group_id=None,
            reopened_at=None,
            reopened_because=None,
            therapist_gone_at=None,
            doubts=(),
            doubted_at=None,
        ),
        Action.REMATCH,
        review.RematchRequested(
            request_id=case.request_id,
            subject_id=case.subject_id,
            proposal_id=case.proposal_id,
            decision_id=now.decision_id,
            decided_by=now.by.id,
            exclude=excluded,
            reason=wish.reason or None,
        ),
        left_out=left_out,
        codes={"excluded": list(map(str, left_out))} | _considered(case, now),
        words={"reason": wish.reason} if wish.reason else {},
    )


def _decline(after: Case, wish: Decline, now: Reviewing) -> Outcome:
    route = _present(wish.onward_route)
    return Outcome(
        replace(
            after,
            state=State.DECLINED,
            claimed_by=None,
            group_id=None,
            reopened_at=None,
            reopened_because=None,
        ),
        Action.DECLINE,
        review.RequestDeclined(
            request_id=after.request_id,
            subject_id=after.subject_id,
            decision_id=now.decision_id,
            decided_by=now.by.id,
            onward_route=route,
            reason=wish.reason,
        ),
        codes=_considered(after, now),
        words={"onward_route": route.value, "reason": wish.reason},
    )


def _ask(after: Case, wish: Ask, now: Reviewing) -> Outcome:
    return Outcome(
        replace(after, state=State.INFORMATION_ASKED, claimed_by=now.by.id),
        Action.ASK,
        review.InformationRequested(
            request_id=after.request_id,
            subject_id=after.subject_id,
            decision_id=now.decision_id,
            decided_by=now.by.id,
            question=wish.question,
        ),
        codes=_considered(after, now),
        words={"question": wish.question},
    )


def _keep(after: Case, wish: Keep, now: Reviewing) -> Outcome:
    # Nobody is told: for client and therapist nothing has changed.
    return Outcome(
        replace(after, therapist_gone_at=None, doubts=(), doubted_at=None),
        Action.KEEP,
        codes=_considered(after, now),
        words={"reason": wish.reason},
    )


def _considered(case: Case, now: Reviewing) -> dict[str, object]:
    """How carefully it was decided, whatever was: for how long, and with how many flags read."""
    codes: dict[str, object] = {"considered_seconds": _present(now.considered_seconds)}
    return codes | ({"flags_seen": case.flags} if case.flags else {})


def _present(value: T | None) -> T:
    # `act` has refused before what would be missing here.
    if value is None:
        raise AssertionError
    return value
