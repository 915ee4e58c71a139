"""The pages of staff: sign in, queue, case; rendered here, working without JavaScript."""

from starlette.routing import Route

from services.review.pages import case, queue, signing_in
from services.review.pages.look import Look, problem_handlers

__all__ = ["Look", "problem_handlers", "routes"]


def routes() -> list[Route]:
    """The addresses of all pages."""
    one = "/cases/{request_id:uuid}"
    return [
        Route("/login", signing_in.ask, methods=["GET"]),
        Route("/login", signing_in.sign_in, methods=["POST"]),
        Route("/logout", signing_in.sign_out, methods=["POST"]),
        Route("/", queue.show, methods=["GET"]),
        Route(one, case.show, methods=["GET"]),
        Route(f"{one}/settle-mail", case.settle_mail, methods=["POST"]),
        Route(f"{one}/{{action}}", case.act, methods=["POST"]),
        Route("/review.css", Look.stylesheet, methods=["GET"]),
    ]
