"""What somebody is worth to a client on the scale of the recorded policy, be they on its list or not."""

from dataclasses import replace
from random import Random

from services.matching.domain.comparing import value_of
from services.matching.domain.ranking import rank, search_for
from shared.contract.matching import Shortlist
from tests.matching.builders import RULES, THE_DAY
from tests.matching.groups import random_grouping
from tests.matching.random_matching import random_case, random_therapist
from tests.support.builders import a_case


def test_whoever_is_on_a_list_is_worth_what_the_list_says() -> None:
    dice = Random(4)
    therapists = [random_therapist(dice) for _ in range(60)]
    known = {each.id: each for each in therapists}
    seen = 0
    for _ in range(200):
        search = search_for(random_case(dice), THE_DAY, RULES)
        answer = rank(search, therapists, RULES)
        for candidate in answer.candidates if isinstance(answer, Shortlist) else ():
            assert value_of(search, known[candidate.therapist_id], RULES) == candidate.score
            seen += 1
    assert seen > 50


def test_whoever_comes_first_with_groups_around_is_worth_what_the_list_says() -> None:
    seen = 0
    for seed in range(300):
        world = random_grouping.World(Random(seed))
        for candidate in world.candidates()[:1]:
            therapist = world.therapists[candidate.therapist_id]
            assert value_of(world.search, therapist, RULES, world.around()) == candidate.score
            seen += candidate.group is not None
    assert seen > 50


def test_nobody_is_worth_anything_whom_every_gate_keeps_out() -> None:
    therapist = replace(random_therapist(Random(1)), seats_free=0)

    assert value_of(search_for(a_case(), THE_DAY, RULES), therapist, RULES) is None
