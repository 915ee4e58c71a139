"""What notify does about each event, and the worker that sends what was written."""

from services.notify.handlers.hearing import handlers
from services.notify.handlers.sending import Sender, send_messages

__all__ = ["Sender", "handlers", "send_messages"]
