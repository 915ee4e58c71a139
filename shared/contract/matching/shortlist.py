"""What matching found for a request: who may be proposed, by which pathways, and why."""

from pydantic import AwareDatetime

from shared.contract.event import Part
from shared.contract.ids import GroupId, TherapistId
from shared.contract.vocabulary import Condition, Evidence, Format, Mode, Slot, Variant


class Reason(Part):
    """One term of a candidate's score, with the field of the request it comes from."""

    term: str
    field: str
    points: int
    text: str


class Caution(Part):
    """Something a reviewer should weigh before confirming."""

    code: str
    text: str


class Support(Part):
    """How well a variant is supported for one condition that the client named."""

    condition: Condition
    evidence: Evidence
    source: str


class Pathway(Part):
    """A variant and format that fit the person, with the evidence for it."""

    variant: Variant
    format: Format
    rule: str = ""
    """Whom it is for, and how the person meets that."""

    rule_sources: tuple[str, ...] = ()
    """What the rule stands on; `source` is about the evidence alone."""

    evidence: Evidence
    source: str
    supports: tuple[Support, ...] = ()
    """For each condition that is named, the least supported first; `evidence` is that of the first."""

    cautions: tuple[Caution, ...] = ()


class RuledOut(Part):
    """A variant that does not fit, the rule that says so, and what the rule stands on."""

    variant: Variant
    rule: str
    source: str = ""


class Group(Part):
    """A group that a therapist gathers or leads, at one time of the week; or that confirming would open."""

    group_id: GroupId | None = None
    """None while nobody has a place in it: it is opened by the first who is confirmed."""

    slot: Slot
    language: str
    members: int
    """Who has a place, by a person's decision; nobody who only waits or is proposed."""

    least: int
    """As soon as so many have a place, the group is formed."""

    most: int
    formed: bool = False
    deadline: AwareDatetime | None = None
    """When a group that is not formed by then is dissolved."""

    joinable_until: AwareDatetime | None = None
    """When a formed group first meets; nobody comes in after that."""

    individual_first: int
    """Sessions that each member has alone with the therapist before the group."""

    sessions: int
    minutes: int


class Rise(Part):
    """Something the client could give on, so that a candidate would come before the one above."""

    code: str
    text: str
    """About the client alone, as that of a concession."""


class OtherPathway(Part):
    """What a candidate could give instead of what they are listed for, passing every gate for it as well."""

    variant: Variant
    mode: Mode
    score: int
    distance_km: float | None = None
    reasons: tuple[Reason, ...] = ()
    cautions: tuple[Caution, ...] = ()
    group: Group | None = None
    """For a variant given in groups: which group the client would come into."""

    for_client: tuple[str, ...] = ()
    for_therapist: tuple[str, ...] = ()


class Candidate(Part):
    """One therapist on the shortlist, explained."""

    therapist_id: TherapistId
    name: str
    variant: Variant
    other_pathways: tuple[OtherPathway, ...] = ()
    """What staff may choose with the same therapist instead, most often for fewer points."""

    mode: Mode
    score: int
    price: int = 0
    """Points less in the order of the list, never in the score: what keeping the seat for others is worth."""

    distance_km: float | None = None
    fee_pence: int
    seats_free: int
    reasons: tuple[Reason, ...]
    cautions: tuple[Caution, ...] = ()
    unmet: tuple[str, ...] = ()
    """Preferences of the client that this therapist does not meet, or whose entry does not say so."""

    behind: str = ""
    """What sets it behind the one above, by name and point by point; for staff alone."""

    rises: tuple[Rise, ...] = ()
    """The smallest of each kind; what would put another before the first are the list's `concessions`."""

    group: Group | None = None
    """For a variant given in groups: which group the client would come into."""

    for_client: tuple[str, ...] = ()
    """What the client may be told of it: about themselves only, no sign of risk."""

    for_therapist: tuple[str, ...] = ()
    """What the therapist may be told before saying yes: nothing that tells who it is."""

    @property
    def choices(self) -> "tuple[Candidate | OtherPathway, ...]":
        """What staff may choose with this therapist, as they are listed first."""
        return (self, *self.other_pathways)

    def chosen(self, variant: Variant | None) -> "Candidate | OtherPathway | None":
        """What a decision for a variant, or for none in particular, means; None if there is no such one."""
        wanted = variant or self.variant
        return next((each for each in self.choices if each.variant is wanted), None)


class GateCount(Part):
    """How many therapists one gate kept out."""

    gate: str
    therapists: int


class Concession(Part):
    """Something the client could give on, so that somebody who fits better would come first."""

    code: str
    text: str
    """About the client alone: `Tuesday evenings as well`."""

    therapist_id: TherapistId
    name: str
    score: int


class NextBest(Part):
    """Who would score best of those whom exactly one gate keeps out, and which; for staff alone."""

    therapist_id: TherapistId
    name: str
    variant: Variant
    score: int
    gate: str
    text: str


class Shortlist(Part):
    """Whom matching proposes, in order, and what led there."""

    candidates: tuple[Candidate, ...]
    pathways: tuple[Pathway, ...]
    ruled_out: tuple[RuledOut, ...] = ()
    gates: tuple[GateCount, ...] = ()
    concessions: tuple[Concession, ...] = ()
    next_best: NextBest | None = None


class NothingFound(Part):
    """Why no therapist fits for now."""

    pathways: tuple[Pathway, ...]
    ruled_out: tuple[RuledOut, ...] = ()
    gates: tuple[GateCount, ...] = ()
    text: str
    concessions: tuple[Concession, ...] = ()
    next_best: NextBest | None = None
