"""Which language asked for is met by whom: by the gates, the engine and the points alike."""

from dataclasses import replace

import pytest

from services.matching.domain.directory_row import notes_on
from services.matching.domain.engine import Engine, entry_of
from services.matching.domain.gates import Gate, check
from services.matching.domain.pathways import pathways_of
from services.matching.domain.ranking import rank
from shared.contract.ids import TherapistId
from shared.contract.matching import NothingFound
from tests.matching.builders import RULES, THE_DAY, a_search, a_therapist
from tests.matching.shortlists import only, points, shortlist
from tests.support.builders import id_of

FIRST, OTHER = RULES.policy.weights.preferred_language, RULES.policy.weights.other_language

MEET = [
    ("no", "nb", FIRST),
    ("no", "nn", FIRST),
    ("nb", "no", FIRST),
    ("nb", "nn", FIRST),
    ("nn", "nb", FIRST),
    ("zh", "zh", FIRST),
    ("zh", "yue", FIRST),
    ("zh", "en cmn", FIRST),
    ("en zh", "cmn", OTHER),
    ("yue", "en yue", FIRST),
    ("syl bn", "bn", OTHER),
    ("bfi", "bfi en", FIRST),
    ("en bfi", "bfi", FIRST),
    ("en zz", "en", FIRST),
]
DO_NOT_MEET = [
    ("yue", "cmn en"),
    ("cmn", "yue"),
    ("yue", "zh"),
    ("cmn", "zh en"),
    ("syl", "bn"),
    ("bn", "syl"),
    ("no", "sv da"),
    ("bfi", "en"),
    ("bfi en", "en"),
    ("en bfi", "en fr"),
    ("zz", "en"),
]


def engine_of(works_in: str) -> Engine:
    engine = Engine(RULES.policy, RULES.places, THE_DAY)
    engine.put([entry_of(a_therapist(languages=frozenset(works_in.split())))])
    return engine


@pytest.mark.parametrize(("asked", "works_in", "worth"), MEET)
def test_they_meet(asked: str, works_in: str, worth: int) -> None:
    therapist, languages = a_therapist(languages=frozenset(works_in.split())), tuple(asked.split())

    candidate = only(therapist, languages=languages)
    [placed] = engine_of(works_in).best(a_search(languages=languages), 1)

    assert points(candidate, "language") == worth
    assert placed.score == candidate.score


@pytest.mark.parametrize(("asked", "works_in"), DO_NOT_MEET)
def test_they_do_not_meet(asked: str, works_in: str) -> None:
    therapist, languages = a_therapist(languages=frozenset(works_in.split())), tuple(asked.split())
    search, engine = a_search(languages=languages), engine_of(works_in)
    pathway = pathways_of(search.case, THE_DAY, RULES.policy).fitting[0]

    assert check(search, pathway, therapist, RULES.policy, RULES.places) is Gate.LANGUAGE
    assert engine.best(search, 1) == []
    assert engine.tally(search)[Gate.LANGUAGE] == 1


def test_an_entry_that_changes_its_languages_is_met_by_none_that_it_met_before() -> None:
    engine = engine_of("nb yue")

    engine.put([entry_of(a_therapist(languages=frozenset({"en"})))])

    for code in ("no", "nn", "zh", "yue"):
        assert engine.best(a_search(languages=(code,)), 1) == []


def test_of_a_sign_language_nobody_is_asked_to_do_without() -> None:
    strong = a_therapist("ada")
    weak = a_therapist("ben", languages=frozenset({"bfi"}), problem_areas=frozenset(), conditions=frozenset())

    found = shortlist(strong, weak, languages=("bfi",))
    nobody = rank(a_search(languages=("bfi",)), [strong], RULES)

    assert [each.therapist_id for each in found.candidates] == [weak.id]
    assert isinstance(nobody, NothingFound)
    assert [each.code for each in (*found.concessions, *nobody.concessions)] == []
    assert "sessions in English as well" in {
        each.text for each in rank(a_search(languages=("pl",)), [strong], RULES).concessions
    }


def test_who_named_a_spoken_language_as_well_may_think_of_an_interpreter() -> None:
    ada, ben = a_therapist("ada"), a_therapist("ben")
    signing = a_therapist("cleo", languages=frozenset({"en", "bfi"}), problem_areas=frozenset())

    nobody = rank(a_search(languages=("en", "bfi")), [ada, ben], RULES)
    found = shortlist(ada, signing, languages=("en", "bfi"))

    assert isinstance(nobody, NothingFound)
    assert "2 who do not sign" in nobody.text
    for answer in (nobody, found):
        assert [each.text for each in answer.concessions] == [
            "sessions in English with a sign language interpreter"
        ]
    [only_one] = found.candidates
    assert "Works in British Sign Language (BSL); beside a sign language no spoken one counts." in {
        each.text for each in only_one.reasons
    }


@pytest.mark.parametrize(
    ("asked", "works_in", "named", "cautioned"),
    [
        ("zh", "yue", "Cantonese", True),
        ("zh", "cmn yue", "Cantonese or Mandarin", True),
        ("zh", "zh", "Chinese", True),
        ("zh en", "cmn en", "Mandarin", True),
        ("zh yue", "cmn", "Mandarin", True),
        ("zh yue", "yue zh", "Cantonese", False),
        ("yue", "yue zh", "Cantonese", False),
        ("en zh", "en yue", "English", False),
        ("nn", "nb", "Norwegian Bokmål", False),
        ("bfi", "bfi", "British Sign Language (BSL)", False),
    ],
)
def test_what_they_would_speak_is_named_and_staff_are_told_to_ask_where_it_is_not_clear(
    asked: str, works_in: str, named: str, *, cautioned: bool
) -> None:
    candidate = only(a_therapist(languages=frozenset(works_in.split())), languages=tuple(asked.split()))
    [reason] = [each.text for each in candidate.reasons if each.term == "language"]

    assert reason.startswith(f"Works in {named}")
    assert f"The sessions can be in {named}." in candidate.for_client
    assert f"The sessions would be in {named}." in candidate.for_therapist
    assert [each.code for each in candidate.cautions].count("language_unclear") == cautioned


def test_a_reason_says_what_was_asked_for_where_that_is_another_word() -> None:
    [reason] = [
        each.text
        for each in only(a_therapist(languages=frozenset({"yue"})), languages=("zh",)).reasons
        if each.term == "language"
    ]

    assert reason == "Works in Cantonese; the client asked for Chinese."


@pytest.mark.parametrize(
    ("works_in", "texts"),
    [
        ("en zh", ["zh does not say which is spoken: not proposed to who asks for yue or cmn"]),
        ("zh cmn", []),
        ("no en", []),
    ],
)
def test_whoever_lists_chinese_alone_is_told_by_whom_they_are_not_found(
    works_in: str, texts: list[str]
) -> None:
    therapist = replace(a_therapist(languages=frozenset(works_in.split())), id=TherapistId(id_of("ada")))

    assert [each.text for each in notes_on(2, therapist, THE_DAY) if each.field == "languages"] == texts
