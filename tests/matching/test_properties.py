"""What holds for every directory and every request, however they are made up."""

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.ranking import rank, search_for
from services.matching.domain.therapist import Therapist
from shared.contract.intake import CaseDetails
from shared.contract.matching import Candidate, NothingFound, Shortlist
from tests.matching import oracle
from tests.matching.builders import RULES, THE_DAY, a_therapist
from tests.matching.random_matching import plain, random_case, random_therapist

SEEDS = st.integers(0, 2**32)
MANY = settings(max_examples=150, deadline=None)


def made_up(seed: int, therapists: int = 40) -> tuple[list[Therapist], CaseDetails]:
    dice = Random(seed)
    return [random_therapist(dice) for _ in range(therapists)], random_case(dice)


def found(directory: list[Therapist], case: CaseDetails) -> Shortlist | NothingFound:
    return rank(search_for(case, THE_DAY, RULES), directory, RULES)


def candidates(answer: Shortlist | NothingFound) -> tuple[Candidate, ...]:
    return answer.candidates if isinstance(answer, Shortlist) else ()


@given(SEEDS)
@MANY
def test_no_candidate_ever_breaks_a_gate(seed: int) -> None:
    directory, case = made_up(seed)
    told: dict[str, Any] = case.model_dump(mode="json")
    by_id = {therapist.id: plain(therapist) for therapist in directory}
    age = search_for(case, THE_DAY, RULES).age

    for candidate in candidates(found(directory, case)):
        therapist = by_id[candidate.therapist_id]
        form = next(form for form in oracle.forms(told, age) if form["variant"] == candidate.variant)
        assert oracle.gates(told, therapist, form, age, THE_DAY)
        assert oracle.how(told, therapist) == candidate.mode
        assert therapist["free"] >= 1


@given(SEEDS)
@MANY
def test_the_same_inputs_give_the_same_bytes_in_whatever_order_they_come(seed: int) -> None:
    directory, case = made_up(seed)
    shuffled = Random(seed + 1).sample(directory, len(directory))

    assert found(directory, case).model_dump_json() == found(shuffled, case).model_dump_json()


@given(SEEDS)
@MANY
def test_whoever_is_added_takes_nobodys_eligibility(seed: int) -> None:
    directory, case = made_up(seed)
    newcomer = replace(a_therapist("newcomer"), seats_offered=6, seats_free=6)
    before = candidates(found(directory, case))
    after = {each.therapist_id: each for each in candidates(found([*directory, newcomer], case))}

    if before:
        assert after[before[0].therapist_id] == before[0]
        assert len(after) >= min(len(before), RULES.policy.shortlist_size)


@given(SEEDS)
@MANY
def test_everybody_is_on_the_list_or_counted_at_a_gate(seed: int) -> None:
    directory, case = made_up(seed, therapists=4)
    answer = found(directory, case)

    kept_out = sum(gate.therapists for gate in answer.gates)
    if answer.pathways:
        assert kept_out + len(candidates(answer)) == len(directory)


@given(SEEDS)
@MANY
def test_a_score_is_the_sum_of_its_reasons_and_the_list_is_in_order(seed: int) -> None:
    directory, case = made_up(seed)
    listed = candidates(found(directory, case))

    assert all(sum(reason.points for reason in each.reasons) == each.score for each in listed)
    assert list(listed) == sorted(listed, key=lambda each: (-each.score, each.therapist_id))
