"""What comes with a request over HTTP: who serves it, and its session, by cookie or as a bearer token."""

from starlette.requests import Request
from starlette.responses import Response

from services.review.settings import Settings
from shared.contract.ids import RequestId
from shared.kit.service import Service

# Over plain http (only ever this machine itself, see the settings) Safari and programs refuse Secure cookies,
# and `__Host-` demands Secure.
SECURE_COOKIE = "__Host-attune_review"
LOCAL_COOKIE = "attune_review"


def service_of(request: Request) -> Service:
    """The running service."""
    service: Service = request.app.state.service
    return service


def settings_of(request: Request) -> Settings:
    """The settings of this service."""
    settings: Settings = request.app.state.provided[Settings]
    return settings


def request_id_in(request: Request) -> RequestId:
    """Which case an address names."""
    return RequestId(request.path_params["request_id"])


def token_in(request: Request, settings: Settings) -> str | None:
    """The token that a request shows; a bearer token counts before a cookie."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip() or None
    return cookie_in(request, settings)


def cookie_in(request: Request, settings: Settings) -> str | None:
    """The token in the cookie."""
    return request.cookies.get(_name(settings)) or None


def hand_out(response: Response, token: str, settings: Settings) -> None:
    """Gives the browser its cookie; it goes when the browser closes, the session ends by itself."""
    response.set_cookie(
        _name(settings), token, path="/", secure=settings.secure, httponly=True, samesite="lax"
    )


def take_back(response: Response, settings: Settings) -> None:
    """Takes the cookie away."""
    response.delete_cookie(_name(settings), path="/", secure=settings.secure, httponly=True, samesite="lax")


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client is not None else "unknown"


def _name(settings: Settings) -> str:
    return SECURE_COOKIE if settings.secure else LOCAL_COOKIE
