"""Who lacks something the client brings is looked at after those who do not, and may still come first."""

from dataclasses import replace
from typing import Any

import pytest

from services.matching.domain.engine import Engine, entry_of
from services.matching.domain.ranking import Rules
from services.matching.domain.therapist import Outcomes, Therapist
from shared.contract.vocabulary import Condition, Mode, ProblemArea, Slot
from tests.matching.builders import RULES, THE_DAY, a_search, a_therapist, an_accreditation

POLICY = RULES.policy
WITH_OUTCOMES = replace(
    RULES, policy=POLICY.model_copy(update={"outcome": POLICY.outcome.model_copy(update={"on": True})})
)
TWO_AREAS = (ProblemArea.GRIEF, ProblemArea.ROLE_DISPUTE)
TWO_CONDITIONS = (Condition.DEPRESSION, Condition.ANXIETY)
HERE, FAR = "E1", "UB10"

# Nobody can have more points than this.
BEST: dict[str, Any] = {
    "outcode": HERE,
    "problem_areas": frozenset(ProblemArea),
    "conditions": frozenset(Condition),
    "slots": frozenset(Slot),
    "accreditations": (an_accreditation(cases=POLICY.caps.experience_cases),),
    "seats_offered": 4,
    "seats_free": 4,
    "fee_pence": 0,
}
ASKED: dict[str, Any] = {
    "outcode": HERE,
    "mode": Mode.EITHER,
    "problem_areas": TWO_AREAS,
    "life_event": None,
    "conditions": TWO_CONDITIONS,
    "availability": tuple(Slot),
    "max_fee_pence": 10_000,
}


def in_order(rules: Rules, dearer_by: int, whole: Therapist, lacking: Therapist) -> list[Therapist]:
    """Both, as the engine puts them, where whoever lacks nothing has a price."""
    engine = Engine(rules.policy, rules.places, THE_DAY)
    engine.put([entry_of(whole), entry_of(lacking)])
    engine.set_prices({whole.id: dearer_by})
    [first] = engine.best(a_search(rules=rules, **ASKED), 1)
    pair = [whole, lacking]
    return pair if first.therapist_id == whole.id else pair[::-1]


@pytest.mark.parametrize("lived", [HERE, FAR])
@pytest.mark.parametrize("rules", [RULES, WITH_OUTCOMES], ids=["without outcomes", "with outcomes"])
@pytest.mark.parametrize(
    ("lacks", "loses"),
    [
        ({"problem_areas": frozenset({TWO_AREAS[0]})}, POLICY.weights.problem_area // 2),
        ({"conditions": frozenset({TWO_CONDITIONS[1]})}, POLICY.weights.condition // 2),
    ],
    ids=["an area", "a condition"],
)
def test_who_lacks_something_comes_first_as_soon_as_they_are_worth_as_much(
    lacks: dict[str, Any], loses: int, rules: Rules, lived: str
) -> None:
    # Of equals the lower id comes first, which is that of who is looked at last.
    two = sorted((a_therapist("ada", **BEST), a_therapist("ben", **BEST)), key=lambda each: each.id)
    lacking, whole = (replace(each, outcode=lived, outcomes=Outcomes(cases=200, change=400)) for each in two)
    lacking = replace(lacking, **lacks)

    assert in_order(rules, loses - 1, whole, lacking) == [whole, lacking]
    assert in_order(rules, loses, whole, lacking) == [lacking, whole]
