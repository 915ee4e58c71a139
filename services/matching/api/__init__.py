"""The door for other systems that read the directory or keep it: JSON over HTTP, with an API key each."""

from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.matching.api.changing import confirm, put, remove
from services.matching.api.looking import page, show

__all__ = ["routes"]


def routes() -> list[BaseRoute]:
    """Every address of the API."""
    return [
        Route("/api/v1/therapists", page, methods=["GET"]),
        Route("/api/v1/therapists/{id}", _Entry, name="api-therapist"),
        Route("/api/v1/therapists/{id}/confirm", confirm, methods=["POST"]),
    ]


class _Entry(HTTPEndpoint):
    # One route, so that what an address takes is told whole when something else is asked of it.
    async def get(self, request: Request) -> Response:
        return await show(request)

    async def put(self, request: Request) -> Response:
        return await put(request)

    async def delete(self, request: Request) -> Response:
        return await remove(request)
