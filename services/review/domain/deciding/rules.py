"""What must be so before somebody acts on a case, and what they must say for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from services.review.domain.case import Case, State
from services.review.domain.deciding.refusing import Fault, Refusal, Refused
from services.review.domain.staff import Staff
from services.review.domain.wishes import (
    Action,
    Ask,
    Choose,
    Confirm,
    Decision,
    Decline,
    Keep,
    MatchDecision,
    Rematch,
    SettleMail,
    Wish,
)
from shared.ages import CONSENT_AGE, age_on
from shared.contract.ids import DecisionId, RequestId, TherapistId
from shared.contract.matching import Candidate

REASON_LENGTH = 20
QUESTION_LENGTH = 10
WORDS = 3
LONGEST_LOOK = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody on the staff opened a case."""

    at: datetime
    beside: Mapping[TherapistId, frozenset[RequestId]]
    """The requests of those whom they were shown in a therapist's group."""

    def members(self, therapist_id: TherapistId) -> frozenset[RequestId]:
        """Whom they were shown in the group of one therapist."""
        return self.beside.get(therapist_id, frozenset())


@dataclass(frozen=True, slots=True)
class Reviewing:
    """What is known when somebody acts: who, when, and for how long they have looked."""

    by: Staff
    decision_id: DecisionId
    today: date
    considered_seconds: int | None
    """How long they had the case before them as it stands; None if they never opened it."""

    date_of_birth: date
    beside: tuple[RequestId, ...] | None = None
    """Whom they were shown in the group that they decide for; None if it is for none."""

    candidate: Candidate | None = None
    """Who stands on the shortlist as the therapist they decide for, if they do for any."""


def considered_seconds(opened: Sequence[datetime], now: datetime) -> int | None:
    """How long a case was before somebody who opened it at these moments; None if they never did.

    Nobody is taken to read on for longer than `LONGEST_LOOK` without opening it again: a night in between
    is not time spent on the case, and saying so would make a token look pass for a thorough one.
    """
    if not opened:
        return None
    looks = (max(timedelta(), after - before) for before, after in pairwise([*opened, now]))
    return int(sum((min(look, LONGEST_LOOK) for look in looks), timedelta()).total_seconds())


def members_seen(looks: Sequence[Look], therapist_id: TherapistId) -> tuple[RequestId, ...]:
    """Whom somebody was shown in a therapist's group, be it that one has left it since."""
    return tuple(sorted({member for each in looks for member in each.members(therapist_id)}))


def allowed(case: Case) -> frozenset[Action]:
    """What may be done with the case as it stands, by whoever has it."""
    if case.state is State.MATCHED:
        # The therapist cannot after all, or the client would rather see somebody else.
        rematch = frozenset({Action.REMATCH})
        return rematch | {Action.KEEP} if case.in_doubt else rematch
    if not case.is_open:
        return frozenset()
    actions = {Action.CLAIM, Action.DECLINE}
    if case.claimed_by is not None:
        actions.add(Action.RELEASE)
    if case.state is State.PLACE_HELD:
        # The place is given back by whichever is done; nothing else is to be decided.
        return frozenset({*actions, Action.REMATCH})
    actions.add(Action.ASK)
    if case.first is not None:
        actions.add(Action.CONFIRM)
    if len(case.available) > 1:
        actions.add(Action.CHOOSE)
    if case.state is not State.AWAITING_PROPOSAL and case.answered_at is not None:
        actions.add(Action.REMATCH)
    return frozenset(actions)


def require_turn(case: Case, wish: Wish, by: Staff) -> None:
    """Raises Refused if it is not the time for an action, or a colleague's turn."""
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


def require_complete(case: Case, wish: Decision, now: Reviewing) -> None:
    """Raises Refused with all that a decision lacks."""
    if now.considered_seconds is None:
        raise Refused(Refusal.UNSEEN, "look at the case, and at who else is in a group, as they are now")
    faults = [*_flag_faults(case, wish), *_faults(case, wish, now)]
    if faults:
        raise Refused(Refusal.INCOMPLETE, "the decision is not complete", tuple(faults))


def settling_faults(wish: SettleMail) -> list[Fault]:
    """What a note on a mail in trouble lacks."""
    return _too_short(
        "note", wish.note, "say how the person was told, or what you found out", QUESTION_LENGTH
    )


def _why_not_now(case: Case, action: Action) -> str:
    match case.state:
        case State.CONFIRMED:
            return "a decision has been made, and the seat is being taken"
        case State.PLACE_HELD:
            return "a place in a group is held; ask for another shortlist to give it back"
        case State.MATCHED | State.DECLINED | State.WITHDRAWN:
            return f"the case is closed: {case.state}"
    if action is Action.CHOOSE and case.first is not None:
        return "there is nobody else on the shortlist who is available"
    return _NOT_YET.get(action, "there is nobody on a shortlist who is available")


_NOT_YET = {Action.REMATCH: "matching has not answered yet", Action.KEEP: "there is no match yet"}


def _flag_faults(case: Case, wish: Decision) -> list[Fault]:
    if case.flags and not wish.flags_seen:
        return [Fault("flags_seen", "say that you have read the risk flags")]
    return []


def _faults(case: Case, wish: Decision, now: Reviewing) -> list[Fault]:
    match wish:
        case Confirm() | Choose():
            return [*_therapist_faults(case, wish), *_pathway_faults(wish, now), *_under_16_faults(wish, now)]
        case Rematch():
            return _rematch_faults(case, wish)
        case Decline():
            route = (
                [] if wish.onward_route else [Fault("onward_route", "say where the client can turn instead")]
            )
            return [*route, *_too_short("reason", wish.reason, "say why the clinic is not the right place")]
        case Ask():
            return _too_short("question", wish.question, "say what you need to know", QUESTION_LENGTH)
        case Keep():
            return _too_short("reason", wish.reason, "say who told you that the therapy goes on, and how")
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


def _pathway_faults(wish: MatchDecision, now: Reviewing) -> list[Fault]:
    # Where nobody is meant, that is the fault.
    if now.candidate is None or now.candidate.chosen(wish.variant) is not None:
        return []
    return [Fault("variant", "is not what this therapist is listed for, nor what they could give instead")]


def _under_16_faults(wish: MatchDecision, now: Reviewing) -> list[Fault]:
    if wish.under_16_basis is None and age_on(now.today, now.date_of_birth) >= CONSENT_AGE:
        return []
    faults = []
    if wish.under_16_basis is None:
        rule = "the client is under 16: record a Gillick assessment or parental consent"
        faults.append(Fault("under_16_basis", rule))
    rule = "say who assessed or consented, when, and what was found"
    return faults + _too_short("under_16_note", wish.under_16_note, rule)


def _rematch_faults(case: Case, wish: Rematch) -> list[Fault]:
    if case.state is State.MATCHED:
        return _too_short("reason", wish.reason, "say why the match has come to nothing")
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
