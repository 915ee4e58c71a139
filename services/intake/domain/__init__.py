"""The rules of intake: what is complete, consented and safe to pass on; pure."""

from services.intake.domain import identities
from services.intake.domain.accepting import Accepted
from services.intake.domain.checking import Refused, Rulebook, check, take
from services.intake.domain.partner_events import PartnerEvent, unwrap
from services.intake.domain.postcodes import Outcodes
from services.intake.domain.progress import Fact, Heard, Progress, State, progress
from services.intake.domain.warning_signs import WarningWords

__all__ = [
    "Accepted",
    "Fact",
    "Heard",
    "Outcodes",
    "PartnerEvent",
    "Progress",
    "Refused",
    "Rulebook",
    "State",
    "WarningWords",
    "check",
    "identities",
    "progress",
    "take",
    "unwrap",
]
