"""What notify does about each event, and the worker that sends what was written."""

from services.notify.handlers.hearing import handlers
from services.notify.handlers.sending import Sender, sending

__all__ = ["Sender", "handlers", "sending"]
