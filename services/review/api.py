"""The JSON door: what the pages show and do, for programs."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.review import gateway
from services.review.domain import ages, wording
from services.review.domain.case import PROMISED, Case, State
from services.review.domain.deciding import Refusal, Refused, allowed
from services.review.domain.staff import WINDOW, Staff
from services.review.domain.wishes import WISHES, Action, SettleMail, Wish
from services.review.settings import Settings
from services.review.store import deciding, sessions
from services.review.store.audit import Entry
from services.review.store.case_file import CaseFile, open_file
from services.review.store.deciding import Changed, NoSuchCase
from services.review.store.passwords import Passwords
from services.review.store.queue import OPEN_STATES, Queued, queue
from shared.contract.ids import RequestId
from shared.kit.problems import FieldError, Problem, field_errors, read_json
from shared.kit.service import Service
from shared.kit.transaction import Transaction

M = TypeVar("M", bound=BaseModel)


class SignIn(BaseModel):
    """Who wants a session."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    email: Annotated[str, StringConstraints(min_length=1, max_length=254)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=1024)]


def routes() -> list[Route]:
    """The addresses of this door."""
    one = "/api/v1/cases/{request_id:uuid}"
    return [
        Route("/api/v1/session", begin_session, methods=["POST"]),
        Route("/api/v1/session", end_session, methods=["DELETE"]),
        Route("/api/v1/cases", list_cases, methods=["GET"]),
        Route(one, show_case, methods=["GET"]),
        Route(f"{one}/mails/settle", settle_mail, methods=["POST"]),
        Route(f"{one}/{{action}}", act, methods=["POST"]),
    ]


async def begin_session(request: Request) -> Response:
    """Signs in."""
    service, settings = _service(request), _settings(request)
    body = _valid(SignIn, await read_json(request))
    try:
        session = await sessions.sign_in(
            service.database,
            request.app.state.provided[Passwords],
            email=body.email,
            password=body.password,
            address=gateway.address_of(request),
            lifetime=settings.lifetime,
            replaces=gateway.cookie_in(request, settings),
        )
    except sessions.WrongSignIn:
        raise Problem(401, "wrong_sign_in", "The e-mail address or the password is not right") from None
    except sessions.TooManyAttempts:
        raise Problem(
            429,
            "too_many_attempts",
            "Too many attempts",
            detail="wait a quarter of an hour, or ask an administrator for a new password",
            headers={"retry-after": str(int(WINDOW.total_seconds()))},
        ) from None
    response = JSONResponse(
        {
            "token": session.token,
            "expires_at": session.expires_at.isoformat(),
            "staff": {"id": str(session.staff.id), "name": session.staff.name, "role": session.staff.role},
        },
        201,
    )
    gateway.hand_out(response, session.token, settings)
    return response


async def end_session(request: Request) -> Response:
    """Signs out; also if there was no session."""
    settings = _settings(request)
    token = gateway.token_in(request, settings)
    if token is not None:
        async with _service(request).database.transaction() as tx:
            await sessions.sign_out(tx, token)
    response = Response(status_code=204)
    gateway.take_back(response, settings)
    return response


async def list_cases(request: Request) -> Response:
    """A page of the queue."""
    states, page = _states(request), _page(request)
    async with _service(request).database.transaction() as tx:
        await _signed_in(request, tx)
        found = await queue(tx, states or OPEN_STATES, page, trouble=not states)
        now = tx.now
    return JSONResponse(
        {
            "cases": [_queued(each, now, _settings(request)) for each in found.cases],
            "total": found.total,
            "page": found.page,
            "pages": found.pages,
        }
    )


async def show_case(request: Request) -> Response:
    """The whole case; that it was opened is noted."""
    async with _service(request).database.transaction() as tx:
        staff = await _signed_in(request, tx)
        file = await open_file(tx, staff, _request_id(request))
        now = tx.now
    if file is None:
        raise _no_such_case()
    return JSONResponse(_file(file, now, _settings(request)))


