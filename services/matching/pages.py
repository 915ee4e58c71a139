"""The page on which a shadow policy is compared with the live one; for operators."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from services.matching.domain.comparing import COLUMNS, DIVISIONS, TOTALS, Book, figure, report

TEMPLATES = Path(__file__).parent / "templates"


def routes() -> list[Route]:
    """The addresses of the page."""
    return [
        Route("/shadow", show, methods=["GET"]),
        Route("/shadow.json", show_json, methods=["GET"]),
        Route("/shadow.css", stylesheet, methods=["GET"]),
    ]


@dataclass(frozen=True, slots=True)
class ShadowPage:
    """What the page shows, and how."""

    book: Book
    smallest_group: int
    environment: Environment
    css: bytes

    @classmethod
    def of(cls, book: Book, smallest_group: int) -> Self:
        """The page of one comparison."""
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=select_autoescape(default=True),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals.update(
            totals_in_words=TOTALS, columns=COLUMNS, divisions=DIVISIONS, figure=figure
        )
        return cls(book, smallest_group, environment, (TEMPLATES / "shadow.css").read_bytes())

    async def document(self) -> dict[str, Any]:
        """The comparison so far."""
        book = self.book
        # Not in the loop, where rankings would wait for it.
        told = await asyncio.to_thread(report, list(book.comparisons), self.smallest_group, growing=True)
        return {
            "live": book.live,
            "shadow": book.shadow,
            "behind": book.behind,
            "not_compared": dict(sorted(book.faults.items())),
            "smallest_group": self.smallest_group,
            **told,
        }


async def show(request: Request) -> Response:
    """The comparison to read; works without JavaScript."""
    page: ShadowPage = request.app.state.provided[ShadowPage]
    template = page.environment.get_template("shadow.html")
    return HTMLResponse(template.render(await page.document()))


async def show_json(request: Request) -> Response:
    """The comparison for programs."""
    page: ShadowPage = request.app.state.provided[ShadowPage]
    return JSONResponse(await page.document())


async def stylesheet(request: Request) -> Response:
    """How the page looks."""
    page: ShadowPage = request.app.state.provided[ShadowPage]
    return Response(page.css, media_type="text/css", headers={"cache-control": "max-age=3600"})
