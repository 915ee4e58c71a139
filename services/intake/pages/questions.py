"""The choices that the form offers and the names its questions go by, in its order."""

from shared.languages import language

LABELS = {
    "requester.role": "Who you are asking for",
    "requester": "Who you are asking for",
    "requester.name": "Your name",
    "requester.email": "Your e-mail address",
    "requester.phone": "Your telephone number",
    "client.name": "The name",
    "client.date_of_birth": "The date of birth",
    "client.email": "The e-mail address",
    "client.phone": "The telephone number",
    "client.may_leave_message": "Whether we may leave a message",
    "client.postcode": "The postcode",
    "client": "The person the therapy is for",
    "story.in_own_words": "What you wrote about what is going on",
    "story.problem_areas": "What it has to do with",
    "story.life_event": "What has happened",
    "story.conditions": "The difficulties",
    "story.diagnosed": "Whether there is a diagnosis",
    "looking_for.mode": "Where sessions should take place",
    "looking_for.max_distance_km": "How far you would travel",
    "looking_for.availability": "When you could come",
    "looking_for.format": "Who would be in the room",
    "looking_for.attending_adult": "Whether an adult would come along",
    "looking_for.therapy": "Which therapy",
    "looking_for.max_fee_pounds": "The most you could pay",
    "looking_for.languages": "The language",
    "looking_for.preferences": "What matters to you in a therapist",
    "looking_for": "What you are looking for",
    "safety.thoughts_of_ending_life": "The question about ending life",
    "safety.harming_self": "The question about self-harm",
    "safety.being_hurt": "The question about being hurt",
    "safety.might_hurt_others": "The question about hurting others",
    "safety.in_own_words": "What you wrote about safety",
    "consent.to_process": "Your agreement that we handle what you tell us",
    "consent.to_share": "Your agreement that staff and the therapist see it",
    "consent": "Your agreement",
}

ROLES = {
    "self": "Myself",
    "parent": "My child",
    "carer": "Somebody I care for",
    "professional": "Somebody I work with, as a professional",
}
MODES = {
    "online": "Online",
    "in_person": "In person, in London",
    "either": "Either is fine",
}
FORMATS = {
    "individual": "One person",
    "couple": "A couple",
    "family": "A family",
    "group": "A group",
}
THERAPIES = {
    "either": "I am not sure, or either",
    "ipt": "Interpersonal psychotherapy (IPT)",
    "systemic": "Systemic therapy",
}
DAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
TIMES = {"morning": "Morning", "afternoon": "Afternoon", "evening": "Evening"}
PROBLEM_AREAS = {
    "role_dispute": "Conflict with somebody close",
    "role_transition": "A change in life, such as a birth, a move or a new job",
    "grief": "The death of somebody",
    "interpersonal_deficits": "Trouble finding, keeping or mending relationships",
}
LIFE_EVENTS = {
    "death": "Somebody died",
    "birth": "A birth",
    "move": "A move",
    "job": "A change at work",
    "separation": "A separation",
    "illness": "An illness",
    "conflict": "A conflict",
    "other": "Something else",
}
CONDITIONS = {
    "depression": "Depression or low mood",
    "anxiety": "Anxiety",
    "bulimia_nervosa": "Bulimia",
    "anorexia_nervosa": "Anorexia",
    "bipolar_disorder": "Bipolar disorder",
    "chronic_fatigue": "Chronic fatigue",
    "relationship_conflict": "Conflict in a relationship",
    "psychosis": "Psychosis",
    "other": "Something else",
}
GENDERS = {"woman": "A woman", "man": "A man", "non_binary": "A non-binary person"}
APPROACHES = {"structured": "Structured, with tasks", "exploratory": "Open, exploring as we go"}
STRENGTHS = {"slight": "It would be nice", "strong": "It matters", "must": "I need it"}
AFFIRMING = {
    "lgbtq_affirming": "Experience with LGBTQ+ people",
    "neurodivergence_affirming": "Experience with neurodivergent people",
    "faith_aware": "Respect for and knowledge of faith",
}
SAFETY = {
    "thoughts_of_ending_life": "Are there thoughts of ending your or their life?",
    "harming_self": "Is there self-harm?",
    "being_hurt": "Is somebody hurting, threatening or controlling you or them?",
    "might_hurt_others": "Are there worries about hurting somebody else?",
}
# What is spoken most by those who come here; a partner may name any language of the list.
_OFFERED = """
sq am ar bn bg nl fr de el gu he hi hu it lt fa
pl pt pa ro ru so es ta ti tr uk ur vi yo bfi cmn syl yue
"""
LANGUAGES = {"en": language("en")} | {
    code: name for name, code in sorted((language(code), code) for code in _OFFERED.split())
}
