"""The directory's door for other systems, and hands to try it with."""

from dataclasses import dataclass

import httpx

from services.matching import store
from services.matching.domain.directory_json import entry_of
from services.matching.domain.therapist import Therapist
from services.matching.store import Role
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import a_therapist
from tests.support.streams import Streams

PATH = "/api/v1/therapists"
STREAMS = (
    "intake.requests",
    "review.cases",
    "matching.proposals",
    "matching.directory",
    "matching.dead-letters",
)
ADA = a_therapist("ada")
NEW = {"if-none-match": "*"}
Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Door:
    """A running matching, and hands to try its door with."""

    http: httpx.AsyncClient
    database: Database
    streams: Streams
    clock: MovableClock

    async def key(self, name: str, role: Role) -> Headers:
        """Lets a system in; returns the header to show."""
        async with self.database.transaction() as tx:
            key = await store.add_caller(tx, name, role)
        assert key is not None
        return {"authorization": f"Bearer {key}"}

    async def holds(self, *therapists: Therapist) -> None:
        """Puts entries into the directory."""
        async with self.database.transaction() as tx:
            for therapist in therapists:
                await store.save_therapist(tx, therapist)

    async def kept(self, therapist: Therapist) -> Therapist | None:
        """An entry as it is in the table."""
        async with self.database.transaction() as tx:
            return await store.find_therapist(tx, therapist.id)

    async def put(self, key: Headers, therapist: Therapist, **headers: str) -> httpx.Response:
        """Puts an entry whole."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.put(where(therapist), json=entry_of(therapist), headers=key | named)


def where(therapist: Therapist) -> str:
    """The address of an entry."""
    return f"{PATH}/{therapist.id}"


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an answer that says what is wrong."""
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == answer.status_code
    return answer.status_code, document["code"]


def errors(answer: httpx.Response) -> dict[str, str]:
    """The rules that were broken, by field."""
    assert problem(answer) == (422, "invalid")
    return {error["field"]: error["rule"] for error in answer.json()["errors"]}
