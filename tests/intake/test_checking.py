"""What is taken in, and what is refused with every fault named at once."""

from datetime import date
from typing import Any

import pytest

from services.intake.domain import Accepted, Refused, take
from shared.contract.vocabulary import Slot
from tests.intake.builders import MISSING, NOW, RULEBOOK, a_body, faults_of, from_a_parent, refused, taken


def test_a_complete_request_is_taken_in_in_the_words_of_the_contract() -> None:
    accepted = taken({"looking_for.max_fee_pounds": 90, "looking_for.languages": ["en", "pt", "en"]})

    assert accepted.details.outcode == "E1"
    assert accepted.details.date_of_birth == date(1991, 3, 14)
    assert accepted.details.max_fee_pence == 9000
    assert accepted.details.availability == (Slot.TUE_EVENING, Slot.THU_EVENING)
    assert accepted.details.languages == ("en", "pt")
    assert accepted.details.flags == ()
    assert accepted.consented_at == NOW


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"client.name": MISSING}, "client.name", "is required"),
        ({"client.name": ""}, "client.name", "must not be empty"),
        ({"client.name": "   "}, "client.name", "must not be empty"),
        ({"client.name": "Maya\nBcc: all@example.com"}, "client.name", "one line of text"),
        ({"client.name": "Maya\u2028Lind"}, "client.name", "one line of text"),
        ({"client.name": "x" * 121}, "client.name", "must not be longer than 120 characters"),
        ({"client.date_of_birth": "2025-06-03"}, "client.date_of_birth", "must not be in the future"),
        ({"client.date_of_birth": "1905-06-02"}, "client.date_of_birth", "less than 120 years ago"),
        ({"client.date_of_birth": "2018-06-03"}, "client.date_of_birth", "a child under 7"),
        ({"client.date_of_birth": "1991-02-30"}, "client.date_of_birth", "must be a real date"),
        ({"client.date_of_birth": "14/03/1991"}, "client.date_of_birth", "must be a real date"),
        ({"client.date_of_birth": "662688000"}, "client.date_of_birth", "must be a real date"),
        ({"client.date_of_birth": 662688000}, "client.date_of_birth", "must be a real date"),
        ({"client.postcode": "W1"}, "client.postcode", "does not exist"),
        ({"client.postcode": "SW1"}, "client.postcode", "does not exist"),
        ({"client.postcode": "E99 1AA"}, "client.postcode", "does not exist"),
        ({"client.postcode": "ZZ9 9ZZ"}, "client.postcode", "does not exist"),
        ({"client.postcode": "London"}, "client.postcode", "must be a UK postcode"),
        ({"client.postcode": "E1 6A"}, "client.postcode", "must be a UK postcode"),
        (
            {"client.postcode": MISSING, "looking_for.mode": "in_person"},
            "client.postcode",
            "is needed for sessions in person",
        ),
        (
            {"client.postcode": "LS1 4AP", "looking_for.mode": "in_person"},
            "client.postcode",
            "is outside London",
        ),
        ({"client.email": MISSING}, "client.email", "is needed when people ask for themselves"),
        ({"client.email": "maya@example.com\nBcc: all@example.com"}, "client.email", "line breaks"),
        ({"client.email": "maya@example.com\r"}, "client.email", "line breaks"),
        ({"client.email": "maya@@example.com"}, "client.email", "must be an e-mail address"),
        ({"client.email": "maya@example"}, "client.email", "must be an e-mail address"),
        ({"client.email": "maya@localhost"}, "client.email", "must be an e-mail address"),
        ({"client.email": "máya@example.com"}, "client.email", "must be an e-mail address"),
        ({"client.phone": "call me"}, "client.phone", "must be a telephone number"),
        ({"consent.to_process": False}, "consent.to_process", "must be given"),
        ({"consent.to_share": False}, "consent.to_share", "must be given"),
        ({"consent": MISSING}, "consent", "is required"),
        ({"consent.given_at": "2025-06-02T10:06:00Z"}, "consent.given_at", "must not be in the future"),
        ({"consent.given_at": "2025-06-01T10:00:00"}, "consent.given_at", "must say its time zone"),
        ({"consent.given_at": "1748772000"}, "consent.given_at", "must be a date and time"),
        ({"looking_for.availability": []}, "looking_for.availability", "must not be empty"),
        ({"looking_for.availability": ["mon_night"]}, "looking_for.availability.0", "must be one of"),
        ({"looking_for.mode": "telepathy"}, "looking_for.mode", "'online', 'in_person', 'either'"),
        ({"looking_for.max_fee_pounds": 1001}, "looking_for.max_fee_pounds", "must be 1000 or less"),
        ({"looking_for.max_fee_pounds": 9.5}, "looking_for.max_fee_pounds", "must be a whole number"),
        ({"looking_for.languages": ["english"]}, "looking_for.languages.0", "must be an ISO 639-1 code"),
        ({"looking_for.languages": ["eng"]}, "looking_for.languages.0", "or one of bfi, cmn, syl, yue"),
        ({"looking_for.languages": ["zz"]}, "looking_for.languages.0", "must be an ISO 639-1 code"),
        ({"looking_for.languages": ["en", "zz"]}, "looking_for.languages.1", "must be an ISO 639-1 code"),
        ({"client.mobile": "07700 900123"}, "client.mobile", "is not a field of a search request"),
        ({"refrence": "A-1"}, "refrence", "is not a field of a search request"),
        ({"reference": "A 1"}, "reference", "may hold only letters, digits"),
        ({"requester.role": "neighbour"}, "requester.role", "must be one of"),
        ({"safety": []}, "safety", "must be an object"),
        ({"safety.harming_self": "no"}, "safety.harming_self", "must be true or false"),
        ({"story.in_own_words": "a\u0000b"}, "story.in_own_words", "must not contain control characters"),
    ],
)
def test_a_fault_is_named_with_its_field_and_rule(changes: dict[str, Any], field: str, rule: str) -> None:
    faults = refused(changes)

    assert list(faults) == [field]
    assert rule in faults[field]


