"""A member of staff at work, through review's HTTP API."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import httpx

from deploy.local.demo.people import Asking
from deploy.local.faults import StackFault


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about a request, and when it was sent off."""

    at: datetime
    overruled: bool
    therapist_id: str
    therapist: str


class Staff:
    """A session at review."""

    def __init__(self, review: str) -> None:
        self._client = httpx.AsyncClient(base_url=review, timeout=30)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def sign_in(self, email: str, password: str) -> str:
        """Signs in; returns the name under which decisions will stand."""
        answer = await self._client.post("/api/v1/session", json={"email": email, "password": password})
        session = _require(answer, "sign in")
        # By token, as a programme would; the cookie is for browsers.
        self._client.cookies.clear()
        self._client.headers["authorization"] = f"Bearer {session['token']}"
        return str(session["staff"]["name"])

    async def find(self, wanted: set[str | None], state: str, within: float) -> set[str]:
        """Which of the requests are in a state, once all of them are or the time is over."""
        begun = time.monotonic()
        while True:
            queue = _require(
                await self._client.get("/api/v1/cases", params={"state": state}), "read the queue"
            )
            found = {str(each["request_id"]) for each in queue["cases"]} & wanted
            if found == wanted or time.monotonic() - begun > within:
                return found
            await asyncio.sleep(0.1)

    async def case(self, request_id: str) -> dict[str, Any]:
        """The whole case; that it was opened is noted."""
        return _require(await self._client.get(f"/api/v1/cases/{request_id}"), "open the case")

    async def decide(self, asking: Asking, case: dict[str, Any]) -> Decision:
        """Claims the case and confirms the first of the shortlist, or chooses the second and says why."""
        request_id, candidates = case["request_id"], case["shortlist"]["candidates"]
        claimed = _require(
            await self._client.post(f"/api/v1/cases/{request_id}/claim", json={"version": case["version"]}),
            "claim the case",
        )
        choice = candidates[1 if asking.overrule else 0]
        wish: dict[str, Any] = {
            "version": claimed["version"],
            "therapist_id": choice["therapist_id"],
            # The flags and their evidence were shown above.
            "flags_seen": bool(case["flags"]),
        }
        if asking.overrule:
            wish["reason"] = asking.overrule
        if asking.under_16 is not None:
            wish |= asking.under_16
        action = "choose" if asking.overrule else "confirm"
        at = datetime.now(UTC)
        _require(await self._client.post(f"/api/v1/cases/{request_id}/{action}", json=wish), action)
        return Decision(at, bool(asking.overrule), choice["therapist_id"], choice["name"])


def _require(answer: httpx.Response, what: str) -> dict[str, Any]:
    if not answer.is_success:
        raise StackFault(
            f"review did not let staff {what}: it answered {answer.status_code}: {answer.text[:500]}"
        )
    document: dict[str, Any] = answer.json()
    return document
