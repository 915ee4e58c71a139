"""What pages look like: templates, their words, the one stylesheet, and pages for what goes wrong."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup, escape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.review import gateway
from services.review.domain import cautions, wording
from services.review.domain.staff import Staff
from services.review.gateway import settings_of
from services.review.settings import Settings
from services.review.store import sessions
from shared.kit import problems
from shared.kit.errors import KeyDestroyed
from shared.kit.problems import ExceptionHandler, Problem
from shared.kit.transaction import Transaction

TEMPLATES = Path(__file__).parents[1] / "templates"
_CITATION = re.compile(r"(?P<name>[^;\s][^;]*?), (?P<address>https://[^\s;]+)")


@dataclass(frozen=True, slots=True)
class Look:
    """Renders pages."""

    environment: Environment
    css: bytes
    css_version: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The look of one clinic."""
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=select_autoescape(default=True),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        css = (TEMPLATES / "review.css").read_bytes()
        version = hashlib.sha256(css).hexdigest()[:12]
        environment.globals.update(
            clinic=settings.clinic_name,
            promise=settings.promise,
            css_version=version,
            words=wording,
            cautions=cautions,
        )
        environment.filters.update(
            moment=wording.moment,
            day=wording.day,
            lasting=wording.lasting,
            pounds=wording.pounds,
            plain=_plain,
            capitalize_first=_capitalised,
            cited=_cited,
        )
        return cls(environment, css, version)

    def page(self, template: str, *, staff: Staff | None, status: int = 200, **context: Any) -> HTMLResponse:
        """A page."""
        return HTMLResponse(self.environment.get_template(template).render(staff=staff, **context), status)

    @staticmethod
    async def stylesheet(request: Request) -> Response:
        """The stylesheet; its address changes with it, so it may be kept."""
        look = look_of(request)
        return Response(
            look.css,
            media_type="text/css",
            headers={"cache-control": "public, max-age=31536000, immutable"},
        )


class SignedOut(Exception):
    """There is no session, or it has ended."""


def look_of(request: Request) -> Look:
    """The look that was provided."""
    look: Look = request.app.state.provided[Look]
    return look


async def signed_in(request: Request, tx: Transaction) -> Staff:
    """Who is at the page; raises SignedOut."""
    settings = settings_of(request)
    token = gateway.cookie_in(request, settings)
    staff = await sessions.staff_for(tx, token, settings.lifetime.idle) if token is not None else None
    if staff is None:
        raise SignedOut
    return staff


def problem_handlers() -> Mapping[Any, ExceptionHandler]:
    """What a browser is shown when something goes wrong; programs get problem details."""
    return {
        SignedOut: _to_sign_in,
        Problem: _page_or(problems.on_problem),
        HTTPException: _page_or(problems.on_http_exception),
        KeyDestroyed: _page_or(problems.on_erased),
        Exception: _page_or(problems.on_unexpected),
    }


_TROUBLE = {
    401: ("Sign in first", "Your session has ended."),
    403: ("Not allowed", "This came from another site, or is not yours to do. Nothing was changed."),
    404: ("There is nothing here", "The address is wrong, or the case does not exist."),
    405: ("That cannot be done here", "Go back to the queue and try again."),
    410: ("This person has been erased", "Nothing of theirs can be shown or decided any more."),
    413: ("That was too long", "Shorten what you wrote and send it again."),
}
_THEIRS = ("That could not be read", "Nothing was changed. Go back, check what you sent, and send it again.")
_OURS = (
    "Something went wrong on our side",
    "Nothing was changed. Try again; if it stays, tell an administrator.",
)


def _page_or(handler: ExceptionHandler) -> ExceptionHandler:
    async def answer(request: Request, error: Exception) -> Response:
        response = await handler(request, error)
        if not _is_page(request):
            return response
        status = response.status_code
        title, text = _TROUBLE.get(status, _THEIRS if status < 500 else _OURS)
        return look_of(request).page("problem.html", staff=None, status=status, title=title, text=text)

    return answer


async def _to_sign_in(request: Request, _error: Exception) -> Response:
    # A form leads back to the page that it stood on.
    back = request.url.path if request.method == "GET" else request.url.path.rpartition("/")[0] or "/"
    return RedirectResponse(f"/login?next={quote(back)}", 303)


def _is_page(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _cited(source: str) -> Markup:
    """A source with each name as the link to its address, which is long and says nothing to a reader."""
    parts, end = [], 0
    for found in _CITATION.finditer(source):
        link = Markup('<a href="{}" rel="noreferrer">{}</a>').format(found["address"], found["name"])
        parts += [escape(source[end : found.start()]), link]
        end = found.end()
    return Markup("").join([*parts, escape(source[end:])])


def _plain(code: str) -> str:
    """A code as words: `details.problem_areas` is `problem areas`; places in a list are left out."""
    parts = [each for each in code.split(".") if not each.isdecimal()]
    return parts[-1].replace("_", " ") if parts else code