async def act(request: Request) -> Response:
    """Acts on a case: claim, release, confirm, choose, rematch, decline or ask."""
    name = request.path_params["action"]
    if name not in set(Action):
        raise Problem(404, "no_such_action", detail=f"actions are {', '.join(Action)}")
    # Who is not signed in is told so before anything else.
    async with _service(request).database.transaction() as tx:
        await _signed_in(request, tx)
    wish = _valid(WISHES[Action(name)], await read_json(request))
    try:
        async with _service(request).database.transaction() as tx:
            staff = await _signed_in(request, tx)
            done = await deciding.act(tx, staff, _request_id(request), wish)
    except NoSuchCase:
        raise _no_such_case() from None
    except Changed as changed:
        raise _changed(changed, wish) from None
    except Refused as refused:
        raise _refused(refused) from None
    return JSONResponse(
        {
            "request_id": str(done.case.request_id),
            "version": done.case.version,
            "state": done.case.state,
            "decision_id": str(done.decision_id) if done.decision_id is not None else None,
        }
    )


async def settle_mail(request: Request) -> Response:
    """Notes how somebody was told whom a mail did not reach."""
    async with _service(request).database.transaction() as tx:
        await _signed_in(request, tx)
    wish = _valid(SettleMail, await read_json(request))
    try:
        async with _service(request).database.transaction() as tx:
            staff = await _signed_in(request, tx)
            await deciding.settle_mail(tx, staff, _request_id(request), wish)
    except NoSuchCase:
        raise _no_such_case() from None
    except Refused as refused:
        raise _refused(refused) from None
    return Response(status_code=204)


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.provided[Settings]
    return settings


def _request_id(request: Request) -> RequestId:
    return RequestId(request.path_params["request_id"])


async def _signed_in(request: Request, tx: Transaction) -> Staff:
    settings = _settings(request)
    token = gateway.token_in(request, settings)
    staff = await sessions.staff_for(tx, token, settings.lifetime.idle) if token is not None else None
    if staff is None:
        raise Problem(
            401,
            "sign_in_first",
            detail="there is no session, or it has ended",
            headers={"www-authenticate": "Bearer"},
        )
    return staff


def _valid(model: type[M], body: Any) -> M:
    try:
        return model.model_validate_json(json.dumps(body))
    except ValidationError as error:
        raise Problem(
            422, "invalid", "The request breaks a rule", errors=tuple(field_errors(error))
        ) from None


def _states(request: Request) -> frozenset[State]:
    try:
        return frozenset(State(each) for each in request.query_params.getlist("state"))
    except ValueError:
        error = FieldError("state", f"must be one of {', '.join(State)}")
        raise Problem(422, "invalid", "The request breaks a rule", errors=(error,)) from None


def _page(request: Request) -> int:
    text = request.query_params.get("page", "1")
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= 100_000 and len(text) <= 6):
        error = FieldError("page", "must be a number from 1 to 100000")
        raise Problem(422, "invalid", "The request breaks a rule", errors=(error,))
    return int(text)


def _no_such_case() -> Problem:
    return Problem(404, "no_such_case", detail="there is no case for that request")


def _changed(changed: Changed, wish: Wish) -> Problem:
    return Problem(
        409,
        "case_changed",
        "Somebody or something has changed the case",
        detail=f"the case is at version {changed.case.version}, not {wish.version}; nothing was done",
        current_version=changed.case.version,
        state=changed.case.state,
        changes=[_entry(each) for each in changed.since],
    )


def _refused(refused: Refused) -> Problem:
    status = {Refusal.INCOMPLETE: 422, Refusal.UNSEEN: 422}.get(refused.refusal, 409)
    titles = {
        Refusal.INCOMPLETE: "The decision breaks a rule",
        Refusal.NOT_NOW: "That cannot be done with the case as it is",
        Refusal.CLAIMED: "A colleague is working on the case",
        Refusal.UNSEEN: "The case has not been looked at",
    }
    return Problem(
        status,
        refused.refusal.value,
        titles[refused.refusal],
        detail=refused.rule,
        errors=tuple(FieldError(each.field, each.rule) for each in refused.faults),
    )


