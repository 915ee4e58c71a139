"""Which cautions are said once for all ways of therapy, of one way alone, or of one therapist alone."""

from collections.abc import Sequence

from shared.contract.matching import Candidate, Caution, Pathway


def of_all(ways: Sequence[Pathway]) -> tuple[Caution, ...]:
    """What is to be minded whichever way is taken; none where there is but one."""
    if len(ways) < 2:
        return ()
    return tuple(each for each in ways[0].cautions if all(each in way.cautions for way in ways))


def of_way(way: Pathway, ways: Sequence[Pathway]) -> tuple[Caution, ...]:
    """What is to be minded if this way is taken, beside that."""
    said = of_all(ways)
    return tuple(each for each in way.cautions if each not in said)


def of_candidate(candidate: Candidate, ways: Sequence[Pathway]) -> tuple[Caution, ...]:
    """What no way says that the therapist would take."""
    theirs = [way for way in ways if way.variant is candidate.variant]
    return tuple(
        each for each in candidate.cautions if not theirs or any(each not in way.cautions for way in theirs)
    )
