"""Compiles the engine before anybody waits for it."""

from datetime import date
from uuid import UUID

from services.matching.domain.engine.encoding import Entry
from services.matching.domain.engine.engine import Engine
from services.matching.domain.gates import Search
from services.matching.domain.place import Places
from services.matching.domain.policy import Policy
from shared.contract.intake import CaseDetails
from shared.contract.vocabulary import Format, Mode, Slot, Therapy, Variant

_BORN = date(1990, 1, 1)


def warm_up(policy: Policy, places: Places) -> None:
    """Asks a directory of one whatever will be asked; what is compiled is kept on disk for next time."""
    today = date(2026, 1, 1)
    engine = Engine(policy, places, today)
    somebody = UUID(int=1)
    engine.put(
        [
            Entry(
                id=somebody,
                outcode="E1",
                modes="online in_person",
                formats=" ".join(Format),
                age_groups=" ".join(policy.age_groups),
                languages="en",
                traits="woman",
                slots=" ".join(Slot),
                problem_areas="grief",
                conditions="depression",
                fee_pence=1,
                seats_offered=1,
                seats_free=1,
                registered_until=65_535,
                confirmed=65_535,
                accreditations=" ".join(f"{variant}:standard:65535:1" for variant in Variant),
                free_from=0,
                outcome_cases=0,
                outcome_change=0,
            )
        ]
    )
    case = CaseDetails(
        date_of_birth=_BORN,
        outcode="E1",
        therapy=Therapy.EITHER,
        mode=Mode.EITHER,
        format=Format.INDIVIDUAL,
        availability=tuple(Slot),
        languages=("en",),
    )
    search = Search(case=case, on=today, age=36, areas=(), position=places.find("E1"))
    [first] = engine.best(search, 1)
    engine.with_one_more_time(search, first)
    engine.tally(search)
    engine.nearest(search)
    engine.set_seats(somebody, 0)
    engine.drop([somebody])
