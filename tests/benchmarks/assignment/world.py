"""A clinic for one seed: therapists with few seats each, those who come, and those who came before."""

from dataclasses import dataclass, replace
from itertools import islice
from random import Random

from services.matching.app import load_rules
from services.matching.domain.engine import Engine, entry_of
from services.matching.domain.gates import Search
from services.matching.domain.generating import synthetic_therapists
from services.matching.domain.ranking import Rules, search_for
from services.matching.domain.therapist import Therapist
from shared.contract.intake import CaseDetails
from shared.contract.vocabulary import Format, Mode
from tests.benchmarks.matching.population import THE_DAY, clients, country

SEATS = {1: 20, 2: 22, 3: 20, 4: 18, 6: 12, 8: 8}
IN_PERSON_ONLINE_EITHER = [65, 20, 15]
KM = [3, 4, 6, 8]
FEES = [9_000, 11_000, 14_000, None]
ONE_TO_ONE = 0.7

Choices = list[tuple[int, int]]
"""Who could take a request, as numbers, and for how many points."""


def benchmark_rules() -> Rules:
    """The clinic's own rules, but no points for having seats free: a pair then has one score for good."""
    rules = load_rules()
    weights = rules.policy.weights.model_copy(update={"caseload": 0})
    return Rules(rules.policy.model_copy(update={"weights": weights}), rules.places)


@dataclass(frozen=True, slots=True)
class Request:
    """One who comes, and whoever could take them if all seats were free."""

    search: Search
    choices: Choices


@dataclass(frozen=True, slots=True)
class World:
    """What the policies under comparison all see."""

    rules: Rules
    engine: Engine
    seats: dict[int, int]
    arrivals: list[Request]
    past: list[Request]


def build(seed: int, rules: Rules, *, therapists: int, arrivals: int, past: int) -> World:
    """Makes a world up; only requests that somebody could take are among the arrivals and the past."""
    dice = Random(f"seats {seed}")
    engine = Engine(rules.policy, rules.places, THE_DAY)
    known = synthetic_therapists(2 * therapists, seed, THE_DAY, rules.places.postcodes)
    everybody = list(islice((person for person in known if _in_practice(person)), therapists))
    offered = dice.choices(list(SEATS), list(SEATS.values()), k=therapists)
    engine.put(
        [
            entry_of(replace(person, seats_offered=seats, seats_free=seats, free_from=None))
            for person, seats in zip(everybody, offered, strict=True)
        ]
    )
    return World(
        rules,
        engine,
        {person.id.int: seats for person, seats in zip(everybody, offered, strict=True)},
        _requests(arrivals, 2 * seed + 100_000, rules, engine, therapists),
        _requests(past, 2 * seed + 100_001, rules, engine, rules.policy.prices.most_therapists),
    )


def _in_practice(person: Therapist) -> bool:
    """Whether anybody may be sent to them at all; a load is counted on seats that can be given."""
    registered = person.registration is not None and person.registration.expires_on >= THE_DAY
    return registered and any(held.expires_on >= THE_DAY for held in person.accreditations)


def _requests(count: int, seed: int, rules: Rules, engine: Engine, most: int) -> list[Request]:
    dice = Random(f"clients {seed}")
    there = Rules(rules.policy, country(rules.places))
    searches = (
        search_for(_local(case, dice, rules), THE_DAY, rules)
        for case in clients(2 * count + 50, there.places, seed)
    )
    found = (
        (search, [(each.number, each.score) for each in engine.qualified(search, most)])
        for search in searches
    )
    return list(islice((Request(search, choices) for search, choices in found if choices), count))


def _local(case: CaseDetails, dice: Random, rules: Rules) -> CaseDetails:
    """The same client, but as they come to a small clinic: from nearby, mostly in person."""
    homes = rules.places.postcodes
    return case.model_copy(
        update={
            "outcode": dice.choices(list(homes), list(homes.values()))[0],
            "mode": dice.choices([Mode.IN_PERSON, Mode.ONLINE, Mode.EITHER], IN_PERSON_ONLINE_EITHER)[0],
            "max_distance_km": dice.choice(KM),
            "max_fee_pence": dice.choice(FEES),
            "format": Format.INDIVIDUAL if dice.random() < ONE_TO_ONE else case.format,
        }
    )
