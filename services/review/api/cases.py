"""The queue, the case, and what staff do with it."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.review.api import documents
from services.review.api.asking import page_in, signed_in, states_in, valid
from services.review.domain.deciding import Refused
from services.review.domain.wishes import WISHES, Action, SettleMail
from services.review.gateway import request_id_in, service_of, settings_of
from services.review.store import deciding
from services.review.store.case_file import open_file
from services.review.store.deciding import Changed, NoSuchCase
from services.review.store.queue import OPEN_STATES, queue
from shared.kit.problems import Problem, read_json


async def list_cases(request: Request) -> Response:
    """A page of the queue."""
    states, page = states_in(request), page_in(request)
    async with service_of(request).database.transaction() as tx:
        await signed_in(request, tx)
        found = await queue(tx, states or OPEN_STATES, page, trouble=not states)
        now = tx.now
    return JSONResponse(
        {
            "cases": [documents.queued(each, now, settings_of(request)) for each in found.cases],
            "total": found.total,
            "page": found.page,
            "pages": found.pages,
        }
    )


async def show_case(request: Request) -> Response:
    """The whole case; that it was opened is noted."""
    async with service_of(request).database.transaction() as tx:
        staff = await signed_in(request, tx)
        file = await open_file(tx, staff, request_id_in(request))
        now = tx.now
    if file is None:
        raise documents.no_such_case()
    return JSONResponse(documents.whole(file, now, settings_of(request)))


async def act(request: Request) -> Response:
    """Acts on a case: claim, release, confirm, choose, rematch, decline or ask."""
    name = request.path_params["action"]
    if name not in set(Action):
        raise Problem(404, "no_such_action", detail=f"actions are {', '.join(Action)}")
    # Who is not signed in is told so before anything else.
    async with service_of(request).database.transaction() as tx:
        await signed_in(request, tx)
    wish = valid(WISHES[Action(name)], await read_json(request))
    try:
        async with service_of(request).database.transaction() as tx:
            staff = await signed_in(request, tx)
            done = await deciding.act(tx, staff, request_id_in(request), wish)
    except NoSuchCase:
        raise documents.no_such_case() from None
    except Changed as changed:
        raise documents.changed(changed, wish) from None
    except Refused as refused:
        raise documents.refused(refused) from None
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
    async with service_of(request).database.transaction() as tx:
        await signed_in(request, tx)
    wish = valid(SettleMail, await read_json(request))
    try:
        async with service_of(request).database.transaction() as tx:
            staff = await signed_in(request, tx)
            await deciding.settle_mail(tx, staff, request_id_in(request), wish)
    except NoSuchCase:
        raise documents.no_such_case() from None
    except Refused as refused:
        raise documents.refused(refused) from None
    return Response(status_code=204)
