"""Says to staff of whoever is listed below a lower score why that is."""

from collections.abc import Sequence

from shared.contract.matching import Candidate, Caution

HELD_BACK = Caution(
    code="held_back",
    text="Scores more than somebody above, but seats here are few, "
    "or soon needed by clients whom few others can serve.",
)
GROUP_FIRST = Caution(
    code="group_first",
    text="Scores more than somebody above, but that one's group is nearer to being formed.",
)


def with_order_told(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The candidates in their order; a caution on whom score alone would have put higher."""
    return tuple(
        each.model_copy(update={"cautions": (*each.cautions, *_why_below(each, candidates[:place]))})
        for place, each in enumerate(candidates)
    )


def _why_below(candidate: Candidate, above: Sequence[Candidate]) -> tuple[Caution, ...]:
    passed = [each for each in above if each.score < candidate.score]
    # Whom even the price does not explain stands above for the sake of a group.
    by_group = [each for each in passed if each.score - each.price < candidate.score - candidate.price]
    held_back = (HELD_BACK,) if len(passed) > len(by_group) else ()
    return (*held_back, *((GROUP_FIRST,) if by_group else ()))
