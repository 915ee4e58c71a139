"""What would change the order: only what truly does, the smallest of its kind, said of the client alone."""

from dataclasses import replace
from typing import Any

import pytest

from services.matching.domain.conceding import concessions
from services.matching.domain.engine import Engine, entry_of
from services.matching.domain.ranking import rank
from services.matching.domain.therapist import Gender, Therapist
from shared.contract.ids import TherapistId
from shared.contract.intake import Flag, Preference
from shared.contract.matching import Concession, NothingFound, Shortlist
from shared.contract.vocabulary import FlagKind, Format, Mode, PreferenceAbout, Slot, Strength, Therapy
from tests.matching.builders import RULES, THE_DAY, a_search, a_therapist, an_accreditation, born
from tests.support.builders import a_flag, id_of

PLAIN: dict[str, Any] = {
    "mode": Mode.ONLINE,
    "outcode": "E2",
    "max_fee_pence": 8_000,
    "availability": (Slot.TUE_EVENING,),
    "preferences": (),
}
FIRST = a_therapist("ada", approaches=frozenset(), slots=frozenset({Slot.TUE_EVENING}), fee_pence=7_000)


def better(**changes: Any) -> Therapist:
    """Somebody who would lead by what the client named, if only the client gave on something."""
    return replace(a_therapist("ben", slots=frozenset({Slot.TUE_EVENING}), fee_pence=6_000), **changes)


def must(about: PreferenceAbout, wish: str = "yes") -> Preference:
    return Preference(about=about, wish=wish, strength=Strength.MUST)


def conceded(case: dict[str, Any], *others: Therapist) -> list[Concession]:
    return list(rank(a_search(**(PLAIN | case)), [FIRST, *others], RULES).concessions)


def test_nothing_is_named_where_nothing_would_change() -> None:
    assert conceded({}) == []
    assert conceded({}, better()) == []


@pytest.mark.parametrize(
    ("case", "other", "code", "text"),
    [
        ({"max_fee_pence": 7_000}, {"fee_pence": 7_500}, "fee", "up to £80 a session instead of £70"),
        ({"max_fee_pence": 7_000}, {"fee_pence": 8_500}, "fee", "up to £90 a session instead of £70"),
        ({}, {"modes": frozenset({Mode.IN_PERSON})}, "mode", "sessions in person as well"),
        (
            {"mode": Mode.IN_PERSON, "max_distance_km": 2},
            {"outcode": "N1", "modes": frozenset({Mode.IN_PERSON})},
            "distance",
            "up to 7 km away instead of 2 km",
        ),
        (
            {"preferences": (must(PreferenceAbout.THERAPIST_GENDER, "woman"),)},
            {"gender": Gender.MAN, "seats_free": 4},
            "preference",
            "ideally a woman, but not necessarily",
        ),
        (
            {"preferences": (must(PreferenceAbout.APPROACH, "structured"),)},
            {"approaches": frozenset(), "seats_free": 4},
            "preference",
            "ideally structured in approach, but not necessarily",
        ),
        (
            {"preferences": (must(PreferenceAbout.LGBTQ_AFFIRMING),)},
            {"affirming": frozenset(), "seats_free": 4},
            "preference",
            "ideally LGBTQ-affirming, but not necessarily",
        ),
        ({"mode": Mode.IN_PERSON}, {"modes": frozenset({Mode.ONLINE})}, "mode", "online sessions as well"),
    ],
)
def test_the_smallest_concession_of_a_kind_is_named(
    case: dict[str, Any], other: dict[str, Any], code: str, text: str
) -> None:
    weak = replace(FIRST, problem_areas=frozenset(), conditions=frozenset(), seats_free=1)
    strong = better(**other)
    search = a_search(**(PLAIN | {"max_fee_pence": 9_000} | case))

    found = rank(search, [weak, strong], RULES)

    named = [(each.code, each.text, each.therapist_id) for each in found.concessions]
    assert (code, text, strong.id) in named
    assert [each[0] for each in named].count(code) == 1


