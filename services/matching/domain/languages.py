"""Which of the languages that a client asks for a therapist meets by those that they work in."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from shared.languages import SIGNED, language

ALSO_MET_BY: dict[str, tuple[str, ...]] = {
    # Two ways of writing what is spoken alike.
    "no": ("nb", "nn"),
    "nb": ("no", "nn"),
    "nn": ("no", "nb"),
    # Not the other way: whoever lists Chinese may not speak the one that is asked for.
    "zh": ("yue", "cmn"),
}
"""By whom a language is met beside those who list it."""

UNCLEAR = frozenset({"zh"})
"""What does not say which language is spoken: staff are to ask."""


class Common(NamedTuple):
    """A language that client and therapist have in common."""

    asked: str
    works_in: tuple[str, ...]
    """As the therapist lists it; several only where it is not clear which of them was meant."""

    preferred: bool


def wanted(asked: Sequence[str]) -> tuple[str, ...]:
    """The languages that count, the preferred one first: beside one that is signed, no spoken one does."""
    return tuple(each for each in asked if each in SIGNED) or tuple(asked)


def signs(asked: Sequence[str]) -> bool:
    """Whether a language is among them that is signed."""
    return any(each in SIGNED for each in asked)


def common(asked: Sequence[str], works_in: Collection[str]) -> Common | None:
    """The first language asked for that is met by who works in these; None if none is."""
    counted = wanted(asked)
    for each in counted:
        if meeting := _meeting(each, works_in):
            return Common(each, meeting, each == counted[0])
    return None


def met_by(works_in: Collection[str]) -> list[str]:
    """Every language that, asked for, is met by who works in these."""
    return [*works_in, *(each for each in ALSO_MET_BY if each not in works_in and _meeting(each, works_in))]


def unclear(asked: Sequence[str], shared: Common) -> bool:
    """Whether it is not known that client and therapist would understand each other."""
    return shared.asked in UNCLEAR and not set(shared.works_in).intersection(asked) - UNCLEAR


def spoken(shared: Common) -> str:
    """What client and therapist would speak or sign, by name."""
    return " or ".join(language(each) for each in shared.works_in)


def _meeting(asked: str, works_in: Collection[str]) -> tuple[str, ...]:
    others = tuple(each for each in ALSO_MET_BY.get(asked, ()) if each in works_in)
    exactly = (asked,) if asked in works_in else ()
    return others or exactly if asked in UNCLEAR else exactly or others[:1]
