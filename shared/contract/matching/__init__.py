"""What matching says: a shortlist, none found, a place held, a seat taken or gone; and its directory."""

from shared.contract.matching.directory import (
    CoreRegistration,
    DirectoryEntry,
    HeldAccreditation,
    TherapistChanged,
    TherapistListed,
    TherapistRemoved,
)
from shared.contract.matching.proposals import MatchNotFound, MatchProposed, Shortfall, WaitWeeks
from shared.contract.matching.seats import (
    GroupMeeting,
    GroupPlaceHeld,
    SeatRefusal,
    SeatReserved,
    SeatUnavailable,
    TherapistContact,
)
from shared.contract.matching.shortlist import (
    Candidate,
    Caution,
    Concession,
    GateCount,
    Group,
    NextBest,
    NothingFound,
    Pathway,
    Reason,
    Rise,
    RuledOut,
    Shortlist,
    Support,
)
from shared.contract.matching.streams import DIRECTORY, STREAM

__all__ = [
    "DIRECTORY",
    "STREAM",
    "Candidate",
    "Caution",
    "Concession",
    "CoreRegistration",
    "DirectoryEntry",
    "GateCount",
    "Group",
    "GroupMeeting",
    "GroupPlaceHeld",
    "HeldAccreditation",
    "MatchNotFound",
    "MatchProposed",
    "NextBest",
    "NothingFound",
    "Pathway",
    "Reason",
    "Rise",
    "RuledOut",
    "SeatRefusal",
    "SeatReserved",
    "SeatUnavailable",
    "Shortfall",
    "Shortlist",
    "Support",
    "TherapistChanged",
    "TherapistContact",
    "TherapistListed",
    "TherapistRemoved",
    "WaitWeeks",
]
