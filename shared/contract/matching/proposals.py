"""That matching has a shortlist, or none for now."""

from enum import StrEnum
from typing import Annotated, ClassVar

from shared.contract.event import Part, RequestEvent
from shared.contract.ids import ProposalId, SubjectId
from shared.contract.matching.shortlist import NothingFound, Shortlist
from shared.contract.matching.streams import STREAM
from shared.contract.sealing import Purpose, Sealed


class MatchProposed(RequestEvent):
    """Matching ranked therapists; a reviewer decides."""

    type: ClassVar[str] = "attune.matching.match-proposed.v1"
    stream: ClassVar[str] = STREAM

    subject_id: SubjectId
    proposal_id: ProposalId
    policy_version: str
    shortlist: Annotated[Shortlist | None, Sealed(Purpose.CLINICAL)]


class Shortfall(StrEnum):
    """What stands in the way of a shortlist; says nothing about the person."""

    NOBODY_FREE = "nobody_free"
    """Somebody may fit once a place is free: the request waits."""

    NO_WAY_FITS = "no_way_fits"
    """No form of therapy here is for this request, whoever is free: a person decides what becomes of it."""


class WaitWeeks(Part):
    """How long the middle half of those who waited lately did, in whole weeks; not about this person."""

    least: int
    """A quarter had a shortlist sooner; always less than `most`."""

    most: int
    """Three quarters had one by then."""


class MatchNotFound(RequestEvent):
    """No therapist fits for now: the request waits and the client is told; or a person looks at it."""

    type: ClassVar[str] = "attune.matching.match-not-found.v1"
    stream: ClassVar[str] = STREAM

    subject_id: SubjectId
    policy_version: str
    shortfall: Shortfall = Shortfall.NOBODY_FREE
    wait_weeks: WaitWeeks | None = None
    """None where it is not known, or where nothing is waited for; said again when it has changed."""

    findings: Annotated[NothingFound | None, Sealed(Purpose.CLINICAL)]
