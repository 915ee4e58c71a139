"""What becomes of a case when somebody on the staff acts on it, and what they must say for it."""

from services.review.domain.deciding.acting import Outcome, act
from services.review.domain.deciding.refusing import Fault, Refusal, Refused
from services.review.domain.deciding.rules import (
    QUESTION_LENGTH,
    REASON_LENGTH,
    Look,
    Reviewing,
    allowed,
    considered_seconds,
    members_seen,
    settling_faults,
)

__all__ = [
    "QUESTION_LENGTH",
    "REASON_LENGTH",
    "Fault",
    "Look",
    "Outcome",
    "Refusal",
    "Refused",
    "Reviewing",
    "act",
    "allowed",
    "considered_seconds",
    "members_seen",
    "settling_faults",
]
