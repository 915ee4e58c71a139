"""The public export: as the specification has it, true today, and without anybody's address."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from services.matching.domain.generating import synthetic_therapists
from services.matching.domain.hsds import Publication, published
from services.matching.domain.therapist import AgeGroup, Outcomes, Route, Therapist
from shared.contract.vocabulary import Format, Mode, Slot, Variant
from tests.matching.builders import RULES, THE_DAY, a_registration, a_therapist, an_accreditation

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PUBLICATION = Publication("Sample clinic", RULES, NOW, {})


def a_table(required: str, **properties: Any) -> dict[str, Any]:
    """A table of the specification: what it must hold, and the fields of it that we use."""
    return {
        "type": "object",
        "required": required.split(),
        "properties": {"id": {"type": "string", "format": "uuid"}} | properties,
        "additionalProperties": False,
    }


def many(table: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": table}


TEXT, NUMBER, ID = {"type": "string"}, {"type": "number"}, {"type": "string", "format": "uuid"}
DAY = {"type": "string", "format": "date"}

# Names, required fields and closed lists as in schema/*.json of github.com/openreferral/specification, 3.1.
ORGANIZATION = a_table("id name description", name=TEXT, description=TEXT)
LOCATION = a_table(
    "id location_type",
    location_type={"enum": ["physical", "postal", "virtual"]},
    name=TEXT,
    description=TEXT,
    latitude=NUMBER,
    longitude=NUMBER,
    external_identifier=TEXT,
    external_identifier_type=TEXT,
)
AT_LOCATION = a_table("id", service_id=ID, location_id=ID, location=LOCATION)
SCHEDULE = a_table(
    "id",
    freq={"enum": ["WEEKLY", "MONTHLY"]},
    interval=NUMBER,
    byday={"type": "string", "pattern": "^(MO|TU|WE|TH|FR|SA|SU)(,(MO|TU|WE|TH|FR|SA|SU))*$"},
    wkst={"enum": ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]},
    description=TEXT,
    valid_from=DAY,
)
SERVICE = a_table(
    "id name status",
    name=TEXT,
    description=TEXT,
    status={"enum": ["active", "inactive", "defunct", "temporarily closed"]},
    accreditations=TEXT,
    assured_date=DAY,
    alert=TEXT,
    eligibility_description=TEXT,
    minimum_age=NUMBER,
    maximum_age=NUMBER,
    organization=ORGANIZATION,
    service_at_locations=many(AT_LOCATION),
    schedules=many(SCHEDULE),
    languages=many(a_table("id", name=TEXT, code=TEXT)),
    cost_options=many(a_table("id", currency=TEXT, amount=NUMBER, amount_description=TEXT)),
)


def export(*therapists: Therapist, publication: Publication = PUBLICATION) -> list[dict[str, Any]]:
    services: list[dict[str, Any]] = json.loads("".join(published(therapists, publication)))
    return services


def test_an_export_is_as_the_specification_has_it() -> None:
    services = export(
        *synthetic_therapists(120, 7, THE_DAY, RULES.places.postcodes),
        a_therapist("cleo", free_from=date(2027, 1, 4)),
    )

    assert len(services) > 60
    validator = Draft202012Validator(many(SERVICE), format_checker=FormatChecker())
    assert [error.message for error in validator.iter_errors(services)] == []


def test_every_id_is_one_thing_and_the_same_in_every_export() -> None:
    therapists = [a_therapist("ada"), a_therapist("ben")]

    first = export(*therapists)
    later = export(*therapists, publication=replace(PUBLICATION, now=NOW + timedelta(days=1)))

    ids = [each for service in first for each in ids_in(service)]
    own = [each for each in ids if each != first[0]["organization"]["id"]]
    assert len(own) == len(set(own))
    assert [each for service in later for each in ids_in(service)] == ids


def ids_in(document: Any) -> list[str]:
    if isinstance(document, list):
        return [each for part in document for each in ids_in(part)]
    if not isinstance(document, dict):
        return []
    return [str(UUID(document["id"])), *(each for part in document.values() for each in ids_in(part))]


def test_nobodys_address_number_or_outcome_is_in_it() -> None:
    ada = a_therapist(outcomes=Outcomes(20, 85))

    text = "".join(published([ada], PUBLICATION))

    assert "@" not in text
    assert ada.registration is not None
    assert ada.registration.number not in text
    assert "outcome" not in text


def test_what_a_therapist_offers_is_told_in_the_words_of_the_specification() -> None:
    [service] = export(
        a_therapist(
            accreditations=(an_accreditation(Variant.IPSRT), an_accreditation(Variant.IPT_A)),
            age_groups=frozenset({AgeGroup.ADOLESCENTS}),
            slots=frozenset({Slot.TUE_EVENING, Slot.WED_EVENING, Slot.SAT_MORNING}),
            languages=frozenset({"en", "pl"}),
            fee_pence=8250,
            seats_offered=4,
            seats_free=1,
            free_from=date(2027, 1, 4),
        )
    )

    assert service["name"] == "Therapy with Ada Sampleford"
    assert service["description"].startswith("IPT-A and IPSRT, one to one")
    assert service["accreditations"] == "Accredited for IPT-A and IPSRT. Registered with BACP."
    assert service["assured_date"] == str(THE_DAY)
    assert (service["minimum_age"], service["maximum_age"]) == (12, 18)
    assert [(each["byday"], each["description"], each["valid_from"]) for each in service["schedules"]] == [
        ("SA", "In the morning", "2027-01-04"),
        ("TU,WE", "In the evening", "2027-01-04"),
    ]
    assert [(each["code"], each["name"]) for each in service["languages"]] == [
        ("en", "English"),
        ("pl", "Polish"),
    ]
    assert service["cost_options"][0]["amount"] == 82.5
    assert service["organization"]["name"] == "Sample clinic"


def test_who_works_with_adults_has_no_upper_age() -> None:
    [service] = export(
        a_therapist(
            accreditations=(an_accreditation(Variant.IPSRT),),
            age_groups=frozenset({AgeGroup.ADOLESCENTS, AgeGroup.ADULTS}),
        )
    )

    assert service["minimum_age"] == 12
    assert "maximum_age" not in service
    assert service["eligibility_description"] == "For ages 12 and over."


def test_no_age_is_promised_that_no_form_is_for() -> None:
    [service] = export(
        a_therapist(
            accreditations=(an_accreditation(Variant.IPT), an_accreditation(Variant.FB_IPT)),
            age_groups=frozenset(AgeGroup),
            formats=frozenset({Format.INDIVIDUAL, Format.FAMILY}),
        )
    )

    assert service["eligibility_description"] == "For ages 7 to 12 and 18 and over."
    assert service["description"].startswith("IPT, one to one; FB-IPT, ")


def test_a_variant_is_promised_in_no_format_that_it_is_not_given_in() -> None:
    [service] = export(
        a_therapist(
            accreditations=(an_accreditation(Variant.IPT), an_accreditation(Variant.IPT_AST)),
            age_groups=frozenset(AgeGroup),
            formats=frozenset({Format.COUPLE}),
        )
    )

    assert service["accreditations"].startswith("Accredited for IPT. ")
    assert service["minimum_age"] == 18


@pytest.mark.parametrize(
    ("modes", "kinds"),
    [
        ({Mode.IN_PERSON}, ["physical"]),
        ({Mode.ONLINE}, ["virtual"]),
        ({Mode.IN_PERSON, Mode.ONLINE}, ["physical", "virtual"]),
    ],
)
def test_a_place_is_the_middle_of_its_district_and_online_is_none(modes: set[Mode], kinds: list[str]) -> None:
    [service] = export(a_therapist(modes=frozenset(modes)))

    places = [each["location"] for each in service["service_at_locations"]]
    assert [place["location_type"] for place in places] == kinds
    for place in places:
        if place["location_type"] == "physical":
            e2 = RULES.places.positions["E2"]
            assert (place["external_identifier"], place["name"]) == ("E2", "E2")
            assert (place["latitude"], place["longitude"]) == (e2.latitude, e2.longitude)
        else:
            assert "latitude" not in place


YESTERDAY = THE_DAY - timedelta(days=1)


@pytest.mark.parametrize(
    "change",
    [
        {"registration": None},
        {"registration": a_registration(expires_on=YESTERDAY)},
        {"accreditations": (an_accreditation(expires_on=YESTERDAY),)},
        {"accreditations": (an_accreditation(route=Route.KSA),)},
        {"seats_offered": 0, "seats_free": 0},
        {"accreditations": (an_accreditation(),), "age_groups": frozenset({AgeGroup.CHILDREN})},
        {"accreditations": (an_accreditation(),), "formats": frozenset({Format.GROUP})},
        {"confirmed_on": THE_DAY - timedelta(days=RULES.policy.fresh_days + 1)},
        {"free_from": THE_DAY + timedelta(weeks=RULES.policy.latest_start_weeks, days=1)},
    ],
)
def test_who_cannot_be_proposed_today_is_not_in_it(change: dict[str, Any]) -> None:
    assert export(a_therapist(**change)) == []


def test_only_what_is_held_today_is_named() -> None:
    [service] = export(
        a_therapist(
            accreditations=(
                an_accreditation(Variant.IPT, expires_on=THE_DAY),
                an_accreditation(Variant.IPT_A, expires_on=YESTERDAY),
                an_accreditation(Variant.IPSRT, route=Route.KSA),
            )
        )
    )

    assert service["accreditations"] == "Accredited for IPT. Registered with BACP."


def test_who_is_full_is_called_so_as_far_as_others_know_and_nobody_s_seats_are_counted() -> None:
    ada, ben = a_therapist("ada", seats_free=0), a_therapist("ben", seats_free=0)

    services = export(ada, ben, publication=replace(PUBLICATION, seats={ada.id: False, ben.id: True}))
    not_told = export(ada)

    assert [each.get("alert") for each in services] == ["Takes no new clients at present.", None]
    assert "alert" not in not_told[0]
    assert export(ada) == export(replace(ada, seats_free=3))
