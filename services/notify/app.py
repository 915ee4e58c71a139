"""Wires notify together: handlers write messages, a worker sends them."""

from starlette.applications import Starlette

from services.notify.domain.letters import House, Stationery
from services.notify.handlers import handlers, sending
from services.notify.settings import Settings
from shared.kit.service import assemble


def build_app(settings: Settings) -> Starlette:
    """The service, ready to be served."""
    house = House(settings.clinic_name, settings.mail_from, settings.clinic_phone)
    return assemble(
        "notify",
        settings,
        handlers=handlers,
        provide=[Stationery(house)],
        workers=[sending(settings)],
    )
