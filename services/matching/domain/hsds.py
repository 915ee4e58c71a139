"""The directory for the public, in the shape of the Human Services Data Specification (Open Referral), 3.1.

One service a therapist, of those who can be proposed today. Nobody's address is in it: a place is the middle
of its postcode district.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from services.matching.domain.gates import begins_in_time, credentials, is_fresh
from services.matching.domain.ranking import Rules
from services.matching.domain.therapist import Accreditation, Therapist
from services.matching.domain.wording import AREAS, CONDITIONS, FORMATS, VARIANTS, joined
from shared.ages import day_in_london
from shared.contract.ids import TherapistId
from shared.contract.vocabulary import AgeGroup, Format, Mode, ProblemArea, Slot, Variant
from shared.languages import language

Document = dict[str, Any]

NO_LIMIT = 120
"""The policy's last age stands for no limit."""

FULL = "Takes no new clients at present."

_PARTS = ("morning", "afternoon", "evening")


@dataclass(frozen=True, slots=True)
class Publication:
    """What an export depends on beside the directory."""

    organization: str
    rules: Rules
    now: datetime
    seats: Mapping[TherapistId, bool]
    """Whether each has a seat free, as far as others know."""


class Offer(NamedTuple):
    """A form of therapy that somebody may be proposed for today, and the ages that they see in it."""

    variant: Variant
    format: Format
    youngest: int
    oldest: int


def published(therapists: Iterable[Therapist], publication: Publication) -> Iterator[str]:
    """The services as one JSON array, one a line."""
    before = "[\n"
    for therapist in therapists:
        if offers := _offers(therapist, publication):
            yield before + json.dumps(service_of(therapist, offers, publication), ensure_ascii=False)
            before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def service_of(therapist: Therapist, offers: list[Offer], publication: Publication) -> Document:
    """What a therapist offers, with the organization, places and times that belong to it."""
    variants = joined([VARIANTS[each] for each in Variant if any(each is offer.variant for offer in offers)])
    return {
        "id": str(therapist.id),
        "name": f"Therapy with {therapist.name}",
        "description": _by_format(offers) + _focus(therapist),
        "status": "active",
        "accreditations": f"Accredited for {variants}." + _registered(therapist),
        "assured_date": str(therapist.confirmed_on),
        # How many seats are free, and since when, would tell of clients.
        **({} if publication.seats.get(therapist.id, True) else {"alert": FULL}),
        **_ages(offers),
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
    }


def _offers(therapist: Therapist, publication: Publication) -> list[Offer]:
    # What the gates ask of a therapist whoever the client is: a public list must promise no more.
    today, policy = day_in_london(publication.now), publication.rules.policy
    in_time = is_fresh(therapist, today, policy) and begins_in_time(therapist, today, policy)
    if not in_time or not therapist.seats_offered:
        return []
    return [
        Offer(form.variant, form.format, max(form.ages.first, span.first), min(form.ages.last, span.last))
        for form in policy.forms
        if form.format in therapist.formats
        and isinstance(credentials(therapist, form.variant, today), Accreditation)
        for span in (policy.age_groups[group] for group in AgeGroup if group in therapist.age_groups)
        if max(form.ages.first, span.first) <= min(form.ages.last, span.last)
    ]


def _by_format(offers: list[Offer]) -> str:
    """Each format with the variants that are given in it."""
    given = {
        each: [VARIANTS[v] for v in Variant if any((v, each) == offer[:2] for offer in offers)]
        for each in Format
    }
    return "; ".join(f"{joined(names)}, {FORMATS[each]}" for each, names in given.items() if names) + "."


def _focus(therapist: Therapist) -> str:
    areas = [AREAS[each] for each in ProblemArea if each in therapist.problem_areas]
    conditions = [word for each, word in CONDITIONS.items() if each in therapist.conditions]
    return f" Experienced with {joined(areas + conditions)}." if areas or conditions else ""


def _registered(therapist: Therapist) -> str:
    return f" Registered with {therapist.registration.body}." if therapist.registration else ""


def _ages(offers: list[Offer]) -> Document:
    spans: list[tuple[int, int]] = []
    for first, last in sorted((offer.youngest, offer.oldest) for offer in offers):
        if spans and first <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(spans[-1][1], last))
        else:
            spans.append((first, last))
    told = [f"{first} to {last}" if last < NO_LIMIT else f"{first} and over" for first, last in spans]
    top = {} if spans[-1][1] >= NO_LIMIT else {"maximum_age": spans[-1][1]}
    # The specification has one range for all; where there is a gap, the words alone tell of it.
    return {"eligibility_description": f"For ages {joined(told)}.", "minimum_age": spans[0][0], **top}


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
