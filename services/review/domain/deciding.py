"""What becomes of a case when somebody on the staff acts on it, and what they must say for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import TypeVar

from services.review.domain.ages import is_under_16
from services.review.domain.case import Case, Choice, State
from services.review.domain.staff import Staff
from services.review.domain.wishes import (
    Action,
    Ask,
    Choose,
    Claim,
    Confirm,
    Decision,
    Decline,
    MatchDecision,
    Release,
    Rematch,
    SettleMail,
    Wish,
)
from shared.contract import review
from shared.contract.event import Event
from shared.contract.ids import DecisionId, TherapistId

REASON_LENGTH = 20
QUESTION_LENGTH = 10
WORDS = 3

T = TypeVar("T")


class Refusal(StrEnum):
    """Why an action was refused."""

    INCOMPLETE = "incomplete"
    """Its author can mend it: `faults` say what."""

    NOT_NOW = "not_now"
    """The case is not in a state for it."""

    CLAIMED = "claimed"
    """A colleague is working on it."""

    UNSEEN = "unseen"
    """Its author has not opened the case as it stands."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A field, and the rule that it breaks."""

    field: str
    rule: str


class Refused(Exception):
    """The action is not possible; says why, without anything about the person."""

    def __init__(self, refusal: Refusal, rule: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal
        self.rule = rule
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Reviewing:
    """What is known when somebody acts: who, when, and for how long they have looked."""

    by: Staff
    decision_id: DecisionId
    today: date
    considered_seconds: int | None
    """Since they first opened the case as it stands; None if they never did."""

    date_of_birth: date


@dataclass(frozen=True, slots=True)
class Outcome:
    """The case afterwards, what is said to the other services, and what the audit keeps."""

    case: Case
    action: Action
    event: Event | None = None
    therapist_id: TherapistId | None = None
    codes: Mapping[str, object] = field(default_factory=dict)
    """Ids, numbers and codes that say nothing about the person."""

    words: Mapping[str, str] = field(default_factory=dict)
    """What was written, and whatever may say what somebody suffers from; to be sealed."""


def allowed(case: Case) -> frozenset[Action]:
    """What may be done with the case as it stands, by whoever has it."""
    if not case.is_open:
        return frozenset()
    actions = {Action.CLAIM, Action.DECLINE, Action.ASK}
    if case.claimed_by is not None:
        actions.add(Action.RELEASE)
    if case.first is not None:
        actions.add(Action.CONFIRM)
    if len(case.available) > 1:
        actions.add(Action.CHOOSE)
    if case.state is not State.AWAITING_PROPOSAL and case.answered_at is not None:
        actions.add(Action.REMATCH)
    return frozenset(actions)


def act(case: Case, wish: Wish, now: Reviewing) -> Outcome:
    """Carries an action out, or raises Refused with all that stands against it."""
    _require_turn(case, wish, now.by)
    if isinstance(wish, Decision):
        if now.considered_seconds is None:
            raise Refused(Refusal.UNSEEN, "open the case before deciding on it")
        faults = [*_flag_faults(case, wish), *_faults(case, wish, now)]
        if faults:
            raise Refused(Refusal.INCOMPLETE, "the decision is not complete", tuple(faults))
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
    raise TypeError(f"nobody decides on {type(wish).__name__}")


def settling_faults(wish: SettleMail) -> list[Fault]:
    """What a note on a mail in trouble lacks."""
    return _too_short(
        "note", wish.note, "say how the person was told, or what you found out", QUESTION_LENGTH
    )


def _require_turn(case: Case, wish: Wish, by: Staff) -> None:
    if wish.action is Action.RELEASE and case.is_open and case.claimed_by is None:
        raise Refused(Refusal.NOT_NOW, "nobody has claimed the case")
    if wish.action not in allowed(case):
        raise Refused(Refusal.NOT_NOW, _why_not_now(case, wish.action))
    if case.claimed_by is None or case.claimed_by == by.id:
        return
    if wish.action not in {Action.CLAIM, Action.RELEASE}:
        raise Refused(Refusal.CLAIMED, "a colleague has claimed the case; claim it before deciding")
    if not by.oversees:
        raise Refused(Refusal.CLAIMED, "a colleague has claimed the case; only a supervisor may take it over")


def _why_not_now(case: Case, action: Action) -> str:
    match case.state:
        case State.CONFIRMED:
            return "a decision has been made, and the seat is being taken"
        case State.MATCHED | State.DECLINED | State.WITHDRAWN:
            return f"the case is closed: {case.state}"
    if action is Action.REMATCH:
        return "matching has not answered yet"
    if action is Action.CHOOSE and case.first is not None:
        return "there is nobody else on the shortlist who is available"
    return "there is nobody on a shortlist who is available"


def _flag_faults(case: Case, wish: Decision) -> list[Fault]:
    if case.flags and not wish.flags_seen:
        return [Fault("flags_seen", "say that you have read the risk flags")]
    return []


def _faults(case: Case, wish: Decision, now: Reviewing) -> list[Fault]:
    match wish:
        case Confirm() | Choose():
            return [*_therapist_faults(case, wish), *_under_16_faults(wish, now)]
        case Rematch():
            return _rematch_faults(case, wish)
        case Decline():
            route = (
                [] if wish.onward_route else [Fault("onward_route", "say where the client can turn instead")]
            )
            return [*route, *_too_short("reason", wish.reason, "say why the clinic is not the right place")]
        case Ask():
            return _too_short("question", wish.question, "say what you need to know", QUESTION_LENGTH)
    return []


def _therapist_faults(case: Case, wish: MatchDecision) -> list[Fault]:
    if isinstance(wish, Confirm):
        if wish.therapist_id not in {None, case.first}:
            return [Fault("therapist_id", "is not the first of the shortlist; choose them and say why")]
        return _too_short("reason", wish.reason, "say it in full or leave it out") if wish.reason else []
    reason = _too_short("reason", wish.reason, "say why you choose another than the first")
    rule = None
    if wish.therapist_id is None:
        rule = "choose a therapist of the shortlist"
    elif wish.therapist_id not in case.shortlist:
        rule = "is not on the current shortlist"
    elif wish.therapist_id in case.unavailable:
        rule = "has no seat for this client any more"
    elif wish.therapist_id == case.first:
        return [Fault("therapist_id", "is the first of the shortlist; confirm them instead")]
    return [Fault("therapist_id", rule), *reason] if rule else reason


def _under_16_faults(wish: MatchDecision, now: Reviewing) -> list[Fault]:
    if wish.under_16_basis is None and not is_under_16(now.date_of_birth, now.today):
        return []
    faults = []
    if wish.under_16_basis is None:
        rule = "the client is under 16: record a Gillick assessment or parental consent"
        faults.append(Fault("under_16_basis", rule))
    rule = "say who assessed or consented, when, and what was found"
    return faults + _too_short("under_16_note", wish.under_16_note, rule)


def _rematch_faults(case: Case, wish: Rematch) -> list[Fault]:
    if any(each not in case.shortlist for each in wish.exclude):
        return [Fault("exclude", "names somebody who is not on the current shortlist")]
    if wish.reason or not wish.exclude:
        return _too_short(
            "reason", wish.reason, "exclude somebody, or say what the next shortlist should heed"
        )
    return []


def _too_short(name: str, text: str, rule: str, length: int = REASON_LENGTH) -> list[Fault]:
    if len(" ".join(text.split())) >= length and len(set(text.split())) >= WORDS:
        return []
    return [Fault(name, f"{rule} (at least {length} characters and {WORDS} words)")]


def _match(case: Case, after: Case, wish: MatchDecision, now: Reviewing) -> Outcome:
    chosen = TherapistId(wish.therapist_id or _present(case.first))
    overruled = chosen != case.first
    considered = _present(now.considered_seconds)
    codes: dict[str, object] = {"overruled": overruled, "considered_seconds": considered}
    words = {"reason": wish.reason} if wish.reason else {}
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
            considered_seconds=considered,
            reason=wish.reason or None,
        ),
        chosen,
        codes | _flags_seen(case),
        words,
    )


