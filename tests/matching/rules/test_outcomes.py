"""How courses went counts only if the policy says so, from enough cases, drawn in, in three tiers."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from services.matching.domain.outcomes import OutcomeTier, tier_of
from services.matching.domain.policy import PolicyFault, read_policy
from services.matching.domain.ranking import Rules, rank, search_for
from services.matching.domain.therapist import Outcomes
from services.matching.settings import POLICY
from shared.contract.matching import Shortlist
from tests.matching.builders import RULES, THE_DAY, a_search, a_therapist
from tests.matching.random_matching import random_case, random_therapist

OFF = RULES.policy.outcome
ON = OFF.model_copy(update={"on": True})
WITH_OUTCOMES = replace(RULES, policy=RULES.policy.model_copy(update={"outcome": ON}))


def listed(rules: Rules, *figures: Outcomes | None) -> dict[Outcomes | None, Any]:
    therapists = {a_therapist(f"t{place}").id: each for place, each in enumerate(figures)}
    found = rank(
        a_search(),
        [replace(a_therapist(f"t{place}"), outcomes=each) for place, each in enumerate(figures)],
        rules,
    )
    assert isinstance(found, Shortlist)
    return {therapists[each.therapist_id]: each for each in found.candidates}


@pytest.mark.parametrize(
    ("known", "tier"),
    [
        (None, OutcomeTier.AVERAGE),
        (Outcomes(14, 999), OutcomeTier.AVERAGE),
        (Outcomes(14, -999), OutcomeTier.AVERAGE),
        # 15 cases against the 19 that the mean counts for: 23 above it is drawn in to 10.
        (Outcomes(15, 80 + 22), OutcomeTier.AVERAGE),
        (Outcomes(15, 80 + 23), OutcomeTier.ABOVE),
        (Outcomes(15, 80 - 22), OutcomeTier.AVERAGE),
        (Outcomes(15, 80 - 23), OutcomeTier.BELOW),
        # The same result from many cases is drawn in less.
        (Outcomes(190, 80 + 11), OutcomeTier.ABOVE),
        (Outcomes(190, 80 + 10), OutcomeTier.AVERAGE),
        (Outcomes(190, 80 - 11), OutcomeTier.BELOW),
    ],
)
def test_few_cases_are_drawn_towards_the_mean(known: Outcomes | None, tier: OutcomeTier) -> None:
    assert tier_of(known, ON) is tier


def test_no_byte_of_a_list_changes_while_outcomes_do_not_count() -> None:
    dice = Random(11)
    directory = [random_therapist(dice) for _ in range(60)]
    without = [replace(each, outcomes=None) for each in directory]

    for _ in range(40):
        search = search_for(random_case(dice), THE_DAY, RULES)
        assert rank(search, directory, RULES) == rank(search, without, RULES)


def test_whoever_does_better_comes_first_and_is_told_apart_by_tier_alone() -> None:
    better, best, worse = Outcomes(60, 130), Outcomes(60, 190), Outcomes(60, 20)

    found = listed(WITH_OUTCOMES, worse, None, better, best)

    assert {each.score - found[worse].score for each in (found[better], found[best])} == {ON.points.above}
    assert found[None].score - found[worse].score == ON.points.average
    reason = found[better].reasons[-1]
    assert (reason.term, reason.field) == ("outcome", "directory.outcome")
    # No figure of anybody's is ever said.
    assert reason.text == "Closed courses went better than the clinic's average."


def test_fewer_cases_than_the_evidence_asks_for_are_refused() -> None:
    text = POLICY.read_text(encoding="utf-8")

    with pytest.raises(PolicyFault, match=r"line \d+, outcome.least_cases"):
        read_policy(text.replace("least_cases = 15", "least_cases = 10"))
    with pytest.raises(PolicyFault, match="below must not exceed average"):
        read_policy(text.replace("average = 30", "average = 90"))