def test_times_that_bring_somebody_to_the_top_are_named_two_at_most() -> None:
    slots = frozenset({Slot.MON_MORNING, Slot.FRI_EVENING, Slot.SAT_MORNING})
    strong = replace(FIRST, id=TherapistId(id_of("ben")), slots=slots)
    newer = replace(FIRST, accreditations=(an_accreditation(cases=10),))

    named = list(rank(a_search(**PLAIN), [newer, strong], RULES).concessions)

    assert [each.code for each in named] == ["times", "times"]
    assert {each.text for each in named} <= {
        "Monday mornings as well",
        "Friday evenings as well",
        "Saturday mornings as well",
    }
    assert {each.therapist_id for each in named} == {strong.id}


def test_who_does_not_score_higher_is_not_named_even_if_they_would_come_first() -> None:
    polish = replace(FIRST, languages=frozenset({"pl"}), accreditations=(an_accreditation(cases=20),))
    equal = replace(
        FIRST, id=TherapistId(id_of("ben")), accreditations=(an_accreditation(cases=34),)
    )  # a language that is not preferred brings 35 points less, which 14 courses outweigh
    better = replace(equal, accreditations=(an_accreditation(cases=35),))

    def found(other: Therapist) -> list[str]:
        search = a_search(**(PLAIN | {"languages": ("pl",)}))
        return [each.text for each in rank(search, [polish, other], RULES).concessions]

    assert equal.id < polish.id
    assert found(equal) == []
    assert found(better) == ["sessions in English as well"]


@pytest.mark.parametrize(("cases", "named"), [(36, []), (38, []), (40, ["Monday mornings as well"])])
def test_a_time_that_brings_somebody_to_the_top_by_a_price_alone_is_not_named(
    cases: int, named: list[str]
) -> None:
    dear = replace(FIRST, accreditations=(an_accreditation(cases=38),))
    other = replace(
        FIRST,
        id=TherapistId(id_of("ben")),
        slots=frozenset({Slot.MON_MORNING}),
        accreditations=(an_accreditation(cases=cases),),
    )
    engine = Engine(RULES.policy, RULES.places, THE_DAY)
    engine.put([entry_of(each) for each in (dear, other)])
    engine.set_prices({dear.id: 20})
    search = a_search(**PLAIN)

    [first] = engine.best(search, 1)

    assert first.therapist_id == dear.id
    assert [each.text for each in concessions(search, engine, RULES.policy, first)] == named


def test_five_are_named_at_most_the_most_worth_first() -> None:
    case = PLAIN | {
        "max_fee_pence": 7_000,
        "preferences": (must(PreferenceAbout.THERAPIST_GENDER, "woman"),),
        "languages": ("pl",),
    }
    polish = frozenset({"pl"})
    weak = replace(FIRST, languages=polish, problem_areas=frozenset(), conditions=frozenset(), seats_free=1)
    others = [
        replace(
            weak,
            id=TherapistId(id_of("slots")),
            slots=frozenset({Slot.MON_MORNING, Slot.FRI_EVENING}),
            accreditations=(an_accreditation(cases=36),),
        ),
        better(id=id_of("fee"), languages=polish, fee_pence=7_500),
        better(id=id_of("man"), languages=polish, gender=Gender.MAN, seats_free=2),
        better(id=id_of("room"), languages=polish, modes=frozenset({Mode.IN_PERSON}), seats_free=3),
        better(id=id_of("english"), seats_free=3),
    ]

    named = rank(a_search(**case), [weak, *others], RULES).concessions

    assert [each.code for each in named] == ["mode", "fee", "language", "preference", "times"]
    assert [each.score for each in named] == sorted((each.score for each in named), reverse=True)


@pytest.mark.parametrize("mode", [Mode.IN_PERSON, Mode.ONLINE])
def test_who_lives_nobody_knows_where_is_not_promised_anybody_in_person(mode: Mode) -> None:
    in_person = replace(FIRST, modes=frozenset({Mode.IN_PERSON}))

    found = rank(a_search(**(PLAIN | {"outcode": None, "mode": mode})), [in_person], RULES)

    assert found.concessions == ()


