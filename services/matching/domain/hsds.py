"""The directory for the public, in the shape of the Human Services Data Specification (Open Referral), 3.1.

One service a therapist, of those who can be proposed today. Nobody's address is in it: a place is the middle
of its postcode district.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from services.matching.domain.languages import language
from services.matching.domain.ranking import Rules
from services.matching.domain.therapist import Accreditation, Route, Therapist
from services.matching.domain.wording import AREAS, CONDITIONS, FORMATS, VARIANTS, joined
from shared.ages import day_in_london
from shared.contract.vocabulary import AgeGroup, Format, Mode, ProblemArea, Slot

Document = dict[str, Any]

NO_LIMIT = 120
"""The policy's last age stands for no limit."""

_PARTS = ("morning", "afternoon", "evening")


@dataclass(frozen=True, slots=True)
class Publication:
    """What an export depends on beside the directory."""

    organization: str
    rules: Rules
    now: datetime


def published(therapists: Iterable[Therapist], publication: Publication) -> Iterator[str]:
    """The services as one JSON array, one a line."""
    before = "[\n"
    for therapist in therapists:
        if held := _held_today(therapist, publication):
            yield before + json.dumps(service_of(therapist, held, publication), ensure_ascii=False)
            before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def service_of(therapist: Therapist, held: list[Accreditation], publication: Publication) -> Document:
    """What a therapist offers, with the organization, places and times that belong to it."""
    variants = joined([VARIANTS[each.variant] for each in held])
    formats = joined([FORMATS[each] for each in Format if each in therapist.formats])
    return {
        "id": str(therapist.id),
        "name": f"Therapy with {therapist.name}",
        "description": f"{variants}, {formats}." + _focus(therapist),
        "status": "active",
        "accreditations": f"Accredited for {variants}." + _registered(therapist),
        "assured_date": str(therapist.confirmed_on),
        **_ages(therapist, publication.rules),
        "organization": _organization(publication.organization),
        "service_at_locations": [_at(therapist, place) for place in _places(therapist, publication.rules)],
        "schedules": _schedules(therapist),
        "languages": [
            {"id": _id(therapist.id, f"language/{code}"), "name": language(code), "code": code}
            for code in sorted(therapist.languages)
        ],
        "cost_options": [
            {
                "id": _id(therapist.id, "cost"),
                "currency": "gbp",
                "amount": therapist.fee_pence / 100,
                "amount_description": "per session",
            }
        ],
        "capacities": [
            {
                "id": _id(therapist.id, "capacity"),
                "unit": {"id": _id(NAMESPACE_URL, "urn:attune:unit:seat"), "name": "seat"},
                "available": therapist.seats_free,
                "maximum": therapist.seats_offered,
                "description": "Clients who can be in therapy at the same time",
                "updated": publication.now.isoformat(timespec="milliseconds"),
            }
        ],
    }


def _held_today(therapist: Therapist, publication: Publication) -> list[Accreditation]:
    # What the gates ask of a therapist whoever the client is: a public list must promise no more.
    today = day_in_london(publication.now)
    stale = therapist.confirmed_on < today - timedelta(days=publication.rules.policy.fresh_days)
    registration = therapist.registration
    if stale or registration is None or registration.expires_on < today or not therapist.seats_offered:
        return []
    return [
        each for each in therapist.accreditations if each.expires_on >= today and each.route is not Route.KSA
    ]


def _focus(therapist: Therapist) -> str:
    areas = [AREAS[each] for each in ProblemArea if each in therapist.problem_areas]
    conditions = [word for each, word in CONDITIONS.items() if each in therapist.conditions]
    return f" Experienced with {joined(areas + conditions)}." if areas or conditions else ""


def _registered(therapist: Therapist) -> str:
    return f" Registered with {therapist.registration.body}." if therapist.registration else ""


def _ages(therapist: Therapist, rules: Rules) -> Document:
    spans = [rules.policy.age_groups[group] for group in AgeGroup if group in therapist.age_groups]
    oldest = max(span.last for span in spans)
    top = {} if oldest >= NO_LIMIT else {"maximum_age": oldest}
    groups = joined([each for each in AgeGroup if each in therapist.age_groups])
    return {
        "eligibility_description": f"For {groups}.",
        "minimum_age": min(span.first for span in spans),
        **top,
    }


def _organization(name: str) -> Document:
    return {
        "id": _id(NAMESPACE_URL, f"urn:attune:organization:{name}"),
        "name": name,
        "description": "Interpersonal psychotherapy and systemic therapy; ask here for a referral.",
    }


def _places(therapist: Therapist, rules: Rules) -> Iterator[Document]:
    position = rules.places.find(therapist.outcode)
    if Mode.IN_PERSON in therapist.modes and position is not None:
        yield {
            "id": _id(therapist.id, "location/in_person"),
            "location_type": "physical",
            "name": therapist.outcode,
            "description": "The middle of the postcode district; clients are told the address.",
            "latitude": position.latitude,
            "longitude": position.longitude,
            "external_identifier": therapist.outcode,
            "external_identifier_type": "UK postcode district",
        }
    if Mode.ONLINE in therapist.modes:
        yield {"id": _id(therapist.id, "location/online"), "location_type": "virtual", "name": "Online"}


def _at(therapist: Therapist, location: Document) -> Document:
    return {
        "id": _id(UUID(location["id"]), "at"),
        "service_id": str(therapist.id),
        "location_id": location["id"],
        "location": location,
    }


def _schedules(therapist: Therapist) -> list[Document]:
    begins = {} if therapist.free_from is None else {"valid_from": str(therapist.free_from)}
    found = []
    for part in _PARTS:
        days = [slot[:2].upper() for slot in Slot if slot in therapist.slots and slot.endswith(f"_{part}")]
        if days:
            found.append(
                {
                    "id": _id(therapist.id, f"schedule/{part}"),
                    "freq": "WEEKLY",
                    "interval": 1,
                    "byday": ",".join(days),
                    "wkst": "MO",
                    "description": f"In the {part}",
                    **begins,
                }
            )
    return found


def _id(of: UUID, what: str) -> str:
    # The same thing has the same id in every export.
    return str(uuid5(of, what))
