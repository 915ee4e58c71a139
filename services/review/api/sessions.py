"""Signing in and out, for programs."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.review import gateway
from services.review.api.asking import valid
from services.review.domain.staff import WINDOW
from services.review.gateway import service_of, settings_of
from services.review.store import sessions
from services.review.store.passwords import Passwords
from shared.kit.problems import Problem, read_json


class SignIn(BaseModel):
    """Who wants a session."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    email: Annotated[str, StringConstraints(min_length=1, max_length=254)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=1024)]


async def begin_session(request: Request) -> Response:
    """Signs in."""
    service, settings = service_of(request), settings_of(request)
    body = valid(SignIn, await read_json(request))
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
    settings = settings_of(request)
    token = gateway.token_in(request, settings)
    if token is not None:
        async with service_of(request).database.transaction() as tx:
            await sessions.sign_out(tx, token)
    response = Response(status_code=204)
    gateway.take_back(response, settings)
    return response
