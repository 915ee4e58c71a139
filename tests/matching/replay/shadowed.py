"""Who is ranked where a policy is tried beside the live one, and by what it differs."""

from tests.matching.builders import a_therapist

ADA = a_therapist("ada", seats_offered=10, seats_free=10, problem_areas=frozenset())
BEN = a_therapist("ben", seats_offered=10, seats_free=10, fee_pence=8900)

ADA_FIRST = "problem_area = 0"
"""By the live policy Ben comes first; one that thinks nothing of problem areas puts Ada there."""
