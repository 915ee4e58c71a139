"""Whether a proposal that nobody has decided on yet still stands."""

from collections.abc import Mapping, Sequence

from services.matching.domain.gates import Fit, Gate, Search
from services.matching.domain.grouping import narrowed
from services.matching.domain.languages import common
from services.matching.domain.pathways import pathways_of
from services.matching.domain.ranking import Rules, still_fits
from services.matching.domain.therapist import Therapist
from shared.contract.ids import TherapistId
from shared.contract.matching import Candidate, Group, Pathway, Shortlist


def stands(
    search: Search, shortlist: Shortlist, therapists: Mapping[TherapistId, Therapist], rules: Rules
) -> bool:
    """Whether everybody on it may still be proposed, by the pathways that fit the client's age of today.

    A seat that was taken is found out by the decision.
    """
    today = pathways_of(search.case, search.on, rules.policy, search.asked_by)
    # A birthday opens a pathway, shuts one, or changes what to heed, such as whose consent is needed.
    if _weighed(shortlist.pathways) != _weighed(today.fitting):
        return False
    return all(
        _qualifies(search, candidate, therapists.get(candidate.therapist_id), rules)
        for candidate in shortlist.candidates
    )


def _weighed(pathways: Sequence[Pathway]) -> frozenset[object]:
    """What staff weigh of the pathways; that a rule or a source is worded anew changes no decision."""
    return frozenset(
        (
            each.variant,
            each.format,
            each.evidence,
            frozenset((one.condition, one.evidence) for one in each.supports),
            # Every word counts of a caution: it may say for the first time whom not to ask.
            frozenset(each.cautions),
        )
        for each in pathways
    )


def _qualifies(search: Search, candidate: Candidate, therapist: Therapist | None, rules: Rules) -> bool:
    # Who offers no seat at all has left.
    if therapist is None or therapist.seats_offered == 0:
        return False
    if candidate.group is not None and not _leads(therapist, candidate.group):
        return False
    wanted = search if candidate.group is None else narrowed(search, candidate.mode)
    fit = still_fits(wanted, therapist, candidate.variant, rules)
    return fit is Gate.SEAT or (isinstance(fit, Fit) and fit.mode is candidate.mode)


def _leads(therapist: Therapist, group: Group) -> bool:
    """Whether a leader still has what the group was shown with: its language, and a time to open it at."""
    return common((group.language,), therapist.languages) is not None and (
        group.group_id is not None or group.slot in therapist.slots
    )
