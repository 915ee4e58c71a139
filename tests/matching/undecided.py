"""What tests of open proposals speak of: whom one names, which seats it speaks for, what is said of it."""

from typing import Any

from services.matching import store
from shared.contract.ids import RequestId
from shared.contract.matching import MatchProposed
from shared.kit.database import Database
from tests.matching.builders import a_therapist
from tests.matching.gathering import in_outbox
from tests.matching.processes import Process
from tests.support.builders import a_case, a_request

ADA = a_therapist("ada", seats_offered=1, seats_free=1)
BEN = a_therapist("ben", seats_offered=1, seats_free=1)


async def a_proposal(process: Process, **case: Any) -> MatchProposed:
    [said] = await process.hear(a_request(details=a_case(**case)))
    assert isinstance(said, MatchProposed)
    return said


async def spoken_for(database: Database) -> dict[Any, int]:
    async with database.transaction() as tx:
        return await store.spoken_for(tx)


async def said_of(database: Database, request_id: RequestId) -> list[str]:
    """What the background passes said about a request."""
    return [name for key, name in await in_outbox(database) if key == str(request_id)]


async def named(database: Database, request_id: RequestId) -> list[Any]:
    """Whom the open proposal of a request names."""
    found: list[Any] = await database.pool.fetchval(
        "SELECT p.named FROM requests r JOIN proposals p ON p.id = r.proposal_id WHERE r.id = $1", request_id
    )
    return found


async def seats_taken(database: Database) -> dict[str, int]:
    return {
        row["name"]: row["seats_taken"]
        for row in await database.pool.fetch("SELECT name, seats_taken FROM therapists")
    }
