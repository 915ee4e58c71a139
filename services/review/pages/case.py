"""The whole case on one screen, and the forms that act on it."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.review.domain.case import PROMISED
from services.review.domain.deciding import QUESTION_LENGTH, REASON_LENGTH, Fault, Refused, allowed
from services.review.domain.staff import Staff
from services.review.domain.wishes import WISHES, Action, SettleMail, Under16Basis
from services.review.gateway import request_id_in, service_of, settings_of
from services.review.pages.look import look_of, signed_in
from services.review.store import deciding
from services.review.store.audit import Entry
from services.review.store.case_file import open_file
from services.review.store.deciding import Changed, NoSuchCase
from shared.ages import CONSENT_AGE, age_on, day_in_london
from shared.contract.vocabulary import OnwardRoute
from shared.kit.problems import Problem, field_errors
from shared.kit.transaction import Transaction

SEVERAL = frozenset({"exclude"})
CHOICE = "choice"


async def show(request: Request) -> Response:
    """The case; that it was opened is noted."""
    async with service_of(request).database.transaction() as tx:
        staff = await signed_in(request, tx)
        return await _page(request, tx, staff, done=request.query_params.get("done"))


async def act(request: Request) -> Response:
    """Acts on the case; what cannot be done is explained on the case, with all that was typed."""
    name = request.path_params["action"]
    if name not in set(Action):
        raise Problem(404, "no_such_action")
    action = Action(name)
    database = service_of(request).database
    async with database.transaction() as tx:
        staff = await signed_in(request, tx)
    given = await _given(request)
    status, faults, notice, since = 422, list[Fault](), None, list[Entry]()
    try:
        wish = WISHES[action].model_validate(given)
        async with database.transaction() as tx:
            staff = await signed_in(request, tx)
            await deciding.act(tx, staff, request_id_in(request), wish)
    except ValidationError as error:
        faults = [Fault(each.field, each.rule) for each in field_errors(error)]
    except NoSuchCase:
        raise Problem(404, "no_such_case") from None
    except Changed as changed:
        status, since = 409, changed.since
        notice = "This case has changed since you opened it. Nothing that you decided was done."
    except Refused as refused:
        status, faults = (422, list(refused.faults)) if refused.faults else (409, [])
        notice = None if refused.faults else f"That was not done: {refused.rule}."
    else:
        return RedirectResponse(f"{_address(request)}?done={quote(action.value)}", 303)
    async with database.transaction() as tx:
        return await _page(
            request, tx, staff, status, action=action, given=given, faults=faults, notice=notice, since=since
        )


async def settle_mail(request: Request) -> Response:
    """Notes how somebody was told whom a mail did not reach."""
    database = service_of(request).database
    async with database.transaction() as tx:
        staff = await signed_in(request, tx)
    given = await _given(request)
    given.pop("version", None)
    faults: list[Fault] = []
    try:
        wish = SettleMail.model_validate(given)
        async with database.transaction() as tx:
            staff = await signed_in(request, tx)
            await deciding.settle_mail(tx, staff, request_id_in(request), wish)
    except ValidationError as error:
        faults = [Fault(each.field, each.rule) for each in field_errors(error)]
    except NoSuchCase:
        raise Problem(404, "no_such_case") from None
    except Refused as refused:
        faults = list(refused.faults)
    else:
        return RedirectResponse(f"{_address(request)}?done=mail_settled", 303)
    async with database.transaction() as tx:
        return await _page(request, tx, staff, 422, action="settle-mail", given=given, faults=faults)


async def _page(
    request: Request,
    tx: Transaction,
    staff: Staff,
    status: int = 200,
    *,
    done: str | None = None,
    action: str | None = None,
    given: Mapping[str, Any] | None = None,
    faults: list[Fault] | None = None,
    notice: str | None = None,
    since: list[Entry] | None = None,
) -> Response:
    file = await open_file(tx, staff, request_id_in(request))
    if file is None:
        raise Problem(404, "no_such_case")
    case, details = file.case, file.details
    age = age_on(day_in_london(tx.now), details.date_of_birth) if details is not None else None
    mine = case.claimed_by in {None, staff.id}
    return look_of(request).page(
        "case.html",
        staff=staff,
        status=status,
        file=file,
        case=case,
        age=age,
        under_16=age is not None and age < CONSENT_AGE,
        allowed=allowed(case) if details is not None else frozenset(),
        mine=mine,
        candidates={each.therapist_id: each for each in file.shortlist.candidates} if file.shortlist else {},
        promised=case.state in PROMISED,
        overdue=case.is_overdue(settings_of(request).promise, tx.now),
        now=tx.now,
        age_of=partial(age_on, day_in_london(tx.now)),
        routes=list(OnwardRoute),
        bases=Under16Basis,
        reason_length=REASON_LENGTH,
        question_length=QUESTION_LENGTH,
        done=done,
        action=action,
        given=given or {},
        faults={each.field: each.rule for each in faults or ()},
        notice=notice,
        since=since or [],
    )


async def _given(request: Request) -> dict[str, Any]:
    """What a form holds; what was left empty counts as not given."""
    form: FormData = await request.form(max_files=0, max_fields=100)
    given: dict[str, Any] = {}
    for name in form:
        values = [each for each in form.getlist(name) if isinstance(each, str) and each.strip()]
        if values:
            # Browsers send line ends as CR LF.
            texts = [each.replace("\r\n", "\n") for each in values]
            given[name] = texts if name in SEVERAL else texts[-1]
    if CHOICE in given:
        # One button chooses both: the therapist, and the pathway with them.
        given["therapist_id"], _, given["variant"] = given.pop(CHOICE).partition(" ")
    return given


def _address(request: Request) -> str:
    return f"/cases/{request_id_in(request)}"
