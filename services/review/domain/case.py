"""A case and what the other services' news makes of it; news that is old or late changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.contract.ids import (
    DecisionId,
    GroupId,
    ProposalId,
    RequestId,
    SeatId,
    StaffId,
    SubjectId,
    TherapistId,
)
from shared.contract.matching import GroupDoubt, SeatRefusal, Shortfall


class State(StrEnum):
    """Where a case stands."""

    AWAITING_PROPOSAL = "awaiting_proposal"
    """Matching has the request, or a wish for another shortlist, and has not answered yet."""

    READY = "ready"
    """There is a shortlist; a person decides."""

    WAITING = "waiting"
    """Nobody fits for now; the request is on matching's waiting list."""

    NO_WAY_FITS = "no_way_fits"
    """No form of therapy here is for this request, whoever is free; a person declines it, or asks."""

    INFORMATION_ASKED = "information_asked"
    """A reviewer has asked the client something; everything may still be decided."""

    CONFIRMED = "confirmed"
    """A person has decided; the seat is not taken yet."""

    PLACE_HELD = "place_held"
    """A place is held in a group that still gathers; a person may still take it back."""

    MATCHED = "matched"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


OPEN = frozenset({
    State.AWAITING_PROPOSAL, State.READY, State.WAITING, State.NO_WAY_FITS, State.INFORMATION_ASKED,
})  # fmt: skip
"""These wait for a decision."""

ACTED_ON = OPEN | {State.PLACE_HELD}
"""A person may act on these."""

PROMISED = OPEN - {State.WAITING} | {State.CONFIRMED}
"""These keep the client waiting for us; the waiting list waits for a therapist, a held place for others."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The decision that a seat is being taken for, or was."""

    decision_id: DecisionId
    decided_by: StaffId
    therapist_id: TherapistId


@dataclass(frozen=True, slots=True)
class Case:
    """What decides about a case: no personal data, only ids, order and state."""

    request_id: RequestId
    subject_id: SubjectId
    version: int
    """Counts every change that a reviewer must know of before deciding; mails are not among them."""

    state: State
    submitted_at: datetime
    flags: int = 0
    claimed_by: StaffId | None = None
    heard: int = 0
    """How far matching had counted when its latest proposal was heard."""

    proposal_id: ProposalId | None = None
    shortlist: tuple[TherapistId, ...] = ()
    """Best first."""

    unavailable: tuple[TherapistId, ...] = ()
    """Who is on the shortlist but could not take this client when asked."""

    answered_at: datetime | None = None
    """When matching last said who fits, or that nobody does."""

    shortfall: Shortfall | None = None
    """Why nobody does, if that is what it said."""

    excluded: tuple[TherapistId, ...] = ()
    """Whom reviewers have ruled out for this client, over all shortlists."""

    choice: Choice | None = None
    seat_id: SeatId | None = None
    group_id: GroupId | None = None
    """The group that the seat is a place in."""

    reopened_at: datetime | None = None
    reopened_because: SeatRefusal | None = None
    therapist_gone_at: datetime | None = None
    """When the therapist of the match left the directory, until a person has said what becomes of it."""

    doubts: tuple[GroupDoubt, ...] = ()
    """What has happened to the group of the match, until a person has said what becomes of it."""

    doubted_at: datetime | None = None
    """When the latest of it did."""

    @property
    def available(self) -> tuple[TherapistId, ...]:
        """Whom a reviewer can still choose, best first."""
        return tuple(each for each in self.shortlist if each not in self.unavailable)

    @property
    def first(self) -> TherapistId | None:
        """Whom confirming means."""
        return next(iter(self.available), None)

    @property
    def in_doubt(self) -> bool:
        """Whether a person must say what becomes of the match."""
        return self.therapist_gone_at is not None or self.doubted_at is not None

    @property
    def is_open(self) -> bool:
        """Whether a person may act on it."""
        return self.state in ACTED_ON

    def is_overdue(self, promise: timedelta, now: datetime) -> bool:
        """Whether the client has waited for us longer than promised."""
        return self.state in PROMISED and now - self.submitted_at > promise

    @property
    def seen_anew_since(self) -> datetime:
        """Since when it lies before the reviewer as it does now."""
        moments = (
            self.submitted_at, self.answered_at, self.reopened_at, self.therapist_gone_at, self.doubted_at
        )  # fmt: skip
        return max(each for each in moments if each is not None)


def proposed(
    case: Case, proposal_id: ProposalId, shortlist: Sequence[TherapistId], heard: int, now: datetime
) -> Case | None:
    """The case with a new shortlist."""
    if not _takes_news(case, heard):
        return None
    return replace(
        case,
        version=case.version + 1,
        state=State.READY if case.state in _UNDECIDED else case.state,
        heard=heard,
        proposal_id=proposal_id,
        shortlist=tuple(shortlist),
        unavailable=(),
        answered_at=now,
        shortfall=None,
    )


