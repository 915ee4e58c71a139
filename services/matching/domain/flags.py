"""Which signs of risk a request holds; each was found with its evidence before."""

from collections.abc import Collection

from services.matching.domain.policy import Policy
from shared.contract.intake import CaseDetails
from shared.contract.vocabulary import FlagKind


def flagged(case: CaseDetails, kinds: Collection[FlagKind]) -> bool:
    """Whether there is a sign of one of the kinds."""
    return any(flag.kind in kinds for flag in case.flags)


def may_be_harmed(case: CaseDetails, policy: Policy) -> bool:
    """Whether there is a sign that somebody is being hurt, perhaps by who asks or comes along."""
    return flagged(case, policy.harm_flags)
