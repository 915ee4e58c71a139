"""What the engine says of a therapist."""

from typing import NamedTuple
from uuid import UUID

from services.matching.domain.engine.asking import PathwayNumbers
from services.matching.domain.engine.columns import Array
from services.matching.domain.gates import Gate
from shared.contract.ids import TherapistId
from shared.contract.vocabulary import Mode, Variant

_MODES = (Mode.ONLINE, Mode.IN_PERSON)


class Placed(NamedTuple):
    """A therapist's place on the list, on the pathway that suits them best."""

    number: int
    """The therapist's id as one number."""

    variant: Variant
    mode: Mode
    score: int
    order: int
    """Score minus what counts of the price."""

    @property
    def price(self) -> int:
        """What counts of the price."""
        return self.score - self.order

    @property
    def therapist_id(self) -> TherapistId:
        """Who it is."""
        return TherapistId(UUID(int=self.number))


def placed(pathways: PathwayNumbers, best: Array) -> list[Placed]:
    """The rows that the scan wrote down, in words."""
    return [
        Placed(high << 64 | low, pathways.names[pathway], _MODES[in_person], score, order)
        for _, pathway, in_person, score, order, high, low in best.tolist()
    ]


class Nearest(NamedTuple):
    """The next best: whom one gate alone keeps out, and which."""

    number: int
    variant: Variant
    gate: Gate
    score: int

    @property
    def therapist_id(self) -> TherapistId:
        """Who it is."""
        return TherapistId(UUID(int=self.number))
