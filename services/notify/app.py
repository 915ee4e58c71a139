"""Wires notify together: handlers write messages, a worker sends them."""

from pathlib import Path

from starlette.applications import Starlette

from services.notify.domain.wording import Letters
from services.notify.handlers import handlers, send_messages
from services.notify.handlers.writing import Desk
from services.notify.settings import Settings
from shared.kit.service import assemble

TEMPLATES = Path(__file__).parent / "templates"


def build_app(settings: Settings) -> Starlette:
    """The service, ready to be served."""
    desk = Desk(Letters.read(TEMPLATES, settings.clinic_name), settings.sender)
    return assemble("notify", settings, handlers=handlers, provide=[desk], workers=[send_messages])
