"""The clinic's matching policy: a data file, checked as a whole before anything is ranked by it."""

from services.matching.domain.policy.forms import Form, Need, Tier
from services.matching.domain.policy.reading import PolicyFault, read_policy
from services.matching.domain.policy.weights import OutcomeRules
from services.matching.domain.policy.whole import Policy

__all__ = ["Form", "Need", "OutcomeRules", "Policy", "PolicyFault", "Tier", "read_policy"]
