"""Wires intake together: the rules, the three doors, and the pages that people see when something fails."""

from starlette.applications import Starlette

from services.intake import api, pages
from services.intake.domain import Outcodes, Rulebook, WarningWords
from services.intake.handlers import handlers
from services.intake.pages import Look
from services.intake.settings import WARNING_WORDS, Settings
from shared.kit.clock import Clock
from shared.kit.pace import Pace
from shared.kit.service import assemble
from shared.places import LONDON


def build_app(settings: Settings, clock: Clock | None = None) -> Starlette:
    """The service, ready to be served."""
    look = Look(settings.clinic_name)
    return assemble(
        "intake",
        settings,
        handlers=handlers,
        routes=[*api.ROUTES, *pages.ROUTES],
        provide=[load_rulebook(), look, Pace()],
        exception_handlers=look.exception_handlers(),
        clock=clock,
    )


def load_rulebook() -> Rulebook:
    """The tables that the rules are read from."""
    return Rulebook(
        Outcodes.from_csv(LONDON.read_text(encoding="utf-8").splitlines()),
        WarningWords.from_toml(WARNING_WORDS.read_text(encoding="utf-8")),
    )
