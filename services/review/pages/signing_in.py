"""Signing in and out."""

from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.review import gateway
from services.review.gateway import service_of, settings_of
from services.review.pages.look import look_of
from services.review.store import sessions
from services.review.store.passwords import Passwords
from shared.kit.problems import Problem

WRONG = "The e-mail address or the password is not right."
TOO_MANY = "Too many attempts. Wait a quarter of an hour, or ask an administrator for a new password."


async def ask(request: Request) -> Response:
    """The sign-in page."""
    return _page(request, back=_back(request.query_params.get("next")), out="out" in request.query_params)


async def sign_in(request: Request) -> Response:
    """Signs in and goes where the person wanted to go."""
    # The guard of the kit looks at requests with cookies; here there may be none yet.
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Problem(403, "cross_site", detail="the request comes from another site")
    settings = settings_of(request)
    form = await request.form(max_files=0, max_fields=10)
    email, password = str(form.get("email", "")), str(form.get("password", ""))
    back = _back(str(form.get("next", "")))
    try:
        session = await sessions.sign_in(
            service_of(request).database,
            request.app.state.provided[Passwords],
            email=email[:254],
            password=password,
            address=gateway.address_of(request),
            lifetime=settings.lifetime,
            replaces=gateway.cookie_in(request, settings),
        )
    except sessions.WrongSignIn:
        return _page(request, back=back, email=email, fault=WRONG, status=401)
    except sessions.TooManyAttempts:
        return _page(request, back=back, email=email, fault=TOO_MANY, status=429)
    response = RedirectResponse(back, 303)
    gateway.hand_out(response, session.token, settings)
    return response


async def sign_out(request: Request) -> Response:
    """Signs out."""
    settings = settings_of(request)
    token = gateway.cookie_in(request, settings)
    if token is not None:
        async with service_of(request).database.transaction() as tx:
            await sessions.sign_out(tx, token)
    response = RedirectResponse("/login?out", 303)
    gateway.take_back(response, settings)
    return response


def _page(
    request: Request,
    *,
    back: str,
    email: str = "",
    fault: str | None = None,
    out: bool = False,
    status: int = 200,
) -> Response:
    return look_of(request).page(
        "login.html", staff=None, status=status, back=back, email=email, fault=fault, out=out
    )


def _back(wanted: str | None) -> str:
    """Only a path of ours: what follows a sign-in must not lead to another site."""
    try:
        path = urlsplit(wanted or "/").path
    except ValueError:
        return "/"
    return quote(path, safe="/-") if path.startswith("/") and not path.startswith("//") else "/"
