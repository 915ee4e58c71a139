"""What holds for every group that anybody is proposed, however the world around them is made up."""

from dataclasses import replace
from itertools import pairwise
from random import Random
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.engine import Placed
from services.matching.domain.gates import Fit, check
from services.matching.domain.grouping import Gathering
from services.matching.domain.ordering import GROUP_FIRST, HELD_BACK
from services.matching.domain.pathways import into_groups, pathways_of
from services.matching.domain.ranking import Found, search_for
from shared.ages import age_on
from shared.contract.ids import GroupId
from shared.contract.vocabulary import Format, Mode, Slot, Therapy, Variant
from tests.matching.builders import RULES, THE_DAY, a_therapist, born
from tests.matching.groups.random_grouping import World
from tests.support.builders import a_case

SHORT = replace(RULES, policy=RULES.policy.model_copy(update={"shortlist_size": 2}))
"""Rules by which hardly a list has room for everybody."""
DICE = st.randoms(use_true_random=False)
SEEDED = st.integers(0, 2**32).map(Random)
"""Worlds in which much is offered, of which hypothesis by itself comes upon few."""

MANY = settings(max_examples=100, deadline=None)


@given(DICE)
@MANY
def test_whoever_is_proposed_a_group_could_come_to_it(dice: Random) -> None:
    world = World(dice)
    case = world.search.case
    pathways = into_groups(pathways_of(case, THE_DAY, RULES.policy).fitting, RULES.policy)

    for candidate in world.candidates():
        if candidate.group is None:
            continue
        assert candidate.variant in {each.variant for each in pathways}
        assert candidate.group.slot in case.availability
        assert candidate.group.language in case.languages
        assert case.mode in {candidate.mode, Mode.EITHER}
        assert candidate.score == sum(reason.points for reason in candidate.reasons)


@given(DICE)
@MANY
def test_a_group_is_never_proposed_beyond_its_places_or_its_span_of_ages(dice: Random) -> None:
    world = World(dice)

    for candidate in world.candidates():
        if candidate.group is None or candidate.group.group_id is None:
            continue
        group = world.gathered[candidate.group.group_id]
        ages = [age_on(THE_DAY, each) for each in group.born] + [world.search.age]
        # Whom it is only proposed to counts against its places, and is nowhere called a member.
        assert group.members + group.promised < group.most
        assert candidate.group.members == group.members
        assert max(ages) - min(ages) <= RULES.policy.groups[group.variant].age_span.years


@given(DICE)
@MANY
def test_a_group_is_only_opened_with_a_free_seat_at_a_time_without_another(dice: Random) -> None:
    world = World(dice)

    for candidate in world.candidates():
        if candidate.group is None or candidate.group.group_id is not None:
            continue
        leader = world.therapists[candidate.therapist_id]
        assert leader.seats_free >= 1
        assert candidate.group.slot not in world.busy[leader.id]
        assert candidate.group.members == 0


@given(DICE)
@MANY
def test_a_variant_given_in_groups_is_proposed_with_its_group_and_no_other_with_any(dice: Random) -> None:
    for candidate in World(dice).candidates():
        assert (candidate.group is not None) == (candidate.variant in RULES.policy.groups)


@given(DICE)
@MANY
def test_whoever_is_listed_below_a_lower_score_has_the_true_reason_beside_it(dice: Random) -> None:
    listed = World(dice).candidates()

    for place, candidate in enumerate(listed):
        passed = [each for each in listed[:place] if each.score < candidate.score]
        if HELD_BACK in candidate.cautions:
            assert any(candidate.price - each.price >= candidate.score - each.score for each in passed)
        if GROUP_FIRST in candidate.cautions:
            assert any(each.group is not None for each in passed)
        told = {HELD_BACK, GROUP_FIRST} & set(candidate.cautions)
        assert bool(told) == bool(passed)


@given(DICE)
@MANY
def test_nobody_is_both_on_the_list_and_kept_off_it(dice: Random) -> None:
    world = World(dice)
    answer = world.answer()
    listed = {each.therapist_id for each in world.candidates()}

    kept_out = sum(each.therapists for each in answer.gates)
    assert kept_out + len(listed) <= len(world.therapists)
    if answer.pathways and len(listed) < RULES.policy.shortlist_size:
        assert kept_out + len(listed) == len(world.therapists)
    assert answer.next_best is None or answer.next_best.therapist_id not in listed


