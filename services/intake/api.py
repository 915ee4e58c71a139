"""The door for partners' programmes: JSON over HTTP, with an API key each."""

import re
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.intake import store
from services.intake.domain import Refused, Rulebook, State, identities, take
from services.intake.domain.reading import BODY, LARGEST
from services.intake.domain.words import STATES
from services.intake.settings import Settings
from services.intake.store import Arrival, Outcome, View
from shared.contract.ids import RequestId
from shared.contract.intake import WithdrawalReason
from shared.contract.matching import WaitWeeks
from shared.contract.vocabulary import Door
from shared.kit import api_keys
from shared.kit.identifiers import new_id
from shared.kit.pace import keep_pace, turned_away
from shared.kit.problems import FieldError, Problem, read_body
from shared.kit.service import Service
from shared.kit.transaction import Transaction
from shared.waiting import waiting_time

_JSON = re.compile(r"application/json\s*(;|$)", re.IGNORECASE)
_KEY = re.compile(r'"?([\x21\x23-\x7e]{1,200})"?')


async def submit(request: Request) -> Response:
    """POST /api/v1/requests: takes a request in; sending the same again changes nothing."""
    service: Service = request.app.state.service
    settings: Settings = request.app.state.provided[Settings]
    async with service.database.transaction() as tx:
        partner = await _partner(request, tx)
    if not _JSON.match(request.headers.get("content-type", "")):
        raise Problem(415, "not_json", detail="send application/json")
    key = _idempotency_key(request)
    body = await read_body(request, LARGEST)
    answer = take(body, service.clock.now(), request.app.state.provided[Rulebook])
    if isinstance(answer, Refused):
        raise _refusal(answer)
    if answer.reference is not None:
        request_id = identities.by_reference(partner, answer.reference)
    elif key is not None:
        request_id = identities.by_idempotency_key(partner, key)
    else:
        request_id = RequestId(new_id())
    async with service.database.transaction() as tx:
        arrival = Arrival(request_id, Door.API, settings.status_base, partner, key)
        outcome, request_id = await store.take_in(tx, arrival, answer)
        if outcome is Outcome.KEY_REUSED:
            raise Problem(
                422,
                "idempotency_key_reused",
                detail="this Idempotency-Key was used for another body; use a new one for a new request",
                errors=[FieldError("Idempotency-Key", "already stands for another request")],
            )
        if outcome is Outcome.CONTRADICTED:
            raise Problem(
                409,
                "reference_taken",
                title="Another request has this reference",
                errors=[FieldError("reference", "already stands for another request")],
            )
    # A repeat is answered as the first time was; how far the request has come is at its address.
    return _answer(request, request_id, State.RECEIVED, 201)


async def show(request: Request) -> Response:
    """GET /api/v1/requests/{id}: where a request stands, for the partner that sent it."""
    service: Service = request.app.state.service
    async with service.database.transaction() as tx:
        view = await _own_request(request, tx)
        weeks = await store.wait_told(tx, view)
    return _answer(request, view.request_id, view.state, weeks=weeks)


async def withdraw(request: Request) -> Response:
    """POST /api/v1/requests/{id}/withdraw: the client no longer wants a match; repeating it is harmless."""
    service: Service = request.app.state.service
    async with service.database.transaction() as tx:
        view = await _own_request(request, tx)
        if view.state is State.DECLINED:
            raise Problem(409, "request_closed", title="The request is closed", state=view.state)
        await store.withdraw(tx, view, WithdrawalReason.PARTNER_ASKED)
    return _answer(request, view.request_id, State.WITHDRAWN)


ROUTES = [
    Route("/api/v1/requests", submit, methods=["POST"]),
    Route("/api/v1/requests/{id}", show, methods=["GET"], name="api-request"),
    Route("/api/v1/requests/{id}/withdraw", withdraw, methods=["POST"]),
]


async def _partner(request: Request, tx: Transaction) -> str:
    key = api_keys.key_in(request)
    partner = await store.find_partner_by_key(tx, key) if key is not None else None
    if partner is None:
        raise turned_away(request, tx.now)
    keep_pace(request, partner, tx.now)
    return partner


async def _own_request(request: Request, tx: Transaction) -> View:
    partner = await _partner(request, tx)
    try:
        request_id = UUID(request.path_params["id"])
    except ValueError:
        request_id = None
    view = None if request_id is None else await store.find_for_partner(tx, request_id, partner)
    if view is None:
        raise Problem(404, "not_found", detail="you have sent no request with this id")
    return view


def _idempotency_key(request: Request) -> str | None:
    written = request.headers.get("idempotency-key")
    if written is None:
        return None
    key = _KEY.fullmatch(written)
    if key is None:
        rule = "must be 1 to 200 printable ASCII characters without spaces"
        raise Problem(400, "bad_idempotency_key", errors=[FieldError("Idempotency-Key", rule)])
    return key[1]


def _refusal(refused: Refused) -> Problem:
    errors = [FieldError(fault.field, fault.rule) for fault in refused.faults]
    if [error.field for error in errors] == [BODY]:
        return Problem(400, "bad_json", errors=errors)
    problem = Problem(422, "invalid_submission", title="The request cannot be taken in", errors=errors)
    if refused.onward_route is not None:
        problem.extra["onward_route"] = refused.onward_route
    return problem


def _answer(
    request: Request,
    request_id: RequestId,
    state: State,
    status: int = 200,
    *,
    weeks: WaitWeeks | None = None,
) -> Response:
    words = STATES[state]
    document: dict[str, Any] = {
        "request_id": str(request_id),
        "state": state,
        "status": f"{words.now} {words.next}",
    }
    if state is State.WAITING:
        document["status"] += f" {waiting_time(weeks)}"
        document["wait_weeks"] = None if weeks is None else weeks.model_dump()
    headers = (
        {"Location": str(request.app.url_path_for("api-request", id=request_id))} if status == 201 else {}
    )
    return JSONResponse(document, status, headers)
