"""A synthetic directory of London therapists; the same seed and day always give the same people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import TypeVar
from uuid import UUID, uuid5

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
from shared.contract.vocabulary import Condition, Format, Mode, PreferenceAbout, ProblemArea, Slot, Variant

T = TypeVar("T")

_NAMESPACE = UUID("0f7c1f0a-52f4-5a0b-8a53-3f2b8f8c7d11")

# Surnames that nobody bears, so that no entry can be taken for a real person.
_GIVEN = """
    Ada Amara Anouk Arjun Asha Ben Bilal Bronwen Cai Cem Chidi Dalia Dara Dmitri Efua Elif Emeka Esme Farah
    Finn Gwen Hana Hugo Idris Ines Isla Jae Jonah Kavya Kofi Lara Leila Lucjan Mei Mina Musa Nadia Nia Noor
    Omar Petra Priya Quinn Rafael Rhian Rosa Rowan Sadia Sami Sefton Suki Tariq Tess Ugo Una Vesna Wren
    Yara Yusuf Zofia
"""
_FAMILY = """
    Sampleford Testerley Mockridge Fauxwell Placeholm Dummerton Exempley Fictonby Imaginham Pretendlow
    Specimendale Stubbsworth Synthwick Trialcombe Notrealby Madeupton Inventry Standinham Loremley Ipsumforth
    Demoridge Draftbury
