"""What a program asks for: who it is, and whether its request can be read."""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from services.review.domain.case import State
from services.review.domain.staff import Staff
from services.review.gateway import settings_of, token_in
from services.review.store import sessions
from shared.kit.problems import FieldError, Problem, field_errors
from shared.kit.transaction import Transaction

M = TypeVar("M", bound=BaseModel)


async def signed_in(request: Request, tx: Transaction) -> Staff:
    """Whose session a request shows."""
    settings = settings_of(request)
    token = token_in(request, settings)
    staff = await sessions.staff_for(tx, token, settings.lifetime.idle) if token is not None else None
    if staff is None:
        raise Problem(
            401,
            "sign_in_first",
            detail="there is no session, or it has ended",
            headers={"www-authenticate": "Bearer"},
        )
    return staff


def valid(model: type[M], body: Any) -> M:
    """A body that keeps the rules of its model."""
    try:
        return model.model_validate_json(json.dumps(body))
    except ValidationError as error:
        raise Problem(
            422, "invalid", "The request breaks a rule", errors=tuple(field_errors(error))
        ) from None


def states_in(request: Request) -> frozenset[State]:
    """Which states are asked for; none means that none was named."""
    try:
        return frozenset(State(each) for each in request.query_params.getlist("state"))
    except ValueError:
        error = FieldError("state", f"must be one of {', '.join(State)}")
        raise Problem(422, "invalid", "The request breaks a rule", errors=(error,)) from None


def page_in(request: Request) -> int:
    """Which page of the queue is asked for."""
    text = request.query_params.get("page", "1")
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= 100_000 and len(text) <= 6):
        error = FieldError("page", "must be a number from 1 to 100000")
        raise Problem(422, "invalid", "The request breaks a rule", errors=(error,))
    return int(text)
