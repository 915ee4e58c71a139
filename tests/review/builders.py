"""What review's tests speak of: cases, colleagues, an office to work in, and what is done there."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from starlette.applications import Starlette

from services.review.domain.case import Case, Choice, State
from services.review.domain.deciding import Reviewing
from services.review.domain.staff import Role, Staff
from services.review.handlers import handlers
from services.review.store import accounts
from services.review.store.passwords import Passwords
from shared.contract import intake, matching, notify
from shared.contract.envelope import Envelope
from shared.contract.event import Event, RequestEvent
from shared.contract.ids import (
    DecisionId,
    GroupId,
    MessageId,
    ProposalId,
    RequestId,
    StaffId,
    SubjectId,
    TherapistId,
)
from shared.contract.matching import Shortfall
from shared.contract.vocabulary import MessageKind, Recipient
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from shared.kit.identifiers import new_id
from shared.kit.service import Service
from tests.support.builders import a_proposal, a_request, id_of

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PASSWORD = "nine kind elephants"
REASON = "The client asked for somebody who knows their work."
NOTE = "Mother, Ines Duarte, agreed on the telephone on 24 November."
FOURTEEN = date(2012, 6, 1)
SESSION = "/api/v1/session"
CASES = "/api/v1/cases"


def therapists(*names: str) -> tuple[TherapistId, ...]:
    """Ids by name."""
    return tuple(TherapistId(id_of(name)) for name in names)


def a_review_case(**changes: Any) -> Case:
    """A case that is ready to be decided, with Ada, Ben and Cem on the shortlist."""
    defaults: dict[str, Any] = {
        "request_id": RequestId(id_of("request")),
        "subject_id": SubjectId(id_of("subject")),
        "version": 2,
        "state": State.READY,
        "submitted_at": NOON,
        "heard": 1,
        "proposal_id": ProposalId(id_of("proposal")),
        "shortlist": therapists("ada", "ben", "cem"),
        "answered_at": NOON,
    }
    return Case(**(defaults | changes))


def a_case_in(state: State, **changes: Any) -> Case:
    """A case in a state, with what belongs to it."""
    bare: dict[str, Any] = {"proposal_id": None, "shortlist": (), "answered_at": None, "heard": 0}
    belongs: dict[str, Any] = {
        State.AWAITING_PROPOSAL: bare,
        State.NO_WAY_FITS: bare | {"answered_at": NOON, "heard": 1, "shortfall": Shortfall.NO_WAY_FITS},
        State.WAITING: bare | {"answered_at": NOON, "heard": 1},
        State.CONFIRMED: {"choice": a_choice()},
        State.PLACE_HELD: {"choice": a_choice(), "group_id": GroupId(id_of("group"))},
        State.MATCHED: {"choice": a_choice()},
    }.get(state, {})
    return a_review_case(**({"state": state} | belongs | changes))


def a_choice(name: str = "ada") -> Choice:
    """A decision that was made."""
    return Choice(DecisionId(id_of("decision")), StaffId(id_of("bea")), TherapistId(id_of(name)))


def a_colleague(name: str = "bea", role: Role = Role.REVIEWER) -> Staff:
    """A member of staff."""
    return Staff(StaffId(id_of(name)), name.title(), f"{name}@clinic.example", role)


def reviewing(by: Staff | None = None, **changes: Any) -> Reviewing:
    """A colleague who has looked at the case of an adult for a minute and a half."""
    defaults: dict[str, Any] = {
        "by": by or a_colleague(),
        "decision_id": DecisionId(id_of("decision")),
        "today": date(2026, 11, 24),
        "considered_seconds": 90,
        "date_of_birth": date(1991, 3, 14),
    }
    return Reviewing(**(defaults | changes))


def a_mail(request: RequestEvent, kind: type[Event] = notify.MessageSent, **changes: object) -> Event:
    """What became of the acknowledgement."""
    fields = {
        "request_id": request.request_id,
        "message_id": MessageId(id_of("mail")),
        "kind": MessageKind.ACKNOWLEDGEMENT,
        "recipient": Recipient.CLIENT,
        "cause_id": id_of("cause"),
        "attempts": 1,
    }
    return kind.model_validate(fields | changes)


@dataclass(slots=True)
class Said:
    """An event as the outbox keeps it."""

    type: str
    document: dict[str, Any]


@dataclass(slots=True)
class Office:
    """The real app on a real database, without Kafka: events are handed to its handlers."""

    app: Starlette
    service: Service
    clock: MovableClock
    heard: dict[tuple[UUID, str], int] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        """Review's database."""
        return self.service.database

    async def hear(self, *events: Event, counted: int | None = None) -> None:
        """Hands events over, each in its own transaction, counted per producer as the outbox does."""
        for event in events:
            place = (event.key, event.stream)
            number = counted if counted is not None else self.heard.get(place, 0) + 1
            self.heard[place] = max(number, self.heard.get(place, 0))
            cause = Envelope(
                id=new_id(),
                type=event.type,
                source="tests",
                subject=str(event.key),
                time=self.clock.now(),
                aggregate_version=number,
            )
            async with self.database.transaction(cause) as tx:
                await handlers.events[type(event)](event, tx)

    async def ready_case(
        self, *names: str, **changes: Any
    ) -> tuple[intake.RequestSubmitted, matching.MatchProposed]:
        """A case with a shortlist."""
        request = a_request(**changes)
        proposal = a_proposal(request, *names)
        await self.hear(request, proposal)
        return request, proposal

    async def hire(self, name: str = "bea", role: Role = Role.REVIEWER) -> Staff:
        """Adds an account."""
        staff = Staff(StaffId(uuid4()), name.title(), f"{name}@clinic.example", role)
        hashed = await self.service.provided[Passwords].hash(PASSWORD)
        async with self.database.transaction() as tx:
            await accounts.add(tx, staff, hashed)
        return staff

    @asynccontextmanager
    async def visitor(self, address: str = "10.0.0.7", **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        """Somebody who is not signed in."""
        transport = httpx.ASGITransport(self.app, client=(address, 40000), raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8003", headers=headers
        ) as client:
            yield client

    @asynccontextmanager
    async def program(
        self, name: str = "bea", role: Role = Role.REVIEWER
    ) -> AsyncIterator[httpx.AsyncClient]:
        """A new colleague's program, signed in with a bearer token."""
        staff = await self.hire(name, role)
        async with self.visitor() as client:
            answer = await client.post("/api/v1/session", json={"email": staff.email, "password": PASSWORD})
            client.cookies.clear()
            client.headers["authorization"] = f"Bearer {answer.json()['token']}"
            yield client

    @asynccontextmanager
    async def browser(
        self, name: str = "bea", role: Role = Role.REVIEWER
    ) -> AsyncIterator[httpx.AsyncClient]:
        """A new colleague's browser, signed in with a cookie."""
        staff = await self.hire(name, role)
        async with self.visitor(accept="text/html", **{"sec-fetch-site": "same-origin"}) as client:
            await client.post("/login", data={"email": staff.email, "password": PASSWORD, "next": "/"})
            yield client

    async def said(self, request_id: UUID) -> list[Said]:
        """What review has said about a request, sealed fields as they go on the wire."""
        rows = await self.database.pool.fetch(
            "SELECT header_names, header_values, payload FROM outbox WHERE key = $1 ORDER BY id",
            str(request_id).encode(),
        )
        return [
            Said(
                dict(zip(row["header_names"], row["header_values"], strict=True))[b"ce_type"].decode(),
                json.loads(row["payload"]),
            )
            for row in rows
        ]

    async def audit(self, request_id: UUID) -> list[str]:
        """The actions in a case's audit, in order."""
        rows = await self.database.pool.fetch(
            "SELECT action FROM audit WHERE request_id = $1 ORDER BY id", request_id
        )
        return [row["action"] for row in rows]


def case_url(request: RequestEvent, action: str = "") -> str:
    """The API's address of a case, or of an action on it."""
    return f"/api/v1/cases/{request.request_id}" + (f"/{action}" if action else "")


def page_url(request: RequestEvent, action: str = "") -> str:
    """The page of a case, or of an action on it."""
    return f"/cases/{request.request_id}" + (f"/{action}" if action else "")


async def decide(
    client: httpx.AsyncClient,
    request: Any,
    action: str,
    version: int = 2,
    *,
    look: bool = True,
    **fields: Any,
) -> httpx.Response:
    """Opens a case and acts on it."""
    if look:
        await client.get(case_url(request))
    return await client.post(case_url(request, action), json={"version": version, **fields})


def faults(answer: httpx.Response) -> set[str]:
    """The fields that an answer finds wrong."""
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    return {each["field"] for each in answer.json()["errors"]}


async def sign_in(
    client: httpx.AsyncClient, email: str = "bea@clinic.example", password: str = PASSWORD
) -> httpx.Response:
    """Asks for a session."""
    return await client.post(SESSION, json={"email": email, "password": password})
