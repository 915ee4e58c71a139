"""Letters as notify writes them, and mails that are made of them."""

from services.notify.app import TEMPLATES
from services.notify.domain.mail import Letter, Mail, Mailbox, compose
from services.notify.domain.onward import STEPS
from services.notify.domain.wording import Letters
from shared.contract.ids import reference
from shared.contract.vocabulary import MessageKind, OnwardRoute
from shared.waiting import waiting_time
from tests.notify.builders import NOON
from tests.support.builders import id_of

LETTERS = Letters.read(TEMPLATES, "Attune clinic")
SENDER = Mailbox("Attune clinic", "hello@attune.example")
MAYA = Mailbox("Maya Okafor-Lind", "maya@example.com")
STATUS = "http://127.0.0.1:8001/status/sample-token"


def a_letter(kind: MessageKind, **changes: object) -> Letter:
    """A letter to Maya, with everything that one of its kind may say."""
    facts: dict[str, object] = {
        "name": "Maya Okafor-Lind",
        "reference": reference(id_of("request")),
        "status_url": STATUS,
        "for_self": True,
        "therapist": "Ada Fernsby",
        "meetings": "You will meet online.",
        "in_group": False,
        "step": STEPS[OnwardRoute.GP],
        "waiting_time": waiting_time(None),
    }
    return LETTERS.write(kind, **(facts | changes))


def a_mail(letter: Letter, to: Mailbox = MAYA) -> Mail:
    """The mail that a letter becomes."""
    return compose(letter, sender=SENDER, to=to, message_id=id_of("message"), written_at=NOON)