def nobody_found(case: Case, shortfall: Shortfall, heard: int, now: datetime) -> Case | None:
    """The case on the waiting list; or with a person, if no pathway fits."""
    if not _takes_news(case, heard):
        return None
    if case.state in {State.WAITING, State.INFORMATION_ASKED} and case.shortfall is shortfall:
        # How long others wait has changed, which no decision hangs on.
        return replace(case, heard=heard)
    return replace(
        case,
        version=case.version + 1,
        state=_without_shortlist(shortfall) if case.state in _UNDECIDED else case.state,
        heard=heard,
        proposal_id=None,
        shortlist=(),
        unavailable=(),
        answered_at=now,
        shortfall=shortfall,
    )


def placed(case: Case, decision_id: DecisionId, seat_id: SeatId, group_id: GroupId | None) -> Case | None:
    """The case with a place in a group that still gathers."""
    if case.state is not State.CONFIRMED or not _waits_for(case, decision_id):
        return None
    return replace(case, version=case.version + 1, state=State.PLACE_HELD, seat_id=seat_id, group_id=group_id)


def seated(
    case: Case, decision_id: DecisionId, seat_id: SeatId, group_id: GroupId | None = None
) -> Case | None:
    """The case matched, if it is this decision that waits for a seat."""
    if not _waits_for(case, decision_id):
        return None
    return replace(
        case,
        version=case.version + 1,
        state=State.MATCHED,
        claimed_by=None,
        seat_id=seat_id,
        group_id=group_id,
    )


def seat_gone(case: Case, decision_id: DecisionId, refusal: SeatRefusal, now: datetime) -> Case | None:
    """The case open again, before all others in the queue."""
    if not _waits_for(case, decision_id) or case.choice is None:
        return None
    # A superseded proposal says nothing about the therapist, nor does who came into a group or did not.
    silent = {SeatRefusal.PROPOSAL_SUPERSEDED, SeatRefusal.GROUP_DISSOLVED, SeatRefusal.JOINED_UNSEEN}
    gone = () if refusal in silent else (case.choice.therapist_id,)
    return replace(
        case,
        version=case.version + 1,
        state=State.READY if case.shortlist else _without_shortlist(case.shortfall),
        unavailable=(*case.unavailable, *(each for each in gone if each in case.shortlist)),
        choice=None,
        seat_id=None,
        group_id=None,
        reopened_at=now,
        reopened_because=refusal,
    )


def therapist_gone(case: Case, decision_id: DecisionId, now: datetime) -> Case | None:
    """The match as it was, before all other cases: a person says whether it goes on."""
    if not _is_match_of(case, decision_id):
        return None
    return replace(case, version=case.version + 1, therapist_gone_at=now)


def group_in_doubt(case: Case, decision_id: DecisionId, doubt: GroupDoubt, now: datetime) -> Case | None:
    """The match as it was, before all other cases: a person says what becomes of the group."""
    if not _is_match_of(case, decision_id):
        return None
    doubts = tuple(each for each in GroupDoubt if each is doubt or each in case.doubts)
    return replace(case, version=case.version + 1, doubts=doubts, doubted_at=now)


def withdrawn(case: Case) -> Case | None:
    """The case closed because the client no longer wants a match, or was erased."""
    if case.state in {State.DECLINED, State.WITHDRAWN}:
        return None
    return replace(
        case,
        version=case.version + 1,
        state=State.WITHDRAWN,
        claimed_by=None,
        group_id=None,
        reopened_at=None,
        reopened_because=None,
        therapist_gone_at=None,
        doubts=(),
        doubted_at=None,
    )


_UNDECIDED = frozenset({State.AWAITING_PROPOSAL, State.READY, State.WAITING, State.NO_WAY_FITS})
"""What matching says last moves these on."""


def _without_shortlist(shortfall: Shortfall | None) -> State:
    return State.NO_WAY_FITS if shortfall is Shortfall.NO_WAY_FITS else State.WAITING


def _takes_news(case: Case, heard: int) -> bool:
    return heard > case.heard and (case.is_open or case.state is State.CONFIRMED)


def _waits_for(case: Case, decision_id: DecisionId) -> bool:
    waiting = case.state in {State.CONFIRMED, State.PLACE_HELD}
    return waiting and case.choice is not None and case.choice.decision_id == decision_id


def _is_match_of(case: Case, decision_id: DecisionId) -> bool:
    matched = case.state is State.MATCHED
    return matched and case.choice is not None and case.choice.decision_id == decision_id
