"""Wires review together; read this first."""

from collections.abc import Sequence

from starlette.applications import Starlette

from services.review import api, pages
from services.review.handlers import handlers
from services.review.settings import Settings
from services.review.store.passwords import Passwords
from services.review.store.tidying import tidy_up
from shared.kit.clock import Clock
from shared.kit.service import Service, assemble


def build_app(settings: Settings, clock: Clock | None = None) -> Starlette:
    """The whole service."""
    return assemble(
        "review",
        settings,
        handlers=handlers,
        routes=[*api.routes(), *pages.routes()],
        provide=[pages.Look.of(settings)],
        prepare=_prepare,
        workers=[tidy_up],
        exception_handlers=pages.problem_handlers(),
        clock=clock,
    )


async def _prepare(service: Service) -> Sequence[object]:
    # Here and not when the app is built: it works on a hash to compare unknown accounts with.
    return [Passwords(service.provided[Settings].password_checks_at_once)]
