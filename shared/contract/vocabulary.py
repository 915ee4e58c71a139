"""The closed lists of words that events use; a new word is a change to the contract."""

from enum import StrEnum


class Door(StrEnum):
    """How a request came in."""

    WEB = "web"
    API = "api"
    KAFKA = "kafka"


class RequesterRole(StrEnum):
    """Who asks."""

    SELF = "self"
    PARENT = "parent"
    CARER = "carer"
    PROFESSIONAL = "professional"


class Therapy(StrEnum):
    """What the person asks for; the clinic offers two schools."""

    IPT = "ipt"
    SYSTEMIC = "systemic"
    EITHER = "either"


class Variant(StrEnum):
    """A form of therapy that needs its own accreditation."""

    IPT = "ipt"
    IPT_A = "ipt-a"
    IPT_AST = "ipt-ast"
    FB_IPT = "fb-ipt"
    IPT_G = "ipt-g"
    IPSRT = "ipsrt"
    SYSTEMIC = "systemic"


class Mode(StrEnum):
    """Where sessions take place."""

    ONLINE = "online"
    IN_PERSON = "in_person"
    EITHER = "either"


class Format(StrEnum):
    """Who is in the room."""

    INDIVIDUAL = "individual"
    COUPLE = "couple"
    FAMILY = "family"
    GROUP = "group"


class ProblemArea(StrEnum):
    """The four areas of IPT; intake asks for a hint, the therapist fixes the focus."""

    ROLE_DISPUTE = "role_dispute"
    ROLE_TRANSITION = "role_transition"
    GRIEF = "grief"
    INTERPERSONAL_DEFICITS = "interpersonal_deficits"


class Condition(StrEnum):
    """What the person says they live with."""

    DEPRESSION = "depression"
    ANXIETY = "anxiety"
    BULIMIA_NERVOSA = "bulimia_nervosa"
    ANOREXIA_NERVOSA = "anorexia_nervosa"
    BIPOLAR_DISORDER = "bipolar_disorder"
    CHRONIC_FATIGUE = "chronic_fatigue"
    RELATIONSHIP_CONFLICT = "relationship_conflict"
    PSYCHOSIS = "psychosis"
    OTHER = "other"


class LifeEvent(StrEnum):
    """What happened lately; a death points to grief, the others to a transition or a dispute."""

    DEATH = "death"
    BIRTH = "birth"
    MOVE = "move"
    JOB = "job"
    SEPARATION = "separation"
    ILLNESS = "illness"
    CONFLICT = "conflict"
    OTHER = "other"


class AgeGroup(StrEnum):
    """Whom a therapist works with; matching's policy says which ages each group spans."""

    CHILDREN = "children"
    ADOLESCENTS = "adolescents"
    ADULTS = "adults"


class Gender(StrEnum):
    """How a therapist wishes to be described."""

    WOMAN = "woman"
    MAN = "man"
    NON_BINARY = "non_binary"


class Approach(StrEnum):
    """How a therapist tends to lead a session."""

    STRUCTURED = "structured"
    EXPLORATORY = "exploratory"


class Body(StrEnum):
    """Who keeps the register of a core profession."""

    BACP = "BACP"
    UKCP = "UKCP"
    HCPC = "HCPC"
    NCPS = "NCPS"
    NMC = "NMC"
    GMC = "GMC"
    BABCP = "BABCP"


class Route(StrEnum):
    """How an accreditation was reached; the knowledge-skills-attitudes route binds it to an employer."""

    STANDARD = "standard"
    KSA = "ksa"


class Slot(StrEnum):
    """A part of a week in which sessions can be held."""

    MON_MORNING = "mon_morning"
    MON_AFTERNOON = "mon_afternoon"
    MON_EVENING = "mon_evening"
    TUE_MORNING = "tue_morning"
    TUE_AFTERNOON = "tue_afternoon"
    TUE_EVENING = "tue_evening"
    WED_MORNING = "wed_morning"
    WED_AFTERNOON = "wed_afternoon"
    WED_EVENING = "wed_evening"
    THU_MORNING = "thu_morning"
    THU_AFTERNOON = "thu_afternoon"
    THU_EVENING = "thu_evening"
    FRI_MORNING = "fri_morning"
    FRI_AFTERNOON = "fri_afternoon"
    FRI_EVENING = "fri_evening"
    SAT_MORNING = "sat_morning"
    SAT_AFTERNOON = "sat_afternoon"
    SAT_EVENING = "sat_evening"
    SUN_MORNING = "sun_morning"
    SUN_AFTERNOON = "sun_afternoon"
    SUN_EVENING = "sun_evening"


class PreferenceAbout(StrEnum):
    """What a client may wish for in a therapist; each is honoured only when asked for."""

    THERAPIST_GENDER = "therapist_gender"
    APPROACH = "approach"
    LGBTQ_AFFIRMING = "lgbtq_affirming"
    NEURODIVERGENCE_AFFIRMING = "neurodivergence_affirming"
    FAITH_AWARE = "faith_aware"


class Strength(StrEnum):
    """How much a preference matters to the client."""

    SLIGHT = "slight"
    STRONG = "strong"
    MUST = "must"


class FlagKind(StrEnum):
    """What a risk sign is about; never a level, never a refusal."""

    SUICIDAL_THOUGHTS = "suicidal_thoughts"
    SELF_HARM = "self_harm"
    HARM_TO_OTHERS = "harm_to_others"
    BEING_HURT = "being_hurt"
    CHILD_AT_RISK = "child_at_risk"
    PSYCHOSIS = "psychosis"
    SUBSTANCES = "substances"


class Evidence(StrEnum):
    """How well a variant is supported for a condition."""

    STRONG = "strong"
    MODERATE = "moderate"
    LIMITED = "limited"
    NONE_FOUND = "none_found"


class OnwardRoute(StrEnum):
    """Where a client is pointed when the clinic is not the right place."""

    GP = "gp"
    NHS_TALKING_THERAPIES = "nhs_talking_therapies"
    NHS_CRISIS_LINE = "nhs_crisis_line"
    CHILD_AND_ADOLESCENT_SERVICE = "child_and_adolescent_service"
    EATING_DISORDER_SERVICE = "eating_disorder_service"
    COMMUNITY_MENTAL_HEALTH_TEAM = "community_mental_health_team"
    RELATIONSHIP_SERVICE = "relationship_service"
    OTHER_CLINIC = "other_clinic"


class MessageKind(StrEnum):
    """What a mail is for."""

    ACKNOWLEDGEMENT = "acknowledgement"
    WAITING = "waiting"
    MATCHED = "matched"
    REFERRAL = "referral"
    DECLINED = "declined"
    INFORMATION = "information"
    WITHDRAWN = "withdrawn"
    REFERRAL_WITHDRAWN = "referral_withdrawn"
    PLACE_HELD = "place_held"
    """A place is kept in a group that is not complete yet."""

    WAITING_AGAIN = "waiting_again"
    """The group did not come about; the request goes on."""

    LOOKING_AGAIN = "looking_again"
    """The match or place that was told has come to nothing; the request goes on."""


class Recipient(StrEnum):
    """Whom a mail is for."""

    CLIENT = "client"
    THERAPIST = "therapist"
