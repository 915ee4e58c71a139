"""The door for other systems that read the directory or keep it: JSON over HTTP, with an API key each."""

from starlette.routing import BaseRoute, Route

from services.matching.api.changing import confirm, put
from services.matching.api.looking import page, show
from services.matching.api.pace import Pace

__all__ = ["Pace", "routes"]


def routes() -> list[BaseRoute]:
    """Every address of the API."""
    return [
        Route("/api/v1/therapists", page, methods=["GET"]),
        Route("/api/v1/therapists/{id}", show, methods=["GET"], name="api-therapist"),
        Route("/api/v1/therapists/{id}", put, methods=["PUT"]),
        Route("/api/v1/therapists/{id}/confirm", confirm, methods=["POST"]),
    ]
