"""The codes of the contract and of this service, each with the words that staff read."""

from services.review.domain.case import State
from shared.contract.matching import GroupDoubt, SeatRefusal
from shared.contract.notify import FailureReason
from shared.contract.vocabulary import (
    Condition,
    Door,
    Evidence,
    FlagKind,
    Format,
    LifeEvent,
    MessageKind,
    Mode,
    OnwardRoute,
    PreferenceAbout,
    ProblemArea,
    RequesterRole,
    Strength,
    Therapy,
    Variant,
)

STATES = {
    State.AWAITING_PROPOSAL: "Waiting for a shortlist",
    State.READY: "To decide",
    State.WAITING: "On the waiting list",
    State.NO_WAY_FITS: "Nothing here fits: yours to decide",
    State.INFORMATION_ASKED: "Question asked",
    State.CONFIRMED: "Decided, seat being taken",
    State.PLACE_HELD: "Place held, group gathers",
    State.MATCHED: "Matched",
    State.DECLINED: "Declined",
    State.WITHDRAWN: "Withdrawn",
}
DOORS = {Door.WEB: "our web form", Door.API: "a partner's system", Door.KAFKA: "a partner's system"}
ROLES = {
    RequesterRole.SELF: "the client",
    RequesterRole.PARENT: "a parent",
    RequesterRole.CARER: "a carer",
    RequesterRole.PROFESSIONAL: "a professional",
}
THERAPIES = {
    Therapy.IPT: "interpersonal (IPT)",
    Therapy.SYSTEMIC: "systemic",
    Therapy.EITHER: "interpersonal or systemic",
}
VARIANTS = {
    Variant.IPT: "IPT",
    Variant.IPT_A: "IPT-A (adolescents)",
    Variant.IPT_AST: "IPT-AST (skills training)",
    Variant.FB_IPT: "FB-IPT (family-based)",
    Variant.IPT_G: "IPT in a group",
    Variant.IPSRT: "IPSRT (bipolar disorder)",
    Variant.SYSTEMIC: "systemic therapy",
}
MODES = {Mode.ONLINE: "online", Mode.IN_PERSON: "in person", Mode.EITHER: "online or in person"}
FORMATS = {
    Format.INDIVIDUAL: "one to one",
    Format.COUPLE: "as a couple",
    Format.FAMILY: "as a family",
    Format.GROUP: "in a group",
}
AREAS = {
    ProblemArea.ROLE_DISPUTE: "role dispute (conflict in a relationship)",
    ProblemArea.ROLE_TRANSITION: "role transition (a life change)",
    ProblemArea.GRIEF: "grief",
    ProblemArea.INTERPERSONAL_DEFICITS: "interpersonal deficits",
}
CONDITIONS = {
    Condition.DEPRESSION: "depression",
    Condition.ANXIETY: "anxiety",
    Condition.BULIMIA_NERVOSA: "bulimia nervosa",
    Condition.ANOREXIA_NERVOSA: "anorexia nervosa",
    Condition.BIPOLAR_DISORDER: "bipolar disorder",
    Condition.CHRONIC_FATIGUE: "chronic fatigue",
    Condition.RELATIONSHIP_CONFLICT: "relationship conflict",
    Condition.PSYCHOSIS: "psychosis",
    Condition.OTHER: "something else",
}
LIFE_EVENTS = {
    LifeEvent.DEATH: "a death",
    LifeEvent.BIRTH: "a birth",
    LifeEvent.MOVE: "a move",
    LifeEvent.JOB: "a change at work",
    LifeEvent.SEPARATION: "a separation",
    LifeEvent.ILLNESS: "an illness",
    LifeEvent.CONFLICT: "a conflict",
    LifeEvent.OTHER: "something else",
}
PREFERENCES = {
    PreferenceAbout.THERAPIST_GENDER: "gender of the therapist",
    PreferenceAbout.APPROACH: "approach",
    PreferenceAbout.LGBTQ_AFFIRMING: "LGBTQ-affirming",
    PreferenceAbout.NEURODIVERGENCE_AFFIRMING: "neurodivergence-affirming",
    PreferenceAbout.FAITH_AWARE: "faith-aware",
}
STRENGTHS = {Strength.SLIGHT: "slight wish", Strength.STRONG: "strong wish", Strength.MUST: "must have"}
EVIDENCE = {
    Evidence.STRONG: "strong evidence",
    Evidence.MODERATE: "moderate evidence",
    Evidence.LIMITED: "limited evidence",
    Evidence.NONE_FOUND: "no evidence found",
}
GATES = {
    "excluded": "ruled out for this client by staff",
    "registration": "no live core registration",
    "accreditation": "no live accreditation for a form that fits",
    "private_practice": "an accreditation that does not cover private practice",
    "age_group": "another age group",
    "format": "another format",
    "language": "none of the languages asked for",
    "mode": "not online, or not in person, as asked for",
    "distance": "too far away",
    "fee": "above the fee limit",
    "must_have": "does not meet a must-have",
    "fresh": "an entry that has not been confirmed lately",
    "start": "not free soon enough",
    "seat": "no seat free",
}
"""What keeps therapists off a shortlist; matching may name others, which are called as they are."""

