"""How courses went with a therapist: drawn towards the mean, told apart in tiers, never in a league table."""

from enum import StrEnum

from services.matching.domain.policy import OutcomeRules
from services.matching.domain.therapist import Outcomes


class OutcomeTier(StrEnum):
    """How a therapist's outcomes lie to the clinic's mean."""

    ABOVE = "above"
    AVERAGE = "average"
    BELOW = "below"


def tier_of(known: Outcomes | None, rules: OutcomeRules) -> OutcomeTier:
    """The tier of a therapist; who has too few closed courses to tell counts as average."""
    if known is None or known.cases < rules.least_cases:
        return OutcomeTier.AVERAGE
    # Empirical Bayes: the fewer the cases, the more the mean counts.
    drawn_in = (known.change - rules.mean) * known.cases
    edge = rules.margin * (known.cases + rules.prior_cases)
    if drawn_in >= edge:
        return OutcomeTier.ABOVE
    return OutcomeTier.BELOW if drawn_in <= -edge else OutcomeTier.AVERAGE


def points_of(tier: OutcomeTier, rules: OutcomeRules) -> int:
    """What a tier brings; nothing at all while outcomes do not count."""
    if not rules.on:
        return 0
    points = rules.points
    return {
        OutcomeTier.ABOVE: points.above,
        OutcomeTier.AVERAGE: points.average,
        OutcomeTier.BELOW: points.below,
    }[tier]