@given(DICE)
@MANY
def test_a_concession_brings_somebody_else_and_better_and_is_not_made_up_for_a_group(dice: Random) -> None:
    world = World(dice)
    concessions = world.answer().concessions

    assert not (concessions and world.candidates() and world.search.case.format is Format.GROUP)
    for each in concessions:
        assert each.therapist_id not in {one.therapist_id for one in world.candidates()}
        assert all(one.score < each.score for one in world.candidates()[:1])


@given(DICE)
@MANY
def test_points_are_said_to_set_somebody_behind_only_where_the_list_goes_by_them(dice: Random) -> None:
    world = World(dice)
    listed = world.candidates()
    asked = world.search.case.format is Format.GROUP

    for above, candidate in pairwise(listed):
        by_group = asked and (above.group or candidate.group)
        assert bool(candidate.behind) is not bool(by_group)
        assert not (candidate.rises and (above.group or candidate.group))


@given(DICE)
@MANY
def test_the_same_world_in_another_order_gives_the_same_bytes(dice: Random) -> None:
    world = World(dice)
    before = world.answer().model_dump_json()
    world.shuffle(dice)

    assert world.answer().model_dump_json() == before


@given(DICE, st.permutations([1, 2, 3]))
@MANY
def test_whoever_asks_for_a_group_is_proposed_first_what_is_nearest_to_being_formed(
    dice: Random, members: list[int]
) -> None:
    world = World(dice)
    world.search = search_for(
        a_case(
            date_of_birth=born(25),
            conditions=(),
            therapy=Therapy.IPT,
            format=Format.GROUP,
            mode=Mode.EITHER,
            availability=(Slot.TUE_EVENING,),
            languages=("en",),
            preferences=(),
        ),
        THE_DAY,
        RULES,
    )
    leaders = [
        a_therapist(f"leader {count}", slots=frozenset({Slot.TUE_EVENING}), seats_offered=3, seats_free=2)
        for count in members
    ]
    size = RULES.policy.groups[Variant.IPT_G].size
    world.therapists = {leader.id: leader for leader in leaders}
    world.prices = {leader.id: dice.choice((0, 40, 200)) for leader in leaders}
    world.groups = tuple(
        Gathering(
            id=GroupId(UUID(int=count)),
            therapist_id=leader.id,
            variant=Variant.IPT_G,
            slot=Slot.TUE_EVENING,
            mode=Mode.ONLINE,
            language="en",
            least=size.least,
            most=size.most,
            members=count,
            born=(born(25),) * count,
        )
        for count, leader in zip(members, leaders, strict=True)
    )
    world.busy = {leader.id: frozenset({Slot.TUE_EVENING}) for leader in leaders}

    named = [each.group.group_id for each in world.candidates() if each.group is not None]

    assert named == [GroupId(UUID(int=count)) for count in (3, 2, 1)]


@given(DICE)
@settings(MANY, max_examples=300)
def test_every_pathway_that_somebody_left_off_the_list_can_give_is_on_it(dice: Random) -> None:
    world = World(dice)
    candidates = world.candidates(SHORT)
    listed = {each.therapist_id for each in candidates}
    proposed = {each.variant for each in candidates}
    in_groups = RULES.policy.groups

    for pathway in pathways_of(world.search.case, THE_DAY, RULES.policy).fitting:
        for therapist in world.therapists.values():
            fit = check(world.search, pathway, therapist, RULES.policy, RULES.places)
            if therapist.id in listed or not isinstance(fit, Fit):
                continue
            times = set(fit.shared_slots) - world.busy[therapist.id]
            assert pathway.variant in proposed or (pathway.variant in in_groups and not times)


def knowing_prices_alone(found: Found) -> Found:
    """The same as if the engine had named nobody on any pathway and might have left out everybody."""
    nobody = Placed(number=0, variant=Variant.IPT, mode=Mode.ONLINE, score=10_000, order=10_000)
    return replace(
        found,
        # Nobody here is led into that variant, so that no more than the price is taken from it.
        for_groups=(
            *(each._replace(variant=Variant.IPSRT) for each in found.for_groups),
            *(nobody._replace(variant=variant) for variant in Variant if variant is not Variant.IPSRT),
        ),
        cut_short=frozenset(Variant),
    )


@given(SEEDED, st.integers(1, 6))
@settings(MANY, max_examples=300)
def test_what_the_engine_named_and_whom_it_left_out_is_what_the_gates_and_the_score_say(
    dice: Random, for_groups: int
) -> None:
    world = World(dice)

    for rules in (RULES, SHORT):
        found = world.found(for_groups, rules)
        assert world.explained(found, rules) == world.explained(knowing_prices_alone(found), rules)
