"""What mails say and do not say."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8
from html.parser import HTMLParser
from itertools import product
from uuid import UUID

import pytest

from services.notify.domain.mail import Mail
from services.notify.domain.neutral import telling_words
from services.notify.domain.onward import STEPS
from services.notify.domain.wording import greeting_name, meetings
from shared.contract.ids import reference
from shared.contract.matching import GroupMeeting, WaitWeeks
from shared.contract.vocabulary import (
    Condition,
    LifeEvent,
    MessageKind,
    Mode,
    OnwardRoute,
    ProblemArea,
    Slot,
    Therapy,
)
from shared.kit.identifiers import new_id
from shared.waiting import waiting_time
from tests.notify.letters import STATUS, a_letter, a_mail
from tests.support.builders import id_of

PREVIEW = 120
GROUPS = [None, *(GroupMeeting(slot=slot, individual_first=2) for slot in Slot)]
HOW = sorted({meetings(mode, group) for mode, group in product(Mode, GROUPS)})
TO_CLIENTS = frozenset(MessageKind) - {MessageKind.REFERRAL, MessageKind.REFERRAL_WITHDRAWN}
EVERY_LETTER = [
    (kind, {"for_self": for_self, "step": step, "meetings": how, "in_group": "group" in how})
    for kind, for_self, step, how in product(MessageKind, (True, False), sorted(set(STEPS.values())), HOW)
    if kind is MessageKind.DECLINED or step == STEPS[OnwardRoute.GP]
]


def parsed(mail: Mail) -> EmailMessage:
    message = message_from_bytes(mail.data, policy=SMTPUTF8)
    assert isinstance(message, EmailMessage)
    return message


class _Page(HTMLParser):
    """What a reader sees of a page, and what it fetches."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self._hidden = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._hidden = tag == "title"
        self.addresses += [value or "" for name, value in attributes if name in {"src", "href", "background"}]
        self.addresses += [
            value or "" for name, value in attributes if name == "style" and "url(" in (value or "")
        ]

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._hidden:
            self.seen.append(" ".join(data.split()))

    @property
    def words(self) -> str:
        return " ".join(self.seen)


@pytest.mark.parametrize(("kind", "facts"), EVERY_LETTER)
def test_no_mail_bears_a_word_that_tells_what_somebody_suffers_from(
    kind: MessageKind, facts: dict[str, object]
) -> None:
    letter = a_letter(kind, **facts)

    assert telling_words(f"{letter.subject} {letter.text} {letter.html}") == []


@pytest.mark.parametrize("kind", MessageKind)
def test_what_a_locked_screen_shows_of_a_mail_is_neutral_and_kind(kind: MessageKind) -> None:
    message = parsed(a_mail(a_letter(kind)))

    text, html = (message.get_body((form,)) for form in ("plain", "html"))
    assert text is not None
    assert html is not None
    previews = " ".join(text.get_content().split())[:PREVIEW], _Page(html.get_content()).words[:PREVIEW]
    for preview in previews:
        assert preview.startswith("Hello Maya Okafor-Lind")
        assert telling_words(f"{message['Subject']} {preview}") == []


@pytest.mark.parametrize(
    "word",
    [each.value.replace("_", " ") for each in (*Condition, *LifeEvent, *ProblemArea, *Therapy)
     if each.value not in {"other", "either", "psychosis"}]
    + ["therapist", "Psychotherapy", "psychosis", "IPT-A", "self-harm", "suicidal", "mental health", "crisis",
       "at risk", "eating", "counselling", "diagnosed"],
)  # fmt: skip
def test_no_clinical_word_of_the_contract_stands_in_any_mail(word: str) -> None:
    for kind in MessageKind:
        letter = a_letter(kind)
        for text in (letter.subject, letter.text, _Page(letter.html).words):
            assert not re.search(rf"\b{re.escape(word)}\b", " ".join(text.split()), re.IGNORECASE)


@pytest.mark.parametrize(
    "word",
    ["Depression", "anxious", "IPT", "therapist", "psychotherapy", "self-harm", "a mental-health team"],
)
def test_a_telling_word_is_found_wherever_it_stands(word: str) -> None:
    assert telling_words(f"Your request for {word}, please") != []


@pytest.mark.parametrize("word", ["script", "heating", "pharmacy", "receipt", "steam"])
def test_a_harmless_word_is_not_taken_for_a_telling_one(word: str) -> None:
    assert telling_words(word) == []


