"""Works out where a request stands from what was heard about it, in whatever order that came."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Fact(StrEnum):
    """What another service has said, as far as the status page needs it."""

    PROPOSED = "proposed"
    NOT_FOUND = "not_found"
    NO_WAY_FITS = "no_way_fits"
    PLACE_HELD = "place_held"
    SEAT_RESERVED = "seat_reserved"
    SEAT_UNAVAILABLE = "seat_unavailable"
    CONFIRMED = "confirmed"
    REMATCH = "rematch"
    DECLINED = "declined"
    QUESTION = "question"
    MAIL_SENT = "mail_sent"
    MAIL_FAILED = "mail_failed"
    MAIL_UNCERTAIN = "mail_uncertain"


class State(StrEnum):
    """Where a request stands."""

    RECEIVED = "received"
    MATCHING = "matching"
    WAITING = "waiting"
    NO_WAY_FITS = "no_way_fits"
    """No form of therapy here is for it; a person decides what becomes of it."""

    BEING_REVIEWED = "being_reviewed"
    QUESTION = "question"
    GATHERING = "gathering"
    MATCHED = "matched"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"

    @property
    def closed(self) -> bool:
        """Whether nothing more will happen."""
        return self in {State.DECLINED, State.WITHDRAWN}


@dataclass(frozen=True, slots=True)
class Heard:
    """The newest thing that one service has said about a request."""

    fact: Fact
    at: datetime
    proposal_id: UUID | None = None
    decision_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """The newest from each service, and whether the request was withdrawn here."""

    withdrawn: bool = False
    matching: Heard | None = None
    review: Heard | None = None
    mail: Heard | None = None


def progress(so_far: Progress) -> State:
    """The state that the newest facts together mean; a service's own facts never go backwards."""
    review, matching = so_far.review, so_far.matching
    if so_far.withdrawn:
        return State.WITHDRAWN
    if review is not None and review.fact is Fact.DECLINED:
        return State.DECLINED
    if matching is not None and matching.fact is Fact.SEAT_RESERVED and not _given_back(matching, review):
        return State.MATCHED
    if review is not None:
        return _after_review(review, matching)
    return _after_matching(matching)


def _given_back(seat: Heard, review: Heard | None) -> bool:
    """Whether a person has decided otherwise since the seat was taken."""
    if review is None:
        return False
    if review.fact is Fact.REMATCH:
        return review.proposal_id == seat.proposal_id
    # The shortlist that this decision is about has not been heard of here yet.
    return review.fact is Fact.CONFIRMED and review.decision_id != seat.decision_id and review.at > seat.at


def _after_review(review: Heard, matching: Heard | None) -> State:
    if review.fact is Fact.QUESTION:
        return State.QUESTION
    if review.fact is Fact.CONFIRMED:
        return _after_decision(review, matching)
    # A rematch was asked for: what it turned down may still be the newest that matching was heard to say,
    # and is then no answer to it.
    answered = matching is not None and (
        matching.fact in _NOTHING
        or (matching.fact is Fact.PROPOSED and matching.proposal_id != review.proposal_id)
    )
    return _after_matching(matching) if answered else State.MATCHING


def _after_decision(decision: Heard, matching: Heard | None) -> State:
    if matching is None:
        return State.BEING_REVIEWED
    if matching.fact is Fact.PLACE_HELD and matching.decision_id == decision.decision_id:
        return State.GATHERING
    # The seat may have gone since, and nobody else been found.
    lost = matching.fact in _NOTHING and matching.at >= decision.at
    return _after_matching(matching) if lost else State.BEING_REVIEWED


def _after_matching(matching: Heard | None) -> State:
    if matching is None:
        return State.RECEIVED
    return _AFTER_MATCHING.get(matching.fact, State.BEING_REVIEWED)


_NOTHING = {Fact.NOT_FOUND: State.WAITING, Fact.NO_WAY_FITS: State.NO_WAY_FITS}
"""What it means when matching has found nobody, by why."""

_AFTER_MATCHING = _NOTHING | {Fact.PLACE_HELD: State.GATHERING}
