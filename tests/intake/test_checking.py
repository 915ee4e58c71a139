"""What is taken in, and what is refused with every fault named at once."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain import Accepted, Refused, take
from services.intake.domain.checking import RULES, Rule, _Setting
from shared.contract.submission import Submission
from shared.contract.vocabulary import FlagKind, Slot
from tests.intake.builders import MISSING, NOW, RULEBOOK, a_body, a_document, from_a_parent


def taken(changes: dict[str, Any] | None = None) -> Accepted:
    answer = take(a_body(changes), NOW, RULEBOOK)
    assert isinstance(answer, Accepted), answer
    return answer


def refused(changes: dict[str, Any] | None = None) -> dict[str, str]:
    return faults_of(take(a_body(changes), NOW, RULEBOOK))


def faults_of(answer: Accepted | Refused) -> dict[str, str]:
    assert isinstance(answer, Refused), "it was taken in"
    assert len({fault.field for fault in answer.faults}) == len(answer.faults)
    return {fault.field: fault.rule for fault in answer.faults}


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
        ({"looking_for.languages": ["english"]}, "looking_for.languages.0", "two-letter language code"),
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


def test_ages_are_counted_on_the_day_in_london() -> None:
    # In summer it is a day later there for the hour after midnight.
    turns_seven = {"client.date_of_birth": "2018-06-02", "looking_for.attending_adult": True}
    late = datetime(2025, 6, 1, 23, 30, tzinfo=UTC)

    assert isinstance(take(a_body(turns_seven), late, RULEBOOK), Accepted)
    assert isinstance(take(a_body(turns_seven), late - timedelta(hours=1), RULEBOOK), Refused)


def test_a_byte_order_mark_does_no_harm() -> None:
    assert isinstance(take(b"\xef\xbb\xbf" + a_body(), NOW, RULEBOOK), Accepted)


@pytest.mark.parametrize(
    ("postcode", "outcode"),
    [
        ("E1 6AN", "E1"),
        ("e16an", "E1"),
        ("E1", "E1"),
        ("E16", "E16"),
        ("W1A 1AA", "W1A"),
        ("W1T", "W1T"),
        ("EC1A1BB", "EC1A"),
        ("sw1a 2aa", "SW1A"),
        ("SE10 9NF", "SE10"),
        ("LS1 4AP", "LS1"),
        ("M1 1AE", "M1"),
        ("CF10", "CF10"),
    ],
)
def test_only_the_first_half_of_a_postcode_is_kept(postcode: str, outcode: str) -> None:
    assert taken({"client.postcode": postcode}).details.outcode == outcode


def test_every_london_outcode_is_taken_for_sessions_in_person() -> None:
    for outcode in sorted(RULEBOOK.outcodes.london):
        assert taken({"client.postcode": outcode, "looking_for.mode": "in_person"}).details.outcode == outcode


@pytest.mark.parametrize("mode", ["online", "either"])
def test_somebody_outside_london_can_have_sessions_online(mode: str) -> None:
    assert taken({"client.postcode": "LS1 4AP", "looking_for.mode": mode}).details.outcode == "LS1"


def test_online_sessions_need_no_postcode() -> None:
    assert taken({"client.postcode": MISSING}).details.outcode is None


@pytest.mark.parametrize(
    ("born", "today"),
    [("2018-06-02", "2025-06-02"), ("2020-02-29", "2027-03-01"), ("1905-06-03", "2025-06-02")],
)
def test_ages_are_counted_to_the_day(born: str, today: str) -> None:
    now = datetime.fromisoformat(today).replace(tzinfo=UTC)

    assert isinstance(take(a_body({"client.date_of_birth": born}), now, RULEBOOK), Accepted)


def test_a_child_that_no_therapy_serves_is_told_where_to_turn() -> None:
    answer = take(a_body(from_a_parent({"client.date_of_birth": "2020-01-01"})), NOW, RULEBOOK)

    assert isinstance(answer, Refused)
    assert [fault.field for fault in answer.faults] == ["client.date_of_birth"]
    assert answer.onward_route is not None
    for where in ("GP", "NHS 111", "CAMHS", "999"):
        assert where in answer.onward_route


def test_nobody_else_is_sent_elsewhere() -> None:
    answer = take(a_body({"client.date_of_birth": "2031-01-01"}), NOW, RULEBOOK)

    assert isinstance(answer, Refused)
    assert answer.onward_route is None


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


@pytest.mark.parametrize("role", ["parent", "carer", "professional"])
def test_whoever_asks_for_somebody_else_can_be_reached(role: str) -> None:
    faults = refused({"requester.role": role})

    assert sorted(faults) == ["requester.email", "requester.name"]


def test_mails_go_to_the_client_where_there_is_an_address() -> None:
    contact = taken(from_a_parent({"client.email": "lea@example.com"})).contact("https://x/status/t")

    assert (contact.write_to_name, contact.write_to_email) == ("Lea Duarte", "lea@example.com")


def test_mails_go_to_the_requester_where_the_client_has_no_address() -> None:
    contact = taken(from_a_parent()).contact("https://x/status/t")

    assert (contact.write_to_name, contact.write_to_email) == ("Ines Duarte", "ines@example.com")


def test_a_young_person_who_asks_is_written_to_and_nobody_else() -> None:
    alone = {"client.date_of_birth": "2011-02-01", "client.email": "lea@example.com"}
    with_a_parent = alone | {"requester.email": "parent@example.com", "requester.name": "A Parent"}

    contact = taken(with_a_parent).contact("https://x/status/t")

    assert contact.write_to_email == "lea@example.com"
    assert "client.email" in refused(with_a_parent | {"client.email": MISSING})


def test_an_international_domain_is_written_so_that_any_mail_server_takes_it() -> None:
    contact = taken({"client.email": "maya@bücher.example"}).contact("https://x/status/t")

    assert contact.write_to_email == "maya@xn--bcher-kva.example"


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


def test_the_same_submission_has_the_same_fingerprint_however_it_is_written() -> None:
    document = a_document()
    other_way_round = json.dumps(dict(reversed(document.items())), indent=4).encode()

    first, again = take(a_body(), NOW, RULEBOOK), take(other_way_round, NOW, RULEBOOK)
    different = taken({"client.phone": "020 7946 0123"})

    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert first.fingerprint == again.fingerprint != different.fingerprint


def test_what_is_written_about_safety_reaches_the_reviewer_even_without_a_flag() -> None:
    details = taken(
        {"story.in_own_words": "We moved.", "safety.in_own_words": "I manage, with my sister."}
    ).details

    assert details.in_own_words == "We moved.\n\nAbout safety: I manage, with my sister."
    assert details.flags == ()


def test_a_risk_sign_refuses_nobody() -> None:
    details = taken({"safety.thoughts_of_ending_life": True}).details

    assert [flag.kind for flag in details.flags] == [FlagKind.SUICIDAL_THOUGHTS]


class _Watched:
    """A submission that notes which fields are read."""

    def __init__(self, inside: object, path: str, seen: set[str]) -> None:
        self._inside, self._path, self._seen = inside, path, seen

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inside, name)
        path = f"{self._path}{name}"
        if path.count(".") == 0:
            return _Watched(value, f"{path}.", self._seen)
        self._seen.add(path)
        return value


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.faults_in.__name__)
def test_a_rule_reads_only_what_it_says_it_reads(rule: Rule) -> None:
    seen: set[str] = set()
    for changes in ({}, from_a_parent(), {"looking_for.mode": "in_person"}):
        submission = Submission.model_validate_json(a_body(changes))
        watched: Any = _Watched(submission, "", seen)
        list(rule.faults_in(watched, _Setting(NOW, RULEBOOK.outcodes)))

    assert seen == set(rule.reads)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
PATHS = sorted(
    [
        *Submission.model_fields,
        *(
            f"{section}.{name}"
            for section, field in Submission.model_fields.items()
            for name in getattr(field.annotation, "model_fields", {})
        ),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(PATHS), json_values, max_size=4))
def test_any_json_gets_an_answer(changes: dict[str, Any]) -> None:
    document = a_document()
    for path in sorted(changes):
        *sections, name = path.split(".")
        holder: Any = document
        for section in sections:
            holder = holder.setdefault(section, {}) if isinstance(holder, dict) else None
        if isinstance(holder, dict):
            holder[name] = changes[path]

    answer = take(json.dumps(document, ensure_ascii=True).encode(), NOW, RULEBOOK)

    assert isinstance(answer, Accepted | Refused)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_get_an_answer(body: bytes) -> None:
    assert isinstance(take(body, NOW, RULEBOOK), Refused)
