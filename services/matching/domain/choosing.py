"""What a person's decision means: the therapist on the shortlist, on the pathway that was chosen."""

from shared.contract.matching import Candidate
from shared.contract.vocabulary import Variant


def as_chosen(candidate: Candidate, variant: Variant | None) -> Candidate | None:
    """The candidate as staff decided for them; None if that pathway was never offered with them."""
    if variant in {None, candidate.variant}:
        return candidate
    for other in candidate.other_pathways:
        if other.variant is variant:
            return candidate.model_copy(
                update={
                    "variant": other.variant,
                    "mode": other.mode,
                    "score": other.score,
                    "group": other.group,
                }
            )
    return None