def test_a_child_whom_nothing_fits_hears_that_an_adult_who_comes_along_would_help() -> None:
    case = PLAIN | {"date_of_birth": born(9)}
    found = rank(a_search(**case), [FIRST], RULES)

    assert isinstance(found, NothingFound)
    assert [(each.code, each.text) for each in found.concessions] == [
        ("attending_adult", "an adult who comes to every session")
    ]
    assert isinstance(rank(a_search(**(case | {"attending_adult": True})), [FIRST], RULES), Shortlist)


@pytest.mark.parametrize(
    ("asked", "offered", "text"),
    [
        (Format.COUPLE, Format.INDIVIDUAL, "sessions one to one instead of as a couple"),
        (Format.INDIVIDUAL, Format.COUPLE, "sessions as a couple instead of one to one"),
        (Format.GROUP, Format.INDIVIDUAL, "sessions one to one instead of in a group"),
        (Format.COUPLE, Format.GROUP, None),
    ],
)
def test_another_format_is_named_where_nobody_gives_that_which_is_asked_for(
    asked: Format, offered: Format, text: str | None
) -> None:
    other = replace(FIRST, formats=frozenset({offered}))
    search = a_search(**(PLAIN | {"format": asked}))

    found = rank(search, [other], RULES)

    assert [(each.code, each.text) for each in found.concessions] == [("format", text)] * bool(text)


@pytest.mark.parametrize("sign", [FlagKind.BEING_HURT, FlagKind.CHILD_AT_RISK])
@pytest.mark.parametrize("together", [Format.COUPLE, Format.FAMILY])
def test_who_may_be_being_hurt_is_not_told_to_come_with_a_partner_or_family(
    together: Format, sign: FlagKind
) -> None:
    other = replace(FIRST, formats=frozenset({together}))
    case = PLAIN | {"therapy": Therapy.SYSTEMIC}

    def named(*flags: Flag) -> list[str]:
        found = rank(a_search(**(case | {"flags": flags})), [other], RULES)
        return [each.code for each in found.concessions]

    assert named() == ["format"]
    assert named(a_flag(FlagKind.SELF_HARM)) == ["format"]
    assert named(a_flag(sign)) == []


@pytest.mark.parametrize("sign", [FlagKind.BEING_HURT, FlagKind.CHILD_AT_RISK])
def test_a_child_who_may_be_being_hurt_is_not_told_to_bring_an_adult(sign: FlagKind) -> None:
    def named(*flags: Flag) -> list[str]:
        found = rank(a_search(**(PLAIN | {"date_of_birth": born(9), "flags": flags})), [FIRST], RULES)
        return [each.code for each in found.concessions]

    assert named(a_flag(FlagKind.SELF_HARM)) == ["attending_adult"]
    assert named(a_flag(sign)) == []


def test_who_may_be_being_hurt_still_hears_of_sessions_one_to_one() -> None:
    other = replace(FIRST, formats=frozenset({Format.INDIVIDUAL}))
    search = a_search(**(PLAIN | {"format": Format.COUPLE, "flags": (a_flag(FlagKind.BEING_HURT),)}))

    assert [each.code for each in rank(search, [other], RULES).concessions] == ["format"]


def test_who_finds_somebody_is_not_asked_for_another_format() -> None:
    weak = replace(FIRST, formats=frozenset({Format.COUPLE}), problem_areas=frozenset())

    assert rank(a_search(**(PLAIN | {"format": Format.COUPLE})), [weak, better()], RULES).concessions == ()
    assert conceded({"format": Format.COUPLE}, better(formats=frozenset({Format.INDIVIDUAL}))) == []


def test_no_concession_leads_into_a_group_whose_time_nobody_knows() -> None:
    dear = replace(FIRST, fee_pence=8_500)

    assert rank(a_search(**(PLAIN | {"format": Format.GROUP})), [dear], RULES).concessions == ()


def test_whoever_finds_nobody_hears_what_would_help() -> None:
    search = a_search(**(PLAIN | {"max_fee_pence": 6_500}))

    found = rank(search, [FIRST], RULES)

    assert found.concessions[0].code == "fee"
    assert found.concessions[0].name == FIRST.name
    assert FIRST.name not in found.concessions[0].text
