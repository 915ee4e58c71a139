"""The queue: who is next, and how long they have waited."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.review.domain.case import State
from services.review.gateway import service_of, settings_of
from services.review.pages.look import look_of, signed_in
from services.review.store.queue import OPEN_STATES, Queued, counts, name_on, queue, referred_to, total

LONGEST_REFERENCE = 40


@dataclass(frozen=True, slots=True)
class View:
    """A choice of cases to look at."""

    name: str
    title: str
    states: frozenset[State]


VIEWS = (
    View("open", "Open", OPEN_STATES),
    View("decide", "To decide", frozenset({State.READY, State.NO_WAY_FITS})),
    View("asked", "Question asked", frozenset({State.INFORMATION_ASKED})),
    View("matching", "With matching", frozenset({State.AWAITING_PROPOSAL, State.CONFIRMED})),
    View("waiting", "Waiting list", frozenset({State.WAITING})),
    View("gathering", "Groups gathering", frozenset({State.PLACE_HELD})),
    View("closed", "Closed", frozenset({State.MATCHED, State.DECLINED, State.WITHDRAWN})),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A case in the queue, with the client's name."""

    queued: Queued
    name: str | None
    overdue: bool


async def show(request: Request) -> Response:
    """The queue; open cases unless another view is asked for."""
    wanted = request.query_params.get("view", "open")
    view = next((each for each in VIEWS if each.name == wanted), VIEWS[0])
    number = request.query_params.get("page", "1")
    page = int(number) if number.isascii() and number.isdecimal() and 0 < len(number) <= 5 else 1
    promise = settings_of(request).promise
    looked_for = request.query_params.get("reference", "").strip()[:LONGEST_REFERENCE]
    async with service_of(request).database.transaction() as tx:
        staff = await signed_in(request, tx)
        if looked_for and len(cases := await referred_to(tx, looked_for)) == 1:
            return RedirectResponse(f"/cases/{cases[0]}", 303)
        # A mail that did not arrive needs a person, even if the case itself is closed.
        found = await queue(tx, view.states, max(1, page), trouble=view.name == "open")
        if found.page > found.pages:
            # Cases leave the queue while somebody leafs through it.
            found = await queue(tx, view.states, found.pages, trouble=view.name == "open")
        numbers = await counts(tx)
        open_now = found.total if view.name == "open" else await total(tx, OPEN_STATES, trouble=True)
        rows = [
            Row(each, await name_on(tx, each), each.case.is_overdue(promise, tx.now)) for each in found.cases
        ]
        now = tx.now
    return look_of(request).page(
        "queue.html",
        staff=staff,
        view=view,
        views=[
            (each, open_now if each.name == "open" else sum(numbers[state] for state in each.states))
            for each in VIEWS
        ],
        found=found,
        looked_for=looked_for,
        rows=rows,
        now=now,
    )