FLAGS = {
    FlagKind.SUICIDAL_THOUGHTS: "Thoughts of ending life",
    FlagKind.SELF_HARM: "Self-harm",
    FlagKind.HARM_TO_OTHERS: "May hurt somebody",
    FlagKind.BEING_HURT: "Being hurt by somebody",
    FlagKind.CHILD_AT_RISK: "A child may be at risk",
    FlagKind.PSYCHOSIS: "Signs of psychosis",
    FlagKind.SUBSTANCES: "Alcohol or drugs",
}
ROUTES = {
    OnwardRoute.GP: "Their GP",
    OnwardRoute.NHS_TALKING_THERAPIES: "NHS talking therapies",
    OnwardRoute.NHS_CRISIS_LINE: "NHS crisis line (111, option 2)",
    OnwardRoute.CHILD_AND_ADOLESCENT_SERVICE: "Child and adolescent mental health service",
    OnwardRoute.EATING_DISORDER_SERVICE: "Eating disorder service",
    OnwardRoute.COMMUNITY_MENTAL_HEALTH_TEAM: "Community mental health team",
    OnwardRoute.RELATIONSHIP_SERVICE: "Relationship service",
    OnwardRoute.OTHER_CLINIC: "Another clinic",
}
MAILS = {
    MessageKind.ACKNOWLEDGEMENT: "acknowledgement",
    MessageKind.WAITING: "waiting list",
    MessageKind.MATCHED: "match",
    MessageKind.REFERRAL: "referral",
    MessageKind.DECLINED: "decline, with where to turn",
    MessageKind.INFORMATION: "request to get in touch",
    MessageKind.WITHDRAWN: "withdrawal",
    MessageKind.REFERRAL_WITHDRAWN: "referral withdrawn",
    MessageKind.PLACE_HELD: "place in a group",
    MessageKind.WAITING_AGAIN: "group not formed",
    MessageKind.LOOKING_AGAIN: "word that we look again",
}
MAIL_FAILURES = {
    FailureReason.REFUSED: "refused by the mail server",
    FailureReason.GAVE_UP: "given up after many tries",
    FailureReason.NO_LONGER_WANTED: "no longer needed",
    FailureReason.ERASED: "the person was erased",
}
REFUSALS = {
    SeatRefusal.NO_SEAT_LEFT: "the therapist's last seat had gone",
    SeatRefusal.NO_LONGER_ELIGIBLE: "the therapist may not take this client any more",
    SeatRefusal.PROPOSAL_SUPERSEDED: "there was a newer shortlist",
    SeatRefusal.REQUEST_CLOSED: "the request was closed meanwhile",
    SeatRefusal.GROUP_DISSOLVED: (
        "too few had a place in the group by its deadline, or its therapist may lead it no longer"
    ),
    SeatRefusal.GROUP_GONE: (
        "the group could not be joined as it was shown: it was full, gone, had begun or had changed"
    ),
    SeatRefusal.JOINED_UNSEEN: (
        "somebody else had come into the group by then: look who it is before you decide again"
    ),
}
DOUBTS = {
    GroupDoubt.TOO_FEW: "Group too small",
    GroupDoubt.LEADER_LAPSED: "Group's leader lapsed",
}
"""As the queue marks them."""

DOUBTED = {
    GroupDoubt.TOO_FEW: "somebody left the group, and fewer have a place in it than it needs",
    GroupDoubt.LEADER_LAPSED: (
        "the group's therapist has no valid registration, or no valid accreditation for it, any more"
    ),
}
ACTIONS = {
    "submitted": "Took the request in",
    "proposed": "Proposed a shortlist",
    "nobody_found": "Found nobody for now: on the waiting list",
    "place_held": "Holds a place in a group that gathers",
    "seat_reserved": "Took the seat: matched",
    "seat_unavailable": "Could not take the seat: reopened",
    "therapist_gone": "Took the therapist of this match out of the directory",
    "group_in_doubt": "Put the match before staff",
    "withdrawn": "Told that the client has withdrawn",
    "erased": "Had the person erased",
    "claim": "Claimed the case",
    "release": "Released the case",
    "released": "Released the case of an account that was disabled",
    "confirm": "Confirmed the first of the shortlist",
    "choose": "Chose another than the first",
    "rematch": "Asked for another shortlist",
    "decline": "Declined the request",
    "ask": "Asked for information",
    "keep": "Kept the match",
    "mail_settled": "Settled a mail that did not arrive",
}
FIELDS = {
    "therapist_id": "therapist",
    "variant": "pathway",
    "exclude": "leave out",
    "flags_seen": "risk flags",
    "onward_route": "where to turn",
    "under_16_basis": "who consents",
    "under_16_note": "what was established",
}
"""Fields of a decision; others are called as they are."""

ASKED = {
    "max fee pence": "fee limit",
    "outcode": "place",
    "max distance km": "distance limit",
    "mode": "online or in person",
    "date of birth": "age",
}
"""Fields of the request; others are called as they are."""