def test_every_fault_is_reported_at_once() -> None:
    faults = refused(
        from_a_parent(
            {
                "requester.email": MISSING,
                "client.name": MISSING,
                "client.date_of_birth": "2031-01-01",
                "client.postcode": "W1",
                "consent.to_share": False,
                "looking_for.mode": "by_post",
                "nickname": "Lea",
            }
        )
    )

    assert sorted(faults) == [
        "client.date_of_birth",
        "client.name",
        "client.postcode",
        "consent.to_share",
        "looking_for.mode",
        "nickname",
        "requester.email",
    ]


def test_a_rule_is_silent_where_a_field_it_reads_is_itself_at_fault() -> None:
    faults = refused({"requester.role": "nobody", "client.email": MISSING})

    assert list(faults) == ["requester.role"]


def test_a_fault_never_repeats_the_value() -> None:
    answer = take(
        a_body(
            {
                "client.name": "Zebedee\n",
                "client.email": "zebedee@@example",
                "client.postcode": "ZB1 ZB1",
                "client.date_of_birth": "2099-01-01",
                "requester.role": "zebra",
                "zebra crossing, 12 High Road": 1,
            }
        ),
        NOW,
        RULEBOOK,
    )

    assert isinstance(answer, Refused)
    assert len(answer.faults) == 6
    assert "zeb" not in repr(answer).lower()
    assert "2099" not in repr(answer)


