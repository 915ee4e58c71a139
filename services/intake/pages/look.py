"""Renders the pages, the errors among them; crisis help is part of the frame that all of them share."""

import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.intake.pages import questions
from shared.kit import problems
from shared.kit.errors import KeyDestroyed
from shared.kit.problems import ExceptionHandler, Problem

TEMPLATES = Path(__file__).parents[1] / "templates"
_FOR_PROGRAMMES = ("/api/", "/live", "/ready", "/metrics")


class Look:
    """The templates and the style sheet of one clinic."""

    def __init__(self, clinic_name: str) -> None:
        self.style = (TEMPLATES / "intake.css").read_bytes()
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            clinic=clinic_name,
            # A changed sheet has another address, so that browsers may keep the one they have.
            style_url=f"/static/intake.css?v={hashlib.sha256(self.style).hexdigest()[:12]}",
            choices=questions,
        )

    def page(self, template: str, status: int = 200, **shown: Any) -> Response:
        """One page."""
        return HTMLResponse(self._environment.get_template(template).render(**shown), status)

    def exception_handlers(self) -> dict[Any, ExceptionHandler]:
        """The kit's answers to failures, as pages where people are looking."""
        return {
            failure: self._for_people(problems.HANDLERS[failure])
            for failure in (Problem, HTTPException, KeyDestroyed, Exception)
        }

    def _for_people(self, handler: ExceptionHandler) -> ExceptionHandler:
        async def answer(request: Request, error: Exception) -> Response:
            plain = await handler(request, error)
            if request.url.path.startswith(_FOR_PROGRAMMES):
                return plain
            page = self.page("error.html", plain.status_code, code=plain.status_code)
            if "allow" in plain.headers:
                page.headers["allow"] = plain.headers["allow"]
            return page

        return answer
