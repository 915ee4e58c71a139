"""The directory as columns in memory: who passes every gate, best first, in microseconds."""

from services.matching.domain.engine.engine import Engine, Placed

__all__ = ["Engine", "Placed"]