def test_many_faults_are_named_up_to_a_bound() -> None:
    answer = take(a_body({f"extra_{number}": 1 for number in range(500)}), NOW, RULEBOOK)

    assert isinstance(answer, Refused)
    assert len(answer.faults) == 51
    assert answer.faults[-1].field == "body"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "must be well-formed JSON"),
        (b"{", "must be well-formed JSON"),
        (b'{"a": NaN}', "must be well-formed JSON"),
        (b'{"consent": {"to_share": false, "to_share": true}}', "must not name a member of an object twice"),
        (b"[" * 60_000, "must be well-formed JSON"),
        (b'{"reference": "\\ud800"}', "must be well-formed JSON"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        ('{"reference": "Zoë"}'.encode("latin-1"), "must be encoded in UTF-8"),
        ("{}".encode("utf-16"), "must be encoded in UTF-8"),
        (b"{}" + b" " * 64 * 1024, "must not be larger than 64 KiB"),
    ],
)
def test_bytes_that_are_no_object_are_refused_by_rule(body: bytes, rule: str) -> None:
    assert faults_of(take(body, NOW, RULEBOOK)) == {"body": rule}


@pytest.mark.parametrize("name", ["علی\u200cرضا", "ක්\u200dරිස්", "Nguyễn Thị Minh"])
def test_a_name_may_be_written_as_its_language_does(name: str) -> None:
    assert isinstance(take(a_body({"client.name": name}), NOW, RULEBOOK), Accepted)


@pytest.mark.parametrize("letter", ["\u202e", "\u2066", "\u200f", "\u2028", "\u0085"])
def test_a_name_may_not_turn_the_direction_of_text_or_break_a_line(letter: str) -> None:
    assert set(faults_of(take(a_body({"client.name": f"Maya{letter}Lind"}), NOW, RULEBOOK))) == {
        "client.name"
    }


def test_a_byte_order_mark_does_no_harm() -> None:
    assert isinstance(take(b"\xef\xbb\xbf" + a_body(), NOW, RULEBOOK), Accepted)


@pytest.mark.parametrize(
    "changes",
    [
        from_a_parent({"looking_for.format": "family", "looking_for.attending_adult": True}),
        from_a_parent({"client.date_of_birth": "2016-01-01", "looking_for.format": "individual"}),
        {"looking_for.format": "couple"},
        {"looking_for.format": "group", "looking_for.therapy": "systemic"},
        {"client.date_of_birth": "2012-01-01"},
        from_a_parent({"requester.role": "professional"}),
        from_a_parent({"requester.role": "carer", "client.date_of_birth": "1950-01-01"}),
        {"story.conditions": ["psychosis", "anorexia_nervosa"], "story.diagnosed": True},
        {"safety.thoughts_of_ending_life": True, "safety.harming_self": True},
    ],
)
def test_what_fits_whom_is_left_to_matching_and_people(changes: dict[str, Any]) -> None:
    taken(changes)


@pytest.mark.parametrize(
    ("preferences", "field", "rule"),
    [
        (
            [("therapist_gender", "woman", "must"), ("therapist_gender", "woman", "slight")],
            "looking_for.preferences.1",
            "is there twice",
        ),
        (
            [("therapist_gender", "woman", "must"), ("therapist_gender", "man", "must")],
            "looking_for.preferences.1",
            "cannot be a must",
        ),
        ([("therapist_gender", "tall", "must")], "looking_for.preferences.0.wish", "man, non_binary, woman"),
        ([("faith_aware", "no", "slight")], "looking_for.preferences.0.wish", "must be one of: yes"),
    ],
)
def test_wishes_that_make_no_sense_are_named(
    preferences: list[tuple[str, str, str]], field: str, rule: str
) -> None:
    faults = refused({"looking_for.preferences": wishes(preferences)})

    assert list(faults) == [field]
    assert rule in faults[field]


def test_either_of_two_wishes_may_be_wished_for() -> None:
    both = [("therapist_gender", "woman", "strong"), ("therapist_gender", "non_binary", "strong")]

    assert len(taken({"looking_for.preferences": wishes(both)}).details.preferences) == 2


def wishes(written: list[tuple[str, str, str]]) -> list[dict[str, str]]:
    return [dict(zip(("about", "wish", "strength"), wish, strict=True)) for wish in written]
