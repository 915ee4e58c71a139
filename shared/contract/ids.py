"""The names things go by on the wire; a type each, so that one cannot be passed for another."""

from typing import NewType
from uuid import UUID

RequestId = NewType("RequestId", UUID)
SubjectId = NewType("SubjectId", UUID)
"""The person whose data is sealed; the keyring knows their keys by it."""

TherapistId = NewType("TherapistId", UUID)
ProposalId = NewType("ProposalId", UUID)
DecisionId = NewType("DecisionId", UUID)
SeatId = NewType("SeatId", UUID)
MessageId = NewType("MessageId", UUID)
StaffId = NewType("StaffId", UUID)
