"""Which cautions are said once for all pathways, of one pathway alone, or of one therapist alone."""

from collections.abc import Sequence

from shared.contract.matching import Candidate, Caution, OtherPathway, Pathway


def of_all(pathways: Sequence[Pathway]) -> tuple[Caution, ...]:
    """What is to be minded whichever is taken; none where there is but one."""
    if len(pathways) < 2:
        return ()
    return tuple(each for each in pathways[0].cautions if all(each in one.cautions for one in pathways))


def of_pathway(pathway: Pathway, pathways: Sequence[Pathway]) -> tuple[Caution, ...]:
    """What is to be minded if this one is taken, beside that."""
    said = of_all(pathways)
    return tuple(each for each in pathway.cautions if each not in said)


def of_choice(choice: Candidate | OtherPathway, pathways: Sequence[Pathway]) -> tuple[Caution, ...]:
    """What no pathway says that the therapist would take."""
    theirs = [one for one in pathways if one.variant is choice.variant]
    return tuple(
        each for each in choice.cautions if not theirs or any(each not in one.cautions for one in theirs)
    )
