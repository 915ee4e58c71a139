"""What is said of an entry that has changed: what others may read, only if it differs, and at set times."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.matching.domain.directory_feed import news, public_entry, telling_began
from services.matching.domain.therapist import Therapist
from shared.contract.matching import (
    DirectoryEntry,
    TherapistChanged,
    TherapistListed,
)
from tests.matching.builders import a_registration, a_therapist, an_accreditation

ADA = a_therapist("ada")


def changed(now: Therapist) -> tuple[str, ...]:
    said = news(ADA.id, public_entry(ADA), public_entry(now))
    assert isinstance(said, TherapistChanged)
    assert said.entry == public_entry(now)
    return said.changed


def test_a_new_entry_is_listed_without_the_e_mail_address() -> None:
    said = news(ADA.id, None, public_entry(ADA))

    assert isinstance(said, TherapistListed)
    assert said.therapist_id == ADA.id
    assert "@" not in said.model_dump_json()


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"fee_pence": 9000}, ("fee_pence",)),
        ({"seats_free": 0}, ("has_seat",)),
        ({"languages": frozenset({"en", "pl"}), "outcode": "N1"}, ("outcode", "languages")),
        ({"registration": None}, ("registration",)),
        ({"registration": a_registration(number="SYN1")}, ("registration",)),
        ({"accreditations": (an_accreditation(cases=21),)}, ("accreditations",)),
        ({"confirmed_on": ADA.confirmed_on + timedelta(days=1)}, ("confirmed_on",)),
        ({"email": "new@therapists.example", "name": "Ada Renamed"}, ("name",)),
    ],
)
def test_a_change_names_the_fields_and_brings_the_whole_entry(
    change: dict[str, Any], fields: tuple[str, ...]
) -> None:
    assert changed(replace(ADA, **change)) == fields


@pytest.mark.parametrize("change", [{}, {"email": "new@therapists.example"}, {"seats_free": 1}])
def test_nothing_is_said_of_an_entry_that_is_the_same_to_others(change: dict[str, Any]) -> None:
    assert news(ADA.id, public_entry(ADA), public_entry(replace(ADA, **change))) is None


def test_every_field_of_an_entry_but_address_outcomes_and_the_count_of_free_seats_is_published() -> None:
    # Nobody outside is to make a league table of therapists, or to count who came and went.
    published = set(DirectoryEntry.model_fields) - {"has_seat"}

    assert published | {"id", "email", "outcomes", "seats_free"} == set(Therapist.__dataclass_fields__)


@pytest.mark.parametrize(
    ("hours", "began"),
    [(24, "2026-11-24T00:00"), (1, "2026-11-24T09:00"), (6, "2026-11-24T06:00"), (168, "2026-11-19T00:00")],
)
def test_others_are_told_at_the_same_hours_whatever_happens(hours: int, began: str) -> None:
    for minute in (0, 1, 59):
        now = datetime(2026, 11, 24, 9, minute, tzinfo=UTC)
        assert telling_began(now, hours) == datetime.fromisoformat(f"{began}+00:00")
