"""The points that depend on the policy alone, as numbers."""

from typing import NamedTuple

import numpy as np

from services.matching.domain.engine.columns import SLOT, Array
from services.matching.domain.policy import Policy


class Terms(NamedTuple):
    """Points that depend on the policy alone."""

    most_standing: int  # whoever has all seats free at once, and did best
    slots: Array  # by the number of shared times, up to all of them
    experience: Array  # by the number of closed cases
    band_metres: Array
    band_points: Array


def terms_of(policy: Policy) -> Terms:
    """The policy's points."""
    shared, closed = policy.caps.shared_slots, policy.caps.experience_cases
    outcome = policy.outcome.points.above if policy.outcome.on else 0
    return Terms(
        most_standing=policy.weights.caseload + policy.weights.wait + max(outcome, 0),
        slots=np.array(
            [policy.weights.availability * min(n, shared) // shared for n in range(len(SLOT) + 1)], np.int64
        ),
        experience=np.array([policy.weights.experience * n // closed for n in range(closed + 1)], np.int64),
        band_metres=np.array([band.up_to_km * 1000 for band in policy.distance_bands], np.int64),
        band_points=np.array([band.points for band in policy.distance_bands], np.int64),
    )