"""

_VARIANTS = {
    Variant.IPT: 0.78,
    Variant.IPT_A: 0.26,
    Variant.IPT_AST: 0.10,
    Variant.FB_IPT: 0.09,
    Variant.IPT_G: 0.14,
    Variant.IPSRT: 0.12,
    Variant.SYSTEMIC: 0.34,
}
_LANGUAGES = {
    "bn": 3, "syl": 2, "pl": 5, "tr": 4, "gu": 4, "pa": 4, "ur": 5, "fr": 6, "bfi": 1, "pt": 5, "es": 7,
    "ar": 5, "it": 4, "so": 3, "ta": 3, "ro": 3, "de": 4, "el": 2, "fa": 2, "yo": 2, "ru": 2, "yue": 1,
    "cmn": 1, "cy": 1,
}  # fmt: skip
_BODIES = {Body.BACP: 40, Body.UKCP: 26, Body.HCPC: 18, Body.NCPS: 8, Body.NMC: 5, Body.GMC: 3}
_SEATS = {0: 14, 1: 18, 2: 22, 3: 18, 4: 14, 5: 8, 6: 6}
_MODES = {
    frozenset({Mode.ONLINE, Mode.IN_PERSON}): 58,
    frozenset({Mode.ONLINE}): 26,
    frozenset({Mode.IN_PERSON}): 16,
}
_AGES = {
    Variant.IPT: AgeGroup.ADULTS,
    Variant.IPT_G: AgeGroup.ADULTS,
    Variant.IPSRT: AgeGroup.ADULTS,
    Variant.SYSTEMIC: AgeGroup.ADULTS,
    Variant.IPT_A: AgeGroup.ADOLESCENTS,
    Variant.IPT_AST: AgeGroup.ADOLESCENTS,
    Variant.FB_IPT: AgeGroup.CHILDREN,
}


def synthetic_therapists(
    count: int, seed: int, as_of: date, outcodes: Mapping[str, int]
) -> Iterator[Therapist]:
    """`count` people; `outcodes` says how many postcodes each district has, and so how many live there."""
    if count > MOST:
        raise ValueError(f"there are names for {MOST} people and not for {count}")
    dice = _Dice(seed)
    names = [(given, family) for family in _FAMILY.split() for given in _GIVEN.split()]
    for number in range(count):
        name = names.pop(int(dice.roll() * len(names)))
        person = _person(dice, uuid5(_NAMESPACE, f"{seed}/{number}"), name, as_of, outcodes)
        yield _with_practice(_Dice(f"{seed}/{number}"), person, as_of)


MOST = len(_GIVEN.split()) * len(_FAMILY.split())
"""There are names for so many."""


class _Dice:
    # Only random() is promised to stay the same from one Python to the next.
    def __init__(self, seed: int | str) -> None:
        self.roll = Random(seed).random  # noqa: S311 - made-up people, not secrets

    def one(self, weighted: Mapping[T, float]) -> T:
        point = self.roll() * sum(weighted.values())
        for thing, weight in weighted.items():
            point -= weight
            if point < 0:
                return thing
        return next(reversed(list(weighted)))

    def chance(self, share: float) -> bool:
        return self.roll() < share

    def between(self, first: int, last: int) -> int:
        return first + int(self.roll() * (last - first + 1))

    def some(self, things: Sequence[T], share: float) -> frozenset[T]:
        return frozenset(thing for thing in things if self.chance(share))


def _person(
    dice: _Dice, identifier: UUID, name: tuple[str, str], as_of: date, outcodes: Mapping[str, int]
) -> Therapist:
    given, family = name
    ksa = dice.chance(0.04)
    accreditations = _accreditations(dice, as_of, ksa=ksa)
    variants = {held.variant for held in accreditations}
    ages = {_AGES[variant] for variant in variants}
    if Variant.SYSTEMIC in variants and dice.chance(0.5):
        ages |= {AgeGroup.CHILDREN, AgeGroup.ADOLESCENTS}
    seats = dice.one(_SEATS)
    return Therapist(
        id=TherapistId(identifier),
        name=f"{given} {family}",
        email=f"{given}.{family}@therapists.example".lower(),
        gender=dice.one({Gender.WOMAN: 64, Gender.MAN: 31, Gender.NON_BINARY: 5}),
        outcode=dice.one(outcodes),
        modes=dice.one(_MODES),
        formats=_formats(dice, variants),
        age_groups=frozenset(ages),
        languages=_languages(dice),
        fee_pence=dice.between(9, 28) * 500,
        seats_offered=seats,
        seats_free=seats,
        slots=_slots(dice),
        problem_areas=dice.some(list(ProblemArea), 0.6) or frozenset({ProblemArea.ROLE_TRANSITION}),
        conditions=_conditions(dice, variants),
        approaches=dice.some(list(Approach), 0.6) or frozenset({Approach.STRUCTURED}),
        affirming=dice.some(
            [
                PreferenceAbout.LGBTQ_AFFIRMING,
                PreferenceAbout.NEURODIVERGENCE_AFFIRMING,
                PreferenceAbout.FAITH_AWARE,
            ],
            0.45,
        ),
        registration=None if ksa else _registration(dice, as_of),
        accreditations=accreditations,
        confirmed_on=as_of,
    )


def _with_practice(dice: _Dice, person: Therapist, as_of: date) -> Therapist:
    """From when they are free and how their courses went, by dice of their own: nobody else changes by it."""
    cases = sum(held.cases for held in person.accreditations)
    return replace(
        person,
        free_from=as_of + timedelta(days=dice.between(3, 80)) if dice.chance(0.3) else None,
        outcomes=Outcomes(cases, dice.between(30, 80) + dice.between(10, 40)) if dice.chance(0.7) else None,
    )


def _accreditations(dice: _Dice, as_of: date, *, ksa: bool) -> tuple[Accreditation, ...]:
    variants = [variant for variant, share in _VARIANTS.items() if dice.chance(share)] or [Variant.IPT]
    return tuple(
        Accreditation(
            variant=variant,
            route=Route.KSA if ksa else Route.STANDARD,
            expires_on=_expiry(dice, as_of, lapsed=dice.chance(0.05)),
            cases=dice.between(2, 60) if dice.chance(0.85) else dice.between(0, 5),
        )
        for variant in variants
    )


def _registration(dice: _Dice, as_of: date) -> Registration:
    body = dice.one(_BODIES)
    number = f"SYN{dice.between(100_000, 999_999)}"
    return Registration(body, number, _expiry(dice, as_of, lapsed=dice.chance(0.05)))


def _expiry(dice: _Dice, as_of: date, *, lapsed: bool) -> date:
    # Live credentials run for years, so that a committed directory stays usable.
    days = -dice.between(20, 600) if lapsed else dice.between(1_100, 2_900)
    return as_of + timedelta(days=days)


def _formats(dice: _Dice, variants: set[Variant]) -> frozenset[Format]:
    formats = set()
    if variants & {Variant.IPT, Variant.IPT_A, Variant.IPSRT} or dice.chance(0.4):
        formats.add(Format.INDIVIDUAL)
    if variants & {Variant.IPT_AST, Variant.IPT_G}:
        formats.add(Format.GROUP)
    if Variant.FB_IPT in variants or (Variant.SYSTEMIC in variants and dice.chance(0.8)):
        formats.add(Format.FAMILY)
    if dice.chance(0.75 if Variant.SYSTEMIC in variants else 0.15):
        formats.add(Format.COUPLE)
    return frozenset(formats or {Format.INDIVIDUAL})


def _languages(dice: _Dice) -> frozenset[str]:
    languages = {"en"} if dice.chance(0.98) else set()
    while dice.chance(0.4) or not languages:
        languages.add(dice.one(_LANGUAGES))
    return frozenset(languages)


def _slots(dice: _Dice) -> frozenset[Slot]:
    chosen = frozenset(
        slot
        for slot in Slot
        if dice.chance(0.12 if slot.startswith(("sat", "sun")) else 0.5 if slot.endswith("evening") else 0.35)
    )
    return chosen or frozenset({Slot.WED_EVENING})


def _conditions(dice: _Dice, variants: set[Variant]) -> frozenset[Condition]:
    likely = {
        Condition.DEPRESSION: 0.9,
        Condition.ANXIETY: 0.6,
        Condition.BULIMIA_NERVOSA: 0.2,
        Condition.ANOREXIA_NERVOSA: 0.12,
        Condition.BIPOLAR_DISORDER: 0.9 if Variant.IPSRT in variants else 0.05,
        Condition.CHRONIC_FATIGUE: 0.12,
        Condition.RELATIONSHIP_CONFLICT: 0.9 if Variant.SYSTEMIC in variants else 0.4,
        Condition.PSYCHOSIS: 0.05,
    }
    return frozenset(condition for condition, share in likely.items() if dice.chance(share))
