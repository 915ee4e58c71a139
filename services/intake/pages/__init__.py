"""The door for people: pages that work in any browser, without a script."""

import json
from uuid import UUID, uuid4

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from services.intake import store
from services.intake.domain import Refused, Rulebook, State, identities, take
from services.intake.domain.reading import LARGEST
from services.intake.domain.words import ONWARD_ROUTES, STATES
from services.intake.pages.form import Answers, Unusable, advice, document
from services.intake.pages.look import Look
from services.intake.settings import Settings
from services.intake.store import Arrival, Outcome, View
from shared.contract.ids import reference
from shared.contract.intake import WithdrawalReason
from shared.contract.vocabulary import Door, OnwardRoute
from shared.kit.problems import read_body
from shared.kit.service import Service
from shared.kit.transaction import Transaction
from shared.waiting import waiting_time

__all__ = ["ROUTES", "Look"]


async def start(request: Request) -> Response:
    """What interpersonal psychotherapy is, what happens next, and where to begin."""
    return _look(request).page("start.html")


async def blank_form(request: Request) -> Response:
    """The empty form."""
    return _look(request).page("request.html", answers=Answers(), once=uuid4(), advice=[], onward_route=None)


async def send_form(request: Request) -> Response:
    """Takes the request in, or shows what to mend with everything kept; sending it twice is harmless."""
    # Percent-encoding makes three bytes of one, and more of a letter with an accent.
    answers = _answers(await read_body(request, LARGEST * 4))
    once = answers.token or uuid4()
    service: Service = request.app.state.service
    settings: Settings = request.app.state.provided[Settings]
    rulebook: Rulebook = request.app.state.provided[Rulebook]
    answer = take(json.dumps(document(answers)).encode(), service.clock.now(), rulebook)
    if isinstance(answer, Refused):
        return _look(request).page(
            "request.html",
            422,
            answers=answers,
            once=once,
            advice=advice(answer),
            onward_route=answer.onward_route,
        )
    request_id = identities.by_form(once)
    async with service.database.transaction() as tx:
        outcome, _ = await store.take_in(tx, Arrival(request_id, Door.WEB, settings.status_base), answer)
        if outcome is Outcome.TAKEN and not await store.keeps_pace(
            tx,
            mailbox=answer.contact(settings.status_base).write_to_email,
            origin=request.client.host if request.client is not None else "unknown",
            per_mailbox_a_day=settings.form_per_mailbox_a_day,
            per_origin_an_hour=settings.form_per_origin_an_hour,
        ):
            # Nothing of it stays: what was taken in is undone.
            raise HTTPException(429)
    if outcome is Outcome.CONTRADICTED:
        return _look(request).page("sent_before.html", 409, request_id=request_id)
    return RedirectResponse(request.app.url_path_for("sent", id=str(request_id)), 303)


async def sent(request: Request) -> Response:
    """Says that the request has arrived, and nothing about it."""
    service: Service = request.app.state.service
    request_id = _id(request)
    async with service.database.transaction() as tx:
        if request_id is None or not await store.exists_from_web(tx, request_id):
            raise HTTPException(404)
    return _look(request).page("sent.html", reference=reference(request_id))


async def status(request: Request) -> Response:
    """Where a request stands, for whoever has the secret link."""
    service: Service = request.app.state.service
    async with service.database.transaction() as tx:
        view = await _by_token(request, tx)
        note = None if view.note is None else await tx.open(view.note)
        weeks = await store.wait_told(tx, view)
    text = None if note is None else note.decode()
    state = view.state
    return _look(request).page(
        "status.html",
        words=STATES[state],
        state=state,
        view=view,
        question=text if state is State.QUESTION else None,
        onward_route=_onward_route(text) if state is State.DECLINED else None,
        waiting_time=waiting_time(weeks) if state is State.WAITING else None,
        token=request.path_params["token"],
    )


async def withdraw(request: Request) -> Response:
    """Ends the search; pressing twice ends it once."""
    service: Service = request.app.state.service
    async with service.database.transaction() as tx:
        view = await _by_token(request, tx)
        if not view.state.closed:
            await store.withdraw(tx, view, WithdrawalReason.CLIENT_ASKED)
    return RedirectResponse(request.app.url_path_for("status", token=request.path_params["token"]), 303)


async def style(request: Request) -> Response:
    """The one style sheet."""
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(_look(request).style, media_type="text/css", headers=headers)


ROUTES = [
    Route("/", start),
    Route("/request", blank_form, methods=["GET"]),
    Route("/request", send_form, methods=["POST"]),
    Route("/request/{id}/sent", sent),
    Route("/status/{token}", status),
    Route("/status/{token}/withdraw", withdraw, methods=["POST"]),
    Route("/static/intake.css", style),
]


def _look(request: Request) -> Look:
    look: Look = request.app.state.provided[Look]
    return look


def _answers(body: bytes) -> Answers:
    try:
        return Answers.from_body(body)
    except Unusable:
        raise HTTPException(400) from None


def _id(request: Request) -> UUID | None:
    try:
        return UUID(request.path_params["id"])
    except ValueError:
        return None


async def _by_token(request: Request, tx: Transaction) -> View:
    view = await store.find_by_token(tx, request.path_params["token"])
    if view is None:
        raise HTTPException(404)
    return view


def _onward_route(route: str | None) -> str:
    try:
        return ONWARD_ROUTES[OnwardRoute(route or "")]
    except ValueError:
        # The note is gone or from a newer build: the GP is never wrong.
        return ONWARD_ROUTES[OnwardRoute.GP]
