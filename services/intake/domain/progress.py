"""Works out where a request stands from what was heard about it, in whatever order that came."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Fact(StrEnum):
    """What another service has said, as far as the status page needs it."""

    PROPOSED = "proposed"
    NOT_FOUND = "not_found"
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
    BEING_REVIEWED = "being_reviewed"
    QUESTION = "question"
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
    if so_far.withdrawn:
        return State.WITHDRAWN
    if so_far.review is not None and so_far.review.fact is Fact.DECLINED:
        return State.DECLINED
    if so_far.matching is not None and so_far.matching.fact is Fact.SEAT_RESERVED:
        return State.MATCHED
    if so_far.review is not None:
        return _after_review(so_far.review, so_far.matching)
    return _after_matching(so_far.matching)


def _after_review(review: Heard, matching: Heard | None) -> State:
    if review.fact is Fact.QUESTION:
        return State.QUESTION
    if review.fact is Fact.CONFIRMED:
        return State.BEING_REVIEWED
    # A rematch was asked for: the shortlist it turned down may still be the newest that matching was heard
    # to say, and is then no answer to it.
    answered = matching is not None and (
        matching.fact is Fact.NOT_FOUND
        or (matching.fact is Fact.PROPOSED and matching.proposal_id != review.proposal_id)
    )
    return _after_matching(matching) if answered else State.MATCHING


def _after_matching(matching: Heard | None) -> State:
    if matching is None:
        return State.RECEIVED
    return State.WAITING if matching.fact is Fact.NOT_FOUND else State.BEING_REVIEWED
