"""Whom a gate keeps out leads nobody: a new group is not named, and one that gathers is joined no more."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.matching.domain.gates import Gate
from services.matching.domain.therapist import AgeGroup, Gender, Route
from shared.contract.event import Event
from shared.contract.ids import TherapistId
from shared.contract.intake import Preference, RequestSubmitted
from shared.contract.matching import MatchProposed, SeatRefusal, SeatUnavailable
from shared.contract.sealing import opened
from shared.contract.vocabulary import Format, Mode, PreferenceAbout, Strength, Variant
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import RULES, THE_DAY, a_registration, an_accreditation
from tests.matching.gathering import (
    Hear,
    a_choice,
    a_leader,
    group_on,
    in_directory,
    proposed,
    shown,
    somebody,
)
from tests.matching.seated import a_request_with_a_seat
from tests.support.builders import a_rematch

YESTERDAY = THE_DAY - timedelta(days=1)
STALE = THE_DAY - timedelta(days=RULES.policy.fresh_days + 1)
WISHES = (
    (PreferenceAbout.THERAPIST_GENDER, "woman"),
    (PreferenceAbout.APPROACH, "structured"),
    (PreferenceAbout.LGBTQ_AFFIRMING, "yes"),
)
MUSTS = tuple(Preference(about=about, wish=wish, strength=Strength.MUST) for about, wish in WISHES)

# Ada suits better than Ben, so that it is she who opens the first group.
ADA = a_leader("ada")
BEN = a_leader("ben", fee_pence=9000, problem_areas=frozenset(), conditions=frozenset())

FAILS: list[tuple[str, Gate, dict[str, Any]]] = [
    ("unregistered", Gate.REGISTRATION, {"registration": None}),
    ("registration lapsed", Gate.REGISTRATION, {"registration": a_registration(expires_on=YESTERDAY)}),
    ("unaccredited", Gate.ACCREDITATION, {"accreditations": (an_accreditation(Variant.IPT_G),)}),
    (
        "accreditation lapsed",
        Gate.ACCREDITATION,
        {"accreditations": (an_accreditation(Variant.IPT_AST, expires_on=YESTERDAY),)},
    ),
    (
        "KSA route",
        Gate.PRIVATE_PRACTICE,
        {"accreditations": (an_accreditation(Variant.IPT_AST, route=Route.KSA),)},
    ),
    ("sees adults alone", Gate.AGE_GROUP, {"age_groups": frozenset({AgeGroup.ADULTS})}),
    ("gives no groups", Gate.FORMAT, {"formats": frozenset({Format.INDIVIDUAL})}),
    ("another language", Gate.LANGUAGE, {"languages": frozenset({"cy"})}),
    ("online alone", Gate.MODE, {"modes": frozenset({Mode.ONLINE})}),
    ("too far", Gate.DISTANCE, {"outcode": "TW20"}),
    ("a penny too dear", Gate.FEE, {"fee_pence": 9001}),
    ("of another gender", Gate.MUST_HAVE, {"gender": Gender.MAN}),
    ("of another approach", Gate.MUST_HAVE, {"approaches": frozenset()}),
    ("not affirming", Gate.MUST_HAVE, {"affirming": frozenset()}),
    ("not confirmed of late", Gate.FRESH, {"confirmed_on": STALE}),
    ("free years ahead", Gate.START, {"free_from": THE_DAY + timedelta(days=2_000)}),
]
EACH_FAILURE = pytest.mark.parametrize(
    "change", [change for _, _, change in FAILS], ids=[name for name, _, _ in FAILS]
)
LATER = [(name, change) for name, gate, change in FAILS if gate is not Gate.FRESH]
"""What an import may bring; that an entry has grown old, time alone does."""


def a_client(**changes: Any) -> RequestSubmitted:
    """Somebody whom no gate lets go unasked."""
    told: dict[str, Any] = {
        "mode": Mode.IN_PERSON,
        "outcode": "E1",
        "max_distance_km": 5,
        "max_fee_pence": 9000,
        "preferences": MUSTS,
    }
    return somebody(**(told | changes))


def named_for_groups(said: list[Event]) -> set[TherapistId]:
    """Whose groups the shortlist among what was said names."""
    [proposal] = [each for each in said if isinstance(each, MatchProposed)]
    return {each.therapist_id for each in opened(proposal.shortlist).candidates if each.group is not None}


def test_every_gate_is_failed_by_somebody() -> None:
    # Who is excluded, and who has no seat, have tests of their own below.
    assert {gate for _, gate, _ in FAILS} == {*Gate} - {Gate.EXCLUDED, Gate.SEAT}


async def test_whoever_passes_every_gate_is_named(database: Database, hear: Hear) -> None:
    await in_directory(database, ADA, BEN)

    assert named_for_groups(await hear(a_client())) == {ADA.id, BEN.id}


@EACH_FAILURE
async def test_whoever_fails_a_gate_is_named_for_no_new_group(
    database: Database, hear: Hear, change: dict[str, Any]
) -> None:
    await in_directory(database, replace(ADA, **change), BEN)

    assert named_for_groups(await hear(a_client())) == {BEN.id}


async def test_whoever_has_no_seat_is_named_for_no_new_group(database: Database, hear: Hear) -> None:
    await in_directory(database, replace(ADA, seats_offered=1, seats_free=1), BEN)
    await a_request_with_a_seat(database, ADA)

    assert named_for_groups(await hear(a_client())) == {BEN.id}


@pytest.mark.parametrize("change", [change for _, change in LATER], ids=[name for name, _ in LATER])
async def test_a_group_whose_leader_fails_a_gate_by_now_is_neither_named_nor_joined(
    database: Database, hear: Hear, change: dict[str, Any]
) -> None:
    await in_directory(database, ADA)
    await hear(a_choice(await proposed(hear, a_client())))
    late = await proposed(hear, a_client())
    assert group_on(shown(late)).members == 1

    await in_directory(database, replace(ADA, **change), BEN)
    newcomer = await hear(a_client())
    refused, *fresh = await hear(a_choice(late))

    assert named_for_groups(newcomer) == {BEN.id}
    assert isinstance(refused, SeatUnavailable)
    assert refused.reason is SeatRefusal.NO_LONGER_ELIGIBLE
    assert named_for_groups(fresh) == {BEN.id}


async def test_a_group_whose_leader_nobody_has_confirmed_of_late_is_neither_named_nor_joined(
    database: Database, hear: Hear, clock: MovableClock
) -> None:
    await in_directory(database, replace(ADA, confirmed_on=STALE + timedelta(days=1)), BEN)
    await hear(a_choice(await proposed(hear, a_client())))
    late = await proposed(hear, a_client())

    clock.move(timedelta(days=1))
    newcomer = await hear(a_client())
    refused, *fresh = await hear(a_choice(late))

    assert shown(late).therapist_id == ADA.id
    assert named_for_groups(newcomer) == named_for_groups(fresh) == {BEN.id}
    assert isinstance(refused, SeatUnavailable)


async def test_a_group_is_neither_named_nor_joined_once_its_leader_no_longer_speaks_its_language(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, replace(ADA, languages=frozenset({"en", "pl"})))
    await hear(a_choice(await proposed(hear, a_client(languages=("en",)))))
    late = await proposed(hear, a_client(languages=("en", "pl")))

    await in_directory(database, replace(ADA, languages=frozenset({"pl"})), BEN)
    newcomer = await proposed(hear, a_client(languages=("en", "pl")))
    [refused, *_] = await hear(a_choice(late))

    assert [group_on(each).members for each in opened(newcomer.shortlist).candidates] == [0, 0]
    assert isinstance(refused, SeatUnavailable)


async def test_whoever_was_turned_down_is_named_neither_for_a_new_group_nor_for_one_that_gathers(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, ADA, BEN)
    before = await proposed(hear, a_client())
    turned_down = await hear(a_rematch(before, "ada"))
    await in_directory(database, replace(BEN, seats_offered=0, seats_free=0))
    await hear(a_choice(await proposed(hear, a_client())))

    await in_directory(database, BEN)
    again = await hear(a_rematch(before))

    assert named_for_groups(turned_down) == named_for_groups(again) == {BEN.id}
