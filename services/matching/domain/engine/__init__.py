"""The directory as columns in memory: who passes every gate, best first, in microseconds."""

from services.matching.domain.engine.answers import Nearest, Placed
from services.matching.domain.engine.columns import Seats
from services.matching.domain.engine.encoding import Entry, entry_of
from services.matching.domain.engine.engine import Engine
from services.matching.domain.engine.warming import warm_up

__all__ = ["Engine", "Entry", "Nearest", "Placed", "Seats", "entry_of", "warm_up"]
