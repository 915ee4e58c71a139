"""What matching does about each event it hears, and about those who wait."""

from services.matching.handlers.events import handlers
from services.matching.handlers.proposing import Matcher
from services.matching.handlers.waiting import begin_day, offer_to_waiting, waiting_list_worker

__all__ = ["Matcher", "begin_day", "handlers", "offer_to_waiting", "waiting_list_worker"]
