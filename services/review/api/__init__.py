"""The JSON door: what the pages show and do, for programs."""

from starlette.routing import Route

from services.review.api import cases, sessions

__all__ = ["routes"]


def routes() -> list[Route]:
    """The addresses of this door."""
    one = "/api/v1/cases/{request_id:uuid}"
    return [
        Route("/api/v1/session", sessions.begin_session, methods=["POST"]),
        Route("/api/v1/session", sessions.end_session, methods=["DELETE"]),
        Route("/api/v1/cases", cases.list_cases, methods=["GET"]),
        Route(one, cases.show_case, methods=["GET"]),
        Route(f"{one}/mails/settle", cases.settle_mail, methods=["POST"]),
        Route(f"{one}/{{action}}", cases.act, methods=["POST"]),
    ]
