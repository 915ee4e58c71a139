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
"""A seat in a caseload, or a place in a group."""

GroupId = NewType("GroupId", UUID)
MessageId = NewType("MessageId", UUID)
StaffId = NewType("StaffId", UUID)


def reference(request_id: UUID) -> str:
    """What people may call a request on the telephone and in letters; it tells nothing by itself."""
    # The end of the id: its beginning is a time, and the same for many.
    digits = request_id.hex[-8:].upper()
    return f"{digits[:4]}-{digits[4:]}"
