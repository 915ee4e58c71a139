"""What client and therapist are never told, whoever they are: nothing that is not theirs to know."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from random import Random

from services.matching.domain import wording
from services.matching.domain.gates import Fit, Search, check
from services.matching.domain.languages import spoken
from services.matching.domain.pathways import pathways_of
from services.matching.domain.ranking import rank, search_for
from services.matching.domain.telling import age_band, for_client, for_therapist
from shared.ages import age_on
from shared.contract.intake import Flag
from shared.contract.matching import Shortlist
from shared.contract.vocabulary import Condition, FlagKind, PreferenceAbout, Variant
from shared.languages import language
from tests.matching.builders import RULES, THE_DAY, a_therapist
from tests.matching.random_matching import random_case, random_therapist
from tests.matching.shortlists import shortlist

CASES = 5_000
OWN_WORDS = "Quillfeather, since the move"
EVIDENCE = "said Quillfeather"
RISK = re.compile(
    r"suicid|self-?harm|kill|hurt|abus|risk|crisis|danger|psycho(?!ther)|alcohol|drug|flag|caution", re.I
)
CLINICAL = re.compile(
    r"\b(role|grief|deficits?|IPT|IPSRT|FB|AST|diagnos\w*|disorder|evidence|tier|points?|score)\b", re.I
)
SYSTEMIC = Variant.SYSTEMIC
SENSITIVE = [
    *(re.escape(each) for each in wording.CONDITIONS.values()),
    *(each for each in wording.LIFE_EVENTS.values() if each != "something else"),
    *wording.AFFIRMING.values(),
    r"\w*affirming|\w*aware|LGBT\w*|faith|neuro\w*",
    r"(wo)?m[ae]n|non-binary",
    r"IPSRT|IPT(-\w+)?|FB-IPT|bipolar|depress\w*|eating|diagnos\w*|disorder|condition",
]
"""Whatever a person may have answered that is nobody's to know before they are in therapy with them."""

COULD_GIVE_ON = re.compile(r"(Would suit you better with|Somebody else might suit you better with): [^:]+\.")


def random_fits() -> Iterator[tuple[Search, Fit]]:
    dice = Random(7)
    therapists = [random_therapist(dice) for _ in range(400)]
    made = 0
    while made < CASES:
        flag = Flag(kind=dice.choice(list(FlagKind)), field="story.in_own_words", evidence=EVIDENCE)
        search = search_for(random_case(dice, in_own_words=OWN_WORDS, flags=(flag,)), THE_DAY, RULES)
        for pathway in pathways_of(search.case, search.on, RULES.policy).fitting:
            for therapist in dice.sample(therapists, 20):
                fit = check(search, pathway, therapist, RULES.policy, RULES.places)
                if isinstance(fit, Fit):
                    made += 1
                    yield search, fit


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


def test_the_therapist_is_told_nothing_that_tells_who_it_is_or_what_they_live_with() -> None:
    for search, fit in random_fits():
        told = " ".join(for_therapist(search, fit))
        case = search.case
        outcode = (case.outcode or "").strip()
        works_in = fit.language.works_in
        others = [language(each) for each in case.languages if each not in works_in]

        assert "Quillfeather" not in told
        assert str(case.date_of_birth.year) not in told
        assert not outcode or not re.search(rf"\b{outcode}\b", told, re.I)
        assert not re.search(rf"\b{search.age}\b", told.replace(age_band(search.age), ""))
        assert not [word for word in SENSITIVE if re.search(rf"\b(?:{word})\b", told, re.I)]
        assert set(works_in) <= fit.therapist.languages
        assert len(works_in) == 1 or "zh" in case.languages
        # One name may be a part of another: Norwegian is of Norwegian Bokmål.
        assert not any(each in told.replace(spoken(fit.language), "") for each in others)
        assert not RISK.search(told)


def test_the_therapist_cannot_tell_apart_two_people_of_one_age_band() -> None:
    for search, fit in random_fits():
        case, pathway = search.case, fit.pathway
        other = date(case.date_of_birth.year, 1, 1)
        age = age_on(search.on, other)
        if age_band(age) != age_band(search.age):
            continue
        changed = {
            "date_of_birth": other,
            "outcode": "ZZ9",
            "in_own_words": "",
            "flags": (),
            "conditions": (),
            "diagnosed": None,
            "life_event": None,
            "max_fee_pence": None,
            "preferences": tuple(each for each in case.preferences if each.about is PreferenceAbout.APPROACH),
        }
        of_one_school = [each for each in Variant if (each is SYSTEMIC) == (pathway.variant is SYSTEMIC)]

        for variant in of_one_school:
            assert for_therapist(search, fit) == for_therapist(
                replace(search, case=case.model_copy(update=changed), age=age),
                replace(fit, pathway=pathway.model_copy(update={"variant": variant})),
            )


def test_who_else_is_in_the_directory_shows_in_nothing_but_what_the_client_could_give_on() -> None:
    dice, compared, by_others = Random(17), 0, 0
    for _ in range(300):
        therapists = [random_therapist(dice) for _ in range(100)]
        search = search_for(random_case(dice), THE_DAY, RULES)
        among = rank(search, therapists, RULES)
        for each in among.candidates if isinstance(among, Shortlist) else ():
            [own] = [one for one in therapists if one.id == each.therapist_id]
            alone = rank(search, [own], RULES)
            assert isinstance(alone, Shortlist)
            [told] = [one.for_client for one in alone.candidates]
            further = each.for_client[len(told) :]

            assert each.variant is not alone.candidates[0].variant or each.for_client[: len(told)] == told
            assert all(COULD_GIVE_ON.fullmatch(line) for line in further)
            compared, by_others = compared + 1, by_others + bool(further)
    assert compared > by_others > 50


def test_a_condition_that_nobody_named_is_not_said_back() -> None:
    knows = a_therapist("ada", conditions=frozenset({Condition.OTHER}))
    knows_not = a_therapist("ben", conditions=frozenset())

    for candidate in shortlist(knows, knows_not, conditions=(Condition.OTHER,)).candidates:
        assert "another condition" not in " ".join((*candidate.for_client, *candidate.for_therapist))
        assert "no_experience_named" not in [caution.code for caution in candidate.cautions]
