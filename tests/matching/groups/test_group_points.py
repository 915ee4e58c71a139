"""A group counts as what it is: one time of the week and one language, in points as in words."""

from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain import wording
from services.matching.domain.gates import Fit, Search, check
from services.matching.domain.languages import Common
from services.matching.domain.pathways import pathways_of
from services.matching.domain.ranking import search_for
from services.matching.domain.scoring import score
from services.matching.domain.therapist import Therapist
from shared.contract.matching import Group, Pathway
from shared.contract.vocabulary import Format, Mode, Therapy
from shared.languages import language
from tests.matching.builders import RULES, THE_DAY, a_therapist, born
from tests.matching.groups.random_grouping import SLOTS, World
from tests.support.builders import a_case

SHORT = replace(RULES, policy=RULES.policy.model_copy(update={"shortlist_size": 2}))
"""Rules by which hardly a list has room for everybody."""
DICE = st.randoms(use_true_random=False)
SEEDED = st.integers(0, 2**32).map(Random)
"""Worlds in which much is offered, of which hypothesis by itself comes upon few."""

MANY = settings(max_examples=100, deadline=None)


@given(SEEDED)
@settings(MANY, max_examples=400)
def test_a_group_is_proposed_for_its_own_time_and_language_alone(dice: Random) -> None:
    world = World(dice)
    weights, most = RULES.policy.weights, RULES.policy.caps.shared_slots

    for candidate in world.candidates():
        if candidate.group is None:
            continue
        when, spoken = wording.slot(candidate.group.slot), language(candidate.group.language)
        preferred = candidate.group.language == world.search.case.languages[0]
        terms = {each.term: each for each in candidate.reasons}
        assert terms["availability"].text == f"Free when the client is: {when}."
        assert terms["availability"].points == weights.availability // most
        assert terms["language"].text.startswith(f"Works in {spoken}")
        assert terms["language"].text.endswith("the language the client prefers.") is preferred
        points = weights.preferred_language if preferred else weights.other_language
        assert terms["language"].points == points
        assert f"Times that suit you both: {when}." in candidate.for_client
        assert f"Times in common: {when}." in candidate.for_therapist
        assert not any(each.code == "no_shared_time" for each in candidate.cautions)
        assert f"The sessions can be in {spoken}." in candidate.for_client
        assert f"The sessions would be in {spoken}." in candidate.for_therapist


@given(SEEDED)
@MANY
def test_what_somebody_could_give_instead_names_its_group_and_has_the_points_of_being_proposed_for_it(
    dice: Random,
) -> None:
    world = World(dice)
    case = world.search.case
    pathways = pathways_of(case, THE_DAY, RULES.policy).fitting

    for candidate in world.candidates():
        given = {each.variant: each for each in candidate.other_pathways}
        assert candidate.variant not in given
        for pathway in pathways:
            therapist = world.therapists[candidate.therapist_id]
            fit = check(world.search, pathway, therapist, RULES.policy, RULES.places)
            other = given.get(pathway.variant)
            if pathway.variant is candidate.variant:
                continue
            if pathway.variant not in RULES.policy.groups:
                assert (other is not None) == isinstance(fit, Fit)
                assert other is None or other.group is None
            elif other is None:
                busy = world.busy[therapist.id]
                assert not isinstance(fit, Fit) or not set(fit.shared_slots) - busy
            else:
                assert other.group is not None
                assert other.group.slot in case.availability
                assert other.group.language in case.languages
            if other is not None:
                assert other.score == points_in(world.search, pathway, therapist, other.group, other.mode)


def points_in(search: Search, pathway: Pathway, therapist: Therapist, group: Group | None, mode: Mode) -> int:
    """What a pathway is worth with somebody, in a group at its time and in its language."""
    seated = replace(therapist, seats_free=max(1, therapist.seats_free))
    wanted = search.case.mode if group is None else mode
    asked = replace(search, case=search.case.model_copy(update={"mode": wanted}))
    fit = check(asked, pathway, seated, RULES.policy, RULES.places)
    assert isinstance(fit, Fit)
    fit = replace(fit, therapist=therapist)
    if group is not None:
        first = group.language == search.case.languages[0]
        spoken = Common(group.language, (group.language,), preferred=first)
        fit = replace(fit, shared_slots=(group.slot,), language=spoken)
    return sum(each.points for each in score(search, fit, RULES.policy))


def test_of_many_times_in_common_no_more_count_for_a_group_than_the_one_at_which_it_meets() -> None:
    often = a_therapist("often", slots=frozenset(SLOTS), seats_offered=4, seats_free=1)
    once = a_therapist("once", slots=frozenset(SLOTS[:1]), seats_offered=4, seats_free=4)
    world = World(Random(1))
    world.therapists = {each.id: each for each in (often, once)}
    world.prices = {}
    case = a_case(date_of_birth=born(30), therapy=Therapy.IPT, format=Format.GROUP, availability=SLOTS)
    world.search = search_for(case, THE_DAY, RULES)
    world.groups, world.busy = (), {often.id: frozenset(), once.id: frozenset()}

    found = world.found(1)

    assert [each.number for each in found.placed] == [often.id.int, once.id.int]
    assert [each.number for each in found.for_groups] == [once.id.int]
    assert [each.therapist_id for each in world.candidates()] == [once.id, often.id]


@given(SEEDED)
@settings(MANY, max_examples=300)
def test_who_is_next_best_for_a_group_has_the_points_of_one_time_as_well(dice: Random) -> None:
    world = World(dice)
    next_best, nearest = world.answer().next_best, world.found(1).nearest
    if next_best is None or nearest is None:
        return

    weight, most = RULES.policy.weights.availability, RULES.policy.caps.shared_slots
    times = world.therapists[next_best.therapist_id].slots & set(world.search.case.availability)
    fewer = min(len(times), most) - 1 if next_best.variant in RULES.policy.groups else 0
    assert next_best.score == nearest.score - weight * fewer // most
