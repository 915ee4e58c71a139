"""A synthetic register of a whole country, and clients in London who look for somebody in it."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from uuid import UUID

from services.matching.domain.place import Places, Position
from services.matching.domain.therapist import (
    Accreditation,
    AgeGroup,
    Approach,
    Body,
    Gender,
    Outcomes,
    Registration,
    Route,
    Therapist,
)
from shared.contract.ids import TherapistId
from shared.contract.intake import CaseDetails, Preference
from shared.contract.vocabulary import (
    Condition,
    Format,
    LifeEvent,
    Mode,
    PreferenceAbout,
    ProblemArea,
    Slot,
    Strength,
    Therapy,
    Variant,
)

THE_DAY = date(2026, 11, 24)
DISTRICTS = 2_500
IN_LONDON = 0.24
WITH_A_SEAT = 0.45

_HELD = {
    Variant.IPT: 0.25,
    Variant.IPT_A: 0.10,
    Variant.IPT_AST: 0.04,
    Variant.FB_IPT: 0.04,
    Variant.IPT_G: 0.06,
    Variant.IPSRT: 0.05,
    Variant.SYSTEMIC: 0.14,
}
_LANGUAGES = [
    "pl",
    "bn",
    "gu",
    "pa",
    "ur",
    "fr",
    "pt",
    "es",
    "ar",
    "it",
    "so",
    "ta",
    "ro",
    "de",
    "el",
    "fa",
    "cy",
]
_AFFIRMING = (
    PreferenceAbout.LGBTQ_AFFIRMING,
    PreferenceAbout.NEURODIVERGENCE_AFFIRMING,
    PreferenceAbout.FAITH_AWARE,
)


def country(london: Places) -> Places:
    """London's districts, and made-up ones all over Great Britain."""
    dice = Random(11)
    made_up = {
        f"XX{number}": Position(dice.uniform(50.2, 57.5), dice.uniform(-4.5, 1.5))
        for number in range(DISTRICTS)
    }
    return Places(dict(london.positions) | made_up, {})


def register(count: int, places: Places, seed: int = 1) -> Iterator[Therapist]:
    """So many therapists, one after the other, so that a million of them need not be held at once."""
    dice = Random(seed)
    districts = list(places.positions)
    london, elsewhere = districts[:-DISTRICTS], districts[-DISTRICTS:]
    for _ in range(count):
        seats = dice.randint(1, 8)
        yield Therapist(
            id=TherapistId(UUID(int=dice.getrandbits(128), version=4)),
            name="Rowan Sampleford",
            email="rowan@therapists.example",
            gender=dice.choices([Gender.WOMAN, Gender.MAN, Gender.NON_BINARY], [70, 28, 2])[0],
            outcode=dice.choice(london if dice.random() < IN_LONDON else elsewhere),
            modes=dice.choices(
                [
                    frozenset({Mode.ONLINE, Mode.IN_PERSON}),
                    frozenset({Mode.ONLINE}),
                    frozenset({Mode.IN_PERSON}),
                ],
                [60, 22, 18],
            )[0],
            formats=frozenset({Format.INDIVIDUAL} | {each for each in Format if dice.random() < 0.25}),
            age_groups=frozenset({AgeGroup.ADULTS} | {each for each in AgeGroup if dice.random() < 0.25}),
            languages=frozenset({"en"} | set(dice.sample(_LANGUAGES, dice.choice([0, 0, 0, 1, 2])))),
            fee_pence=min(18_000, max(3_000, round(dice.gauss(7_000, 1_900) / 500) * 500)),
            seats_offered=seats,
            seats_free=dice.randint(1, seats) if dice.random() < WITH_A_SEAT else 0,
            slots=frozenset(dice.sample(list(Slot), dice.randint(3, 12))),
            problem_areas=frozenset(dice.sample(list(ProblemArea), dice.randint(1, 4))),
            conditions=frozenset(dice.sample(list(Condition), dice.randint(1, 5))),
            approaches=frozenset(dice.sample(list(Approach), dice.randint(1, 2))),
            affirming=frozenset(each for each in _AFFIRMING if dice.random() < 0.4),
            registration=Registration(Body.BACP, "SYN100000", _expiry(dice)),
            accreditations=tuple(
                Accreditation(
                    variant,
                    Route.KSA if dice.random() < 0.04 else Route.STANDARD,
                    _expiry(dice),
                    dice.randint(0, 60),
                )
                for variant, share in _HELD.items()
                if dice.random() < share
            ),
            confirmed_on=THE_DAY - timedelta(days=dice.randint(0, 130)),
            free_from=None if dice.random() < 0.6 else THE_DAY + timedelta(days=dice.randint(-20, 140)),
            outcomes=Outcomes(dice.randint(0, 90), round(dice.gauss(80, 30)))
            if dice.random() < 0.7
            else None,
        )


def price_of(therapist_id: UUID) -> int:
    """What somebody costs in the order of a list; two in three cost nothing."""
    return therapist_id.int % 400 if therapist_id.int % 3 == 0 else 0


def _expiry(dice: Random) -> date:
    return THE_DAY + timedelta(days=dice.randint(-40, 900))


def clients(count: int, places: Places, seed: int = 2) -> list[CaseDetails]:
    """Requests as they come: mostly adults, one to one, online or within a few kilometres."""
    dice = Random(seed)
    london = list(places.positions)[:-DISTRICTS]
    return [_client(dice, london) for _ in range(count)]


def _client(dice: Random, london: list[str]) -> CaseDetails:
    age = dice.choices([8, 12, 14, 17, 25, 40, 60], [3, 4, 8, 5, 30, 35, 15])[0]
    form = dice.choices(list(Format), [78, 10, 7, 5])[0]
    return CaseDetails(
        date_of_birth=date(THE_DAY.year - age, dice.randint(1, 10), dice.randint(1, 28)),
        outcode=dice.choice(london),
        therapy=dice.choices([Therapy.IPT, Therapy.EITHER, Therapy.SYSTEMIC], [60, 30, 10])[0],
        mode=dice.choices([Mode.IN_PERSON, Mode.ONLINE, Mode.EITHER], [45, 35, 20])[0],
        format=Format.FAMILY if age < 12 else form,
        max_distance_km=dice.choice([2, 5, 8, 12, None]),
        max_fee_pence=dice.choice([5_000, 6_000, 7_000, 8_000, 10_000, 12_000, None]),
        availability=tuple(dice.sample(list(Slot), dice.randint(2, 8))),
        languages=("en",) if dice.random() < 0.9 else (dice.choice(_LANGUAGES), "en"),
        problem_areas=tuple(dice.sample(list(ProblemArea), dice.randint(0, 2))),
        life_event=dice.choice([None, *LifeEvent]),
        conditions=tuple(dice.sample(list(Condition)[:5], dice.randint(0, 2))),
        diagnosed=dice.choice([True, False, None]),
        preferences=_wishes(dice),
        attending_adult=age < 16,
    )


def _wishes(dice: Random) -> tuple[Preference, ...]:
    wishes = []
    if dice.random() < 0.4:
        strength = dice.choices([Strength.SLIGHT, Strength.STRONG, Strength.MUST], [40, 40, 20])[0]
        gender = dice.choices(["woman", "man"], [70, 30])[0]
        wishes.append(Preference(about=PreferenceAbout.THERAPIST_GENDER, wish=gender, strength=strength))
    wishes += [
        Preference(about=about, wish="yes", strength=Strength.STRONG)
        for about in _AFFIRMING
        if dice.random() < 0.12
    ]
    return tuple(wishes)
