"""What client and therapist would be told: enough to decide by, and nothing that is not theirs to know."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from random import Random

import pytest

from services.matching.domain import wording
from services.matching.domain.gates import Fit, Search, check
from services.matching.domain.pathways import routes
from services.matching.domain.ranking import rank, search_for
from services.matching.domain.telling import age_band, for_client, for_therapist
from shared.contract.intake import CaseDetails, Flag, Preference
from shared.contract.matching import Shortlist
from shared.contract.vocabulary import Condition, FlagKind, Mode, PreferenceAbout, Strength
from tests.matching.builders import RULES, THE_DAY, a_search, a_therapist, born
from tests.matching.random_matching import random_case, random_therapist

CASES = 5_000
OWN_WORDS = "Quillfeather, since the move"
EVIDENCE = "said Quillfeather"
RISK = re.compile(
    r"suicid|self-?harm|kill|hurt|abus|risk|crisis|danger|psycho(?!ther)|alcohol|drug|flag|caution", re.I
)
CLINICAL = re.compile(
    r"\b(role|grief|deficits?|IPT|IPSRT|FB|AST|diagnos\w*|disorder|evidence|tier|points?|score)\b", re.I
)


def random_fits() -> Iterator[tuple[Search, Fit]]:
    dice = Random(7)
    therapists = [random_therapist(dice) for _ in range(400)]
    made = 0
    while made < CASES:
        flag = Flag(kind=dice.choice(list(FlagKind)), field="story.in_own_words", evidence=EVIDENCE)
        search = search_for(random_case(dice, in_own_words=OWN_WORDS, flags=(flag,)), THE_DAY, RULES)
        for pathway in routes(search.case, search.on, RULES.policy).pathways:
            for therapist in dice.sample(therapists, 20):
                fit = check(search, pathway, therapist, RULES.policy, RULES.places)
                if isinstance(fit, Fit):
                    made += 1
                    yield search, fit


def alike(search: Search, case: CaseDetails) -> Search:
    """Another person's search, alike in all that may be told."""
    return replace(search, case=case)


def test_the_client_is_told_no_word_of_risk_and_no_clinical_word_they_did_not_use() -> None:
    for search, fit in random_fits():
        told = " ".join(for_client(search, fit))
        used = " ".join(wording.CONDITIONS[each] for each in search.case.conditions)
        unused = [
            word
            for condition, word in wording.CONDITIONS.items()
            if condition not in search.case.conditions and condition is not Condition.OTHER
        ]

        assert not RISK.search(told)
        assert not CLINICAL.search(told.replace("bipolar disorder", "") if "bipolar" in used else told)
        assert not any(word in told for word in unused)
        assert "Quillfeather" not in told
        # The therapist's name is said by a person, with the decision.
        assert fit.therapist.name not in told


def test_the_therapist_is_told_nothing_that_tells_who_it_is() -> None:
    for search, fit in random_fits():
        told = " ".join(for_therapist(search, fit))
        birth, outcode = search.case.date_of_birth, (search.case.outcode or "").strip()

        assert "Quillfeather" not in told
        assert str(birth.year) not in told
        assert not outcode or not re.search(rf"\b{outcode}\b", told, re.I)
        assert not re.search(rf"\b{search.age}\b", told.replace(age_band(search.age), ""))
        assert not any(wording.CONDITIONS[each] in told for each in Condition)
        assert not RISK.search(told)


def test_the_therapist_cannot_tell_apart_two_people_of_one_age_band() -> None:
    for search, fit in random_fits():
        case = search.case
        other = date(case.date_of_birth.year, 1, 1)
        if age_band(a_search(date_of_birth=other).age) != age_band(search.age):
            continue
        changed = {
            "date_of_birth": other,
            "outcode": "ZZ9",
            "in_own_words": "",
            "flags": (),
            "conditions": (),
        }

        assert for_therapist(search, fit) == for_therapist(
            alike(search, case.model_copy(update=changed)), fit
        )


def test_the_client_is_told_the_same_whoever_else_is_in_the_directory() -> None:
    ada, search = a_therapist(), a_search()
    alone = rank(search, [ada], RULES)
    among = rank(search, [ada, *(a_therapist(name, fee_pence=5_000) for name in ("ben", "cem"))], RULES)

    assert isinstance(alone, Shortlist)
    assert isinstance(among, Shortlist)
    told = {each.therapist_id: each.for_client for each in among.candidates}
    assert told[ada.id] == alone.candidates[0].for_client


def test_an_adult_after_a_move_is_told_in_plain_words() -> None:
    found = rank(a_search(), [a_therapist()], RULES)

    assert isinstance(found, Shortlist)
    assert found.candidates[0].for_client == (
        "Interpersonal therapy, one to one, online.",
        "The sessions can be in English.",
        "Times that suit you both: Tuesday evening.",
        "A session costs £80.",
        "The therapist often works with changes in life, as in what you told us.",
        "The therapist has experience with depression, which you named.",
        "A woman: as you wished.",
    )
    assert found.candidates[0].for_therapist == (
        "For an adult from 25 to 39.",
        "IPT one to one, online.",
        "Points to role transitions.",
        "Times in common: Tuesday evening.",
        "Speaks English.",
        "Wishes for a therapist who is a woman (strong wish).",
    )


def test_a_wish_that_is_not_met_is_told_to_the_client() -> None:
    search = a_search(mode=Mode.IN_PERSON)
    found = rank(search, [a_therapist(gender="man")], RULES)

    assert isinstance(found, Shortlist)
    assert "A woman: which you wished for and this therapist is not." in found.candidates[0].for_client


def test_of_what_an_entry_does_not_say_the_client_is_not_told_that_it_is_not_so() -> None:
    wish = Preference(about=PreferenceAbout.LGBTQ_AFFIRMING, wish="yes", strength=Strength.STRONG)
    found = rank(a_search(preferences=(wish,)), [a_therapist(affirming=frozenset())], RULES)

    assert isinstance(found, Shortlist)
    said = [each for each in found.candidates[0].for_client if "wished for" in each]
    assert said == ["LGBTQ-affirming: which you wished for; this therapist's entry does not say so."]


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (7, "a child under 8"),
        (8, "a child from 8 to 12"),
        (12, "a child from 8 to 12"),
        (13, "a young person from 13 to 15"),
        (15, "a young person from 13 to 15"),
        (16, "a young person of 16 or 17"),
        (18, "an adult under 25"),
        (39, "an adult from 25 to 39"),
        (64, "an adult from 40 to 64"),
        (65, "an adult of 65 or older"),
        (103, "an adult of 65 or older"),
    ],
)
def test_an_age_is_told_as_a_band(age: int, band: str) -> None:
    assert age_band(a_search(date_of_birth=born(age)).age) == band
