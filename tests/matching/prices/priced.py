"""A clinic where one seat is dearer than others, as tests of prices find it."""

from datetime import timedelta
from typing import Any

from services.matching import store
from services.matching.domain.ranking import Rules
from services.matching.handlers import Matcher
from shared.contract.ids import SubjectId, TherapistId
from shared.contract.intake import CaseDetails
from shared.contract.matching import MatchProposed
from shared.contract.sealing import Purpose, opened
from shared.contract.vocabulary import ProblemArea
from shared.kit.database import Database
from shared.kit.testing import recording
from tests.matching.builders import RULES, a_therapist, an_accreditation, born
from tests.matching.recorded import a_matcher, hear
from tests.support.builders import a_case, a_request

# The specialist suits everybody best; adolescents have nobody else.
SPECIALIST = a_therapist("cleo", seats_offered=2, seats_free=2)
GENERALIST = a_therapist(
    "abe",
    seats_offered=400,
    seats_free=400,
    problem_areas=frozenset({ProblemArea.GRIEF}),
    accreditations=(an_accreditation(),),
)
ANYBODY = a_case()
ONLY_THERE = a_case(date_of_birth=born(15), attending_adult=True)


def a_pricing_matcher(**prices: Any) -> Matcher:
    """What a process has for ranking when it has just begun; a few requests are history enough."""
    changed = RULES.policy.prices.model_copy(update={"least_requests": 10, **prices})
    return a_matcher(Rules(RULES.policy.model_copy(update={"prices": changed}), RULES.places))


async def came(database: Database, case: CaseDetails, times: int) -> list[SubjectId]:
    """So many submitted such a request on days before today."""
    subjects = []
    for number in range(times):
        request = a_request(details=case)
        async with recording(database) as tx:
            sealed = await tx.seal(request.subject_id, Purpose.CLINICAL, case.model_dump_json().encode())
            submitted_at = tx.now - timedelta(days=28 - number)
            await store.add_request(tx, request.request_id, request.subject_id, sealed, submitted_at)
        subjects.append(request.subject_id)
    return subjects


async def proposed(database: Database, matcher: Matcher, case: CaseDetails) -> list[TherapistId]:
    """The shortlist for a new request."""
    said = await hear(database, matcher, a_request(details=case))
    [proposal] = [event for event in said if isinstance(event, MatchProposed)]
    return [candidate.therapist_id for candidate in opened(proposal.shortlist).candidates]


async def newest(database: Database) -> store.Prices:
    async with database.transaction() as tx:
        prices = await store.newest_prices(tx)
    assert prices is not None
    return prices