def _rematch(case: Case, after: Case, wish: Rematch, now: Reviewing) -> Outcome:
    # Whoever was ruled out before stays ruled out.
    excluded = tuple(dict.fromkeys((*case.excluded, *(TherapistId(each) for each in wish.exclude))))
    return Outcome(
        replace(
            after,
            state=State.AWAITING_PROPOSAL,
            claimed_by=None,
            proposal_id=None,
            shortlist=(),
            unavailable=(),
            answered_at=None,
            excluded=excluded,
            reopened_at=None,
            reopened_because=None,
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
        None,
        {"excluded": [str(each) for each in wish.exclude]} | _flags_seen(case),
        {"reason": wish.reason} if wish.reason else {},
    )


def _decline(after: Case, wish: Decline, now: Reviewing) -> Outcome:
    route = _present(wish.onward_route)
    return Outcome(
        replace(after, state=State.DECLINED, claimed_by=None, reopened_at=None, reopened_because=None),
        Action.DECLINE,
        review.RequestDeclined(
            request_id=after.request_id,
            subject_id=after.subject_id,
            decision_id=now.decision_id,
            decided_by=now.by.id,
            onward_route=route,
            reason=wish.reason,
        ),
        None,
        _flags_seen(after),
        {"onward_route": route.value, "reason": wish.reason},
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
        None,
        _flags_seen(after),
        {"question": wish.question},
    )


def _flags_seen(case: Case) -> dict[str, object]:
    return {"flags_seen": case.flags} if case.flags else {}


def _present(value: T | None) -> T:
    # `act` has refused before what would be missing here.
    if value is None:
        raise AssertionError
    return value
