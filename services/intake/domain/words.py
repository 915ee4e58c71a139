"""Says in plain words where a request stands and what happens next."""

from dataclasses import dataclass

from services.intake.domain.progress import State
from shared.contract.vocabulary import OnwardRoute


@dataclass(frozen=True, slots=True)
class Words:
    """A state as people read it."""

    title: str
    now: str
    next: str


STATES = {
    State.RECEIVED: Words(
        "We have your request",
        "Your request has arrived safely. We are looking for therapists who fit what you asked for.",
        "A trained member of staff then looks at the suggestions and decides. No computer decides alone.",
    ),
    State.MATCHING: Words(
        "We are looking again",
        "A member of staff asked for other suggestions, and we are looking for therapists once more.",
        "The same person, or a colleague, looks at the new suggestions and decides.",
    ),
    State.WAITING: Words(
        "You are on our waiting list",
        "At the moment no therapist who fits what you asked for has a free place.",
        "You keep your place in the queue. We look again whenever a therapist has room, and write to you.",
    ),
    State.NO_WAY_FITS: Words(
        "A person is looking at your request",
        "Nothing that we offer fits the request as it stands, so a member of staff is looking at it.",
        "They ask you something, or tell you where to find help that fits better. We write to you.",
    ),
    State.BEING_REVIEWED: Words(
        "A person is looking at your request",
        "There are suggestions, and a trained member of staff is looking at them with your request.",
        "When a therapist has been chosen and has a place for you, we write to you.",
    ),
    State.QUESTION: Words(
        "We would like to ask you something",
        "Before deciding, the member of staff who looks at your request needs to know a little more.",
        "Reply to any of our e-mails to arrange a call, or wait for ours. Your place in the queue is kept.",
    ),
    State.GATHERING: Words(
        "A group is being gathered for you",
        "A member of staff has chosen a group for you, and a place in it is kept.",
        "The group begins once enough people have a place; then we write to you. "
        "If that takes too long, we look for something else, and you keep your place in the queue.",
    ),
    State.MATCHED: Words(
        "We have found a therapist for you",
        "A member of staff has chosen a therapist who has a place for you.",
        "We have written to you with the details. The therapist gets in touch to arrange the first session.",
    ),
    State.DECLINED: Words(
        "We are not the right place for this",
        "A member of staff has looked at your request with care. What we offer would not be the right help.",
        "Others can help better. Below is where you can turn.",
    ),
    State.WITHDRAWN: Words(
        "This request has been withdrawn",
        "We have stopped looking, and nobody will contact you about this request, except to confirm it.",
        "If you would like to ask again, now or later, you are welcome.",
    ),
}

ONWARD_ROUTES = {
    OnwardRoute.GP: "Your GP knows what help there is near you and can refer you to it.",
    OnwardRoute.NHS_TALKING_THERAPIES: (
        "NHS talking therapies are free, and you can refer yourself: search for “NHS talking therapies”."
    ),
    OnwardRoute.NHS_CRISIS_LINE: (
        "Call NHS 111 and choose option 2 to speak to a mental health professional, at any hour."
    ),
    OnwardRoute.CHILD_AND_ADOLESCENT_SERVICE: (
        "The local children and young people’s mental health service (CAMHS). A GP or a school can refer."
    ),
    OnwardRoute.EATING_DISORDER_SERVICE: (
        "The local NHS eating disorder service. Your GP can refer you; many also let you refer yourself."
    ),
    OnwardRoute.COMMUNITY_MENTAL_HEALTH_TEAM: (
        "The local community mental health team. Your GP can refer you."
    ),
    OnwardRoute.RELATIONSHIP_SERVICE: (
        "A relationship counselling service, such as Relate: search for “Relate counselling”."
    ),
    OnwardRoute.OTHER_CLINIC: "Another clinic, one that offers what you need. Your GP can refer you.",
}