def test_which_special_service_somebody_is_pointed_to_cannot_be_told_from_the_mail() -> None:
    telling = (
        OnwardRoute.EATING_DISORDER_SERVICE,
        OnwardRoute.COMMUNITY_MENTAL_HEALTH_TEAM,
        OnwardRoute.CHILD_AND_ADOLESCENT_SERVICE,
        OnwardRoute.RELATIONSHIP_SERVICE,
    )

    assert len({STEPS[route] for route in telling}) == 1
    assert set(STEPS) == set(OnwardRoute)


@pytest.mark.parametrize("kind", MessageKind)
def test_every_mail_has_one_recipient_and_text_and_html_and_nothing_from_elsewhere(kind: MessageKind) -> None:
    message = parsed(a_mail(a_letter(kind)))

    assert [str(address) for address in message["To"].addresses] == ["Maya Okafor-Lind <maya@example.com>"]
    assert len(message.get_all("To", [])) == 1
    assert message["Cc"] is None
    assert message["Bcc"] is None
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert message["Auto-Submitted"] == "auto-generated"
    html = message.get_body(("html",))
    assert html is not None
    page = _Page(html.get_content())
    assert not set(page.tags) & {"img", "link", "script", "iframe", "style", "form", "table"}
    assert set(page.addresses) <= {STATUS}


@pytest.mark.parametrize("kind", MessageKind)
def test_text_and_html_say_the_same(kind: MessageKind) -> None:
    letter = a_letter(kind)

    text = letter.text.replace("\n- ", "\n").replace(f":\n{STATUS}", "")
    assert _Page(letter.html).words == " ".join(text.split())


@pytest.mark.parametrize("kind", sorted(TO_CLIENTS))
def test_every_mail_to_a_client_says_where_help_is_to_be_had_now(kind: MessageKind) -> None:
    text = a_letter(kind).text

    assert all(number in text for number in ("999", "111", "116 123", "85258", "0800 1111"))
    assert STATUS in text


@pytest.mark.parametrize("kind", sorted(set(MessageKind) - TO_CLIENTS))
def test_a_therapist_learns_no_name_and_gets_no_status_link(kind: MessageKind) -> None:
    letter = a_letter(kind, name="Ada Fernsby")

    assert "Maya" not in letter.text + letter.html
    assert "/status/" not in letter.text + letter.html
    assert reference(id_of("request")) in letter.text


@pytest.mark.parametrize(
    ("weeks", "said"),
    [
        (None, "We do not know yet how long it takes, and would rather tell you so than guess."),
        (
            WaitWeeks(least=3, most=7),
            "For about half of the people who waited lately, we had a suggestion after 3 to 7 weeks; for the "
            "others, sooner or later than that. It may be different this time.",
        ),
        (
            WaitWeeks(least=0, most=3),
            "For most people who waited lately, we had a suggestion within 3 weeks. "
            "It may be different this time.",
        ),
        (
            WaitWeeks(least=0, most=1),
            "For most people who waited lately, we had a suggestion within a week. "
            "It may be different this time.",
        ),
    ],
)
def test_who_waits_reads_how_long_others_did_and_no_promise(weeks: WaitWeeks | None, said: str) -> None:
    letter = a_letter(MessageKind.WAITING, waiting_time=waiting_time(weeks))

    assert said in " ".join(letter.text.split())
    assert said in _Page(letter.html).seen
    assert telling_words(said) == []
    assert not re.search(r"\b(promise|guarantee|will|soon|only)\b", said)


@pytest.mark.parametrize(
    "name",
    [
        "Win £500 at http://evil.example",
        "www.evil.example",
        "evil.example",
        "call 0900 123",
        "<b>x</b>",
        "x" * 61,
    ],
)
def test_an_advertisement_in_place_of_a_name_does_not_travel_under_the_clinics_name(name: str) -> None:
    letter = a_letter(MessageKind.ACKNOWLEDGEMENT, name=greeting_name(name))

    assert letter.text.startswith("Hello,\n")
    assert name not in letter.text + letter.html


@pytest.mark.parametrize(
    "name", ["Maya Okafor-Lind", "Dr. Zoë Ångström", "O'Brien", "Nguyễn Thị Minh", "J. R. Smith"]
)
def test_a_name_of_any_kind_is_greeted(name: str) -> None:
    assert greeting_name(name) == name


def test_what_looks_like_markup_is_shown_as_it_stands() -> None:
    letter = a_letter(MessageKind.MATCHED, therapist='Ada "<script>" & Co')

    assert "<script>" not in letter.html
    assert 'Ada "<script>" & Co' in " ".join(letter.text.split())


def test_requests_that_come_in_together_have_different_references() -> None:
    ids = [new_id() for _ in range(50)]

    assert len({reference(each) for each in ids}) == 50
    assert reference(UUID("00000000-0000-7000-8000-00001a2b3c4d")) == "1A2B-3C4D"
