"""Who lacks something the client brings is passed over unseen only if they cannot come first any more."""

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
ENOUGH, AVAILABILITY = POLICY.caps.shared_slots, POLICY.weights.availability
TWO_AREAS = (ProblemArea.GRIEF, ProblemArea.ROLE_DISPUTE)
TWO_CONDITIONS = (Condition.DEPRESSION, Condition.ANXIETY)
HERE, FAR = "E1", "UB10"
BETWEEN = 100

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
    "max_fee_pence": 10_000,
}


def engine_of(rules: Rules, dearer_by: int, whole: Therapist, lacking: Therapist) -> Engine:
    """Both and many others, where whoever lacks nothing has a price."""
    engine = Engine(rules.policy, rules.places, THE_DAY)
    engine.put([entry_of(whole)])
    # So many between them that when it comes to the later one it knows whom they have to come before.
    engine.put([entry_of(a_therapist(f"other {n}", outcode=lacking.outcode)) for n in range(BETWEEN)])
    engine.put([entry_of(lacking)])
    engine.set_prices({whole.id: dearer_by})
    return engine


@pytest.mark.parametrize("times", [tuple(Slot), tuple(Slot)[: ENOUGH - 1]], ids=["all times", "few times"])
@pytest.mark.parametrize("lived", [HERE, FAR])
@pytest.mark.parametrize("rules", [RULES, WITH_OUTCOMES], ids=["without outcomes", "with outcomes"])
@pytest.mark.parametrize(
    ("lacks", "loses"),
    [
        ({"problem_areas": frozenset({TWO_AREAS[0]})}, POLICY.weights.problem_area // 2),
        ({"conditions": frozenset({TWO_CONDITIONS[1]})}, POLICY.weights.condition // 2),
        ({"slots": frozenset([*Slot][1:ENOUGH])}, AVAILABILITY - AVAILABILITY * (ENOUGH - 1) // ENOUGH),
    ],
    ids=["an area", "a condition", "a time"],
)
def test_who_lacks_something_comes_first_as_soon_as_they_are_worth_as_much(
    lacks: dict[str, Any], loses: int, rules: Rules, lived: str, times: tuple[Slot, ...]
) -> None:
    # Of equals the lower id comes first, which is that of who is looked at last.
    two = sorted((a_therapist("ada", **BEST), a_therapist("ben", **BEST)), key=lambda each: each.id)
    lacking, whole = (replace(each, outcode=lived, outcomes=Outcomes(cases=200, change=400)) for each in two)
    lacking = replace(lacking, **lacks)

    search = a_search(rules=rules, **ASKED, availability=times)

    [first] = engine_of(rules, loses - 1, whole, lacking).best(search, 1)
    assert first.therapist_id == whole.id
    [first] = engine_of(rules, loses, whole, lacking).best(search, 1)
    assert first.therapist_id == lacking.id


def test_who_lacks_something_comes_first_by_a_further_time_as_soon_as_that_outweighs_it() -> None:
    two = sorted((a_therapist("ada", **BEST), a_therapist("ben", **BEST)), key=lambda each: each.id)
    times, others = [*Slot][: ENOUGH - 1], [*Slot][ENOUGH - 1 :]
    lacking = replace(two[0], problem_areas=frozenset({TWO_AREAS[0]}))
    whole = replace(two[1], slots=frozenset(times))
    search = a_search(**ASKED, availability=tuple(times))
    loses = POLICY.weights.problem_area // 2 - AVAILABILITY // ENOUGH

    engine = engine_of(RULES, loses - 1, whole, lacking)
    [first] = engine.best(search, 1)
    assert first.therapist_id == whole.id
    assert engine.with_one_more_time(search, first) == {}

    engine.set_prices({whole.id: loses})
    [first] = engine.best(search, 1)
    assert first.therapist_id == whole.id
    found = engine.with_one_more_time(search, first)
    assert {slot: each.therapist_id for slot, each in found.items()} == dict.fromkeys(others, lacking.id)
