"""The web form's answers as a submission, and faults as advice."""

from typing import Any
from urllib.parse import urlencode

import pytest

from services.intake.domain import Accepted, Refused, take
from services.intake.pages.form import Answers, Unusable, advice, document
from services.intake.pages.questions import LABELS, LANGUAGES
from shared.contract import vocabulary
from shared.contract.submission import Submission
from tests.intake.builders import NOW, RULEBOOK, a_form, json_bytes


def answers(changes: dict[str, Any] | None = None) -> Answers:
    return Answers.from_body(urlencode(a_form(changes), doseq=True).encode())


def test_the_form_says_what_a_partner_would_say() -> None:
    everything = document(
        answers(
            {
                "requester.role": "parent",
                "requester.name": " Ines Duarte ",
                "requester.email": "ines@example.com",
                "client.email": "",
                "client.date_of_birth.day": "1",
                "client.may_leave_message": "yes",
                "looking_for.max_fee_pounds": "80",
                "looking_for.languages": "pt",
                "looking_for.languages.other": "en",
                "wish.therapist_gender": "woman",
                "strength.therapist_gender": "must",
                "strength.approach": "strong",
                "strength.faith_aware": "slight",
                "story.in_own_words": "One\r\nTwo",
                "story.diagnosed": "no",
                "safety.being_hurt": "yes",
            }
        )
    )

    submission = Submission.model_validate_json(json_bytes(everything))
    assert submission.requester.name == "Ines Duarte"
    assert submission.client.email is None
    assert submission.client.date_of_birth.isoformat() == "1991-03-01"
    assert submission.client.may_leave_message
    assert submission.looking_for.max_fee_pounds == 80
    assert submission.looking_for.languages == ("pt", "en")
    assert [(wish.about, wish.wish, wish.strength) for wish in submission.looking_for.preferences] == [
        ("therapist_gender", "woman", "must"),
        ("faith_aware", "yes", "slight"),
    ]
    assert submission.story.in_own_words == "One\nTwo"
    assert submission.story.diagnosed is False
    assert submission.safety.being_hurt is True
    assert submission.safety.harming_self is None


def test_an_empty_form_gets_advice_on_all_that_is_needed_in_the_order_of_the_form() -> None:
    refused = take(json_bytes(document(Answers())), NOW, RULEBOOK)

    assert isinstance(refused, Refused)
    assert [each.anchor for each in advice(refused)] == [
        "requester.role",
        "client.name",
        "client.date_of_birth",
        "looking_for.mode",
        "looking_for.availability",
        "consent.to_process",
        "consent.to_share",
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"client.name": ""}, "The name is needed."),
        (
            {"requester.role": "carer", "requester.name": "Ben"},
            "Your e-mail address is needed from whoever asks for somebody else.",
        ),
        ({"client.date_of_birth.year": "2030"}, "The date of birth must not be in the future."),
        ({"client.date_of_birth.month": "13"}, "The date of birth must be a real date such as 1990-12-31."),
        ({"client.date_of_birth.day": ""}, "The date of birth must be a real date such as 1990-12-31."),
        ({"client.postcode": "ZZ9 9ZZ"}, "The postcode does not exist."),
        ({"client.email": "maya"}, "The e-mail address must be an e-mail address that mail can be sent to."),
        ({"looking_for.max_fee_pounds": "lots"}, "The most you could pay must be a whole number."),
        ({"looking_for.languages.other": "zz"}, "The language must be an ISO 639-1 code such as en"),
        ({"looking_for.availability": ["never"]}, "When you could come must be one of"),
        ({"looking_for.availability": []}, "When you could come is needed."),
    ],
)
def test_advice_names_the_question_and_what_to_mend(changes: dict[str, Any], text: str) -> None:
    refused = take(json_bytes(document(answers(changes))), NOW, RULEBOOK)

    assert isinstance(refused, Refused)
    [only] = advice(refused)
    assert only.text.startswith(text)


def test_every_field_of_a_submission_has_a_question_or_is_a_part_of_one() -> None:
    fields = {
        f"{section}.{name}"
        for section, field in Submission.model_fields.items()
        for name in getattr(field.annotation, "model_fields", {})
    }

    assert fields - set(LABELS) == {"consent.given_at"}


@pytest.mark.parametrize(
    ("offered", "words"),
    [
        ("ROLES", vocabulary.RequesterRole),
        ("MODES", vocabulary.Mode),
        ("FORMATS", vocabulary.Format),
        ("THERAPIES", vocabulary.Therapy),
        ("PROBLEM_AREAS", vocabulary.ProblemArea),
        ("LIFE_EVENTS", vocabulary.LifeEvent),
        ("CONDITIONS", vocabulary.Condition),
        ("STRENGTHS", vocabulary.Strength),
    ],
)
def test_the_form_offers_every_word_of_the_contract(offered: str, words: Any) -> None:
    from services.intake.pages import questions

    assert set(getattr(questions, offered)) == {word.value for word in words}


def test_every_language_that_the_form_offers_is_taken_in_and_english_comes_before_the_others() -> None:
    first, *names = LANGUAGES.values()

    assert first == "English"
    assert names == sorted(names)
    assert {"British Sign Language (BSL)", "Cantonese", "Mandarin", "Sylheti"} <= set(names)
    assert "Chinese" not in names
    for code in LANGUAGES:
        taken_in = take(json_bytes(document(answers({"looking_for.languages": code}))), NOW, RULEBOOK)
        assert isinstance(taken_in, Accepted)
        assert taken_in.details.languages == (code,)


@pytest.mark.parametrize(
    "body", [b"\xff=1", b"a=%ff", "a=é".encode(), "&".join(f"f{n}=1" for n in range(300)).encode()]
)
def test_what_no_form_sends_is_refused(body: bytes) -> None:
    with pytest.raises(Unusable):
        Answers.from_body(body)


def test_a_filled_form_is_taken_in() -> None:
    assert isinstance(take(json_bytes(document(answers())), NOW, RULEBOOK), Accepted)
