"""What matching does about each event it hears, and about those who wait."""

from services.matching.handlers.announcing import announcing_worker, tell_others
from services.matching.handlers.closing import close_erased
from services.matching.handlers.dissolving import dissolve_groups
from services.matching.handlers.doubting import doubt_leaders
from services.matching.handlers.ending import end_courses
from services.matching.handlers.events import handlers
from services.matching.handlers.expiring import Expiring, count, expiring_worker
from services.matching.handlers.lapsing import lapse_undecided, renew_fallen
from services.matching.handlers.pricing import pricing_worker, refresh_prices
from services.matching.handlers.ranking import Matcher
from services.matching.handlers.replaying import Again, Replay
from services.matching.handlers.shadowing import Shadow, ShadowMetrics, measure, shadow_worker
from services.matching.handlers.tidying import forget, tidying_worker
from services.matching.handlers.waiting import begin_day, offer_to_waiting, waiting_list_worker
from services.matching.handlers.watching import watching_worker

__all__ = [
    "Again",
    "Expiring",
    "Matcher",
    "Replay",
    "Shadow",
    "ShadowMetrics",
    "announcing_worker",
    "begin_day",
    "close_erased",
    "count",
    "dissolve_groups",
    "doubt_leaders",
    "end_courses",
    "expiring_worker",
    "forget",
    "handlers",
    "lapse_undecided",
    "measure",
    "offer_to_waiting",
    "pricing_worker",
    "refresh_prices",
    "renew_fallen",
    "shadow_worker",
    "tell_others",
    "tidying_worker",
    "waiting_list_worker",
    "watching_worker",
]