def _clocks(case: Case, now: datetime, settings: Settings) -> dict[str, Any]:
    return {
        "request_id": str(case.request_id),
        "version": case.version,
        "state": case.state,
        "submitted_at": case.submitted_at.isoformat(),
        "promised_by": (case.submitted_at + settings.promise).isoformat(),
        "waiting_seconds": int((now - case.submitted_at).total_seconds()) if case.state in PROMISED else None,
        "overdue": case.is_overdue(settings.promise, now),
        "reopened_at": _moment(case.reopened_at),
        "reopened_because": case.reopened_because,
    }


def _queued(each: Queued, now: datetime, settings: Settings) -> dict[str, Any]:
    return _clocks(each.case, now, settings) | {
        "flags": each.case.flags,
        "claimed_by": _claim(each.case, each.claimed_by, each.claimed_at),
        "mails_in_trouble": each.mails_in_trouble,
    }


def _file(file: CaseFile, now: datetime, settings: Settings) -> dict[str, Any]:
    case, details = file.case, file.details
    age = ages.age(details.date_of_birth, ages.today(now)) if details is not None else None
    return _clocks(case, now, settings) | {
        "flags": [
            flag.model_dump(mode="json") | {"what_to_do": wording.crisis(flag.kind, age or 0)}
            for flag in (details.flags if details is not None else ())
        ],
        "age": age,
        "under_16": age is not None and age < ages.PRESUMED_CAPACITY,
        "allowed": sorted(allowed(case)),
        "claimed_by": _claim(case, file.claimed_by, file.claimed_at),
        "door": file.door,
        "partner": file.partner,
        "consented_at": file.consented_at.isoformat(),
        "contact": file.contact and file.contact.model_dump(mode="json", exclude={"status_url"}),
        "details": details and details.model_dump(mode="json", exclude={"flags"}),
        "proposal_id": case.proposal_id and str(case.proposal_id),
        "policy_version": file.policy_version,
        "first": case.first and str(case.first),
        "unavailable": [str(each) for each in case.unavailable],
        "excluded": [str(each) for each in case.excluded],
        "shortlist": file.shortlist and file.shortlist.model_dump(mode="json"),
        "findings": file.findings and file.findings.model_dump(mode="json"),
        "decision": case.choice
        and {
            "decision_id": str(case.choice.decision_id),
            "therapist_id": str(case.choice.therapist_id),
            "therapist": file.chosen_name,
            "decided_by": file.decided_by,
            "decided_at": _moment(file.decided_at),
        },
        "mails": [
            {
                "message_id": str(mail.id),
                "kind": mail.kind,
                "recipient": mail.recipient,
                "state": mail.state,
                "reason": mail.reason,
                "attempts": mail.attempts,
                "at": mail.at.isoformat(),
                "trouble": mail.is_trouble,
                "settled_by": mail.settled_by,
            }
            for mail in file.mails
        ],
        "history": [
            _entry(each) | {"codes": dict(each.codes), "words": each.words and dict(each.words)}
            for each in file.history
        ],
        "views": [asdict(each) | {"at": each.at.isoformat()} for each in file.views],
    }


def _claim(case: Case, name: str | None, at: datetime | None) -> dict[str, Any] | None:
    return None if case.claimed_by is None else {"id": str(case.claimed_by), "name": name, "at": _moment(at)}


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat(),
        "who": entry.staff_name or entry.actor,
        "action": entry.action,
        "what": wording.said(entry.action, entry.codes),
        "version": entry.case_version,
        "decision_id": entry.decision_id and str(entry.decision_id),
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
