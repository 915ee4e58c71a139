"""What holds for every directory and every request, however they are made up."""

from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from services.matching.domain.engine import Engine, entry_of
from services.matching.domain.gates import Fit, check
from services.matching.domain.pathways import pathways_of
from services.matching.domain.ranking import Rules, explain, look, search_for
from services.matching.domain.therapist import Therapist
from shared.contract.ids import TherapistId
from shared.contract.intake import CaseDetails
from shared.contract.matching import Candidate, NothingFound, OtherPathway, Shortlist
from shared.contract.vocabulary import Format, Mode, Slot, Therapy, Variant
from tests.matching import oracle
from tests.matching.builders import RULES, THE_DAY, a_therapist, born
from tests.matching.random_matching import plain, random_case, random_therapist

# Drawn from ready-made ones, as a failing example can then be cut down to those few that make it fail.
DICE = Random(11)
ANY = [random_therapist(DICE) for _ in range(200)]
READY = [
    replace(each, seats_offered=6, seats_free=3, languages=each.languages | {"en"}, confirmed_on=THE_DAY)
    for each in (random_therapist(DICE) for _ in range(200))
    if each.registration and each.registration.expires_on > THE_DAY
]
"""Whom fewer gates keep out, so that lists are full and some are left off."""
CASES = 3
"""How many are made up of which one asks."""

MANY = settings(max_examples=100, deadline=None)
SHORT = replace(RULES, policy=RULES.policy.model_copy(update={"shortlist_size": 2}))
"""Rules by which hardly a list has room for everybody."""


@dataclass(frozen=True, slots=True)
class World:
    """A directory, what stands about it, and somebody who asks."""

    directory: tuple[Therapist, ...]
    case: CaseDetails
    excluded: frozenset[TherapistId]
    spoken_for: dict[TherapistId, int]
    prices: dict[TherapistId, int]
    waited: timedelta

    def answer(self, rules: Rules = RULES) -> Shortlist | NothingFound:
        engine = Engine(RULES.policy, RULES.places, THE_DAY)
        engine.put([entry_of(each) for each in self.directory])
        engine.set_prices(self.prices)
        search = search_for(self.case, THE_DAY, RULES, self.excluded, self.spoken_for, waited=self.waited)
        known = {each.id: each for each in self.directory}
        return explain(search, look(search, engine, rules), known, rules)

    def candidates(self, rules: Rules = RULES) -> tuple[Candidate, ...]:
        answer = self.answer(rules)
        return answer.candidates if isinstance(answer, Shortlist) else ()

    def variants(self, therapist: Therapist) -> set[Variant]:
        """The variants for which somebody passes every gate."""
        search = search_for(self.case, THE_DAY, RULES, self.excluded, self.spoken_for)
        return {
            pathway.variant
            for pathway in pathways_of(self.case, THE_DAY, RULES.policy).fitting
            if isinstance(check(search, pathway, therapist, RULES.policy, RULES.places), Fit)
        }


@st.composite
def worlds(draw: st.DrawFn, /, least: int = 0, most: int = 60, **asked: Any) -> World:
    dice = draw(st.randoms(use_true_random=False))
    cases = [random_case(dice, **asked) for _ in range(CASES)]
    directory = dice.sample([*ANY, *READY], dice.randint(least, most))
    somebody = st.sampled_from([each.id for each in directory] or [ANY[0].id])
    return World(
        directory=tuple(directory),
        # Mostly somebody for whom there is a form of therapy: else nobody is looked for.
        case=next(filter(_some_form_fits, cases), cases[0]),
        excluded=draw(st.frozensets(somebody, max_size=3)),
        spoken_for=draw(st.dictionaries(somebody, st.integers(1, 4), max_size=5)),
        prices=draw(st.dictionaries(somebody, st.integers(1, 500), max_size=20)),
        waited=timedelta(days=draw(st.sampled_from([0, 5, 21, 90]))),
    )


def _some_form_fits(case: CaseDetails) -> bool:
    return bool(pathways_of(case, THE_DAY, RULES.policy).fitting)


LENIENT: dict[str, Any] = {
    "least": 50,
    "mode": Mode.EITHER,
    "max_distance_km": None,
    "max_fee_pence": None,
    "languages": ("en",),
    "availability": tuple(Slot),
    "preferences": (),
    "attending_adult": True,
}
"""Whom most therapists could see, so that lists are seldom empty."""


@given(worlds() | worlds(**LENIENT) | worlds(**LENIENT))
@MANY
def test_no_candidate_ever_breaks_a_gate(world: World) -> None:
    event(f"somebody is listed: {bool(world.candidates())}")
    told: dict[str, Any] = world.case.model_dump(mode="json")
    by_id = {therapist.id: plain(therapist) for therapist in world.directory}
    age = search_for(world.case, THE_DAY, RULES).age

    for candidate in world.candidates():
        therapist = by_id[candidate.therapist_id]
        ways: list[Candidate | OtherPathway] = [candidate, *candidate.other_pathways]
        for way in ways:
            form = next(form for form in oracle.forms(told, age) if form["variant"] == way.variant)
            assert oracle.gates(told, therapist, form, age, THE_DAY)
            terms = oracle.terms(told, therapist, form, way.mode, THE_DAY)
            assert way.score == sum(points for _, _, points in terms if points > 0)
            assert way.score == sum(reason.points for reason in way.reasons)
            assert oracle.how(told, therapist) == way.mode
        assert candidate.therapist_id not in world.excluded
        assert therapist["free"] > world.spoken_for.get(candidate.therapist_id, 0)


@given(
    worlds(
        # For whom several pathways fit, and many therapists on each.
        date_of_birth=born(12),
        therapy=Therapy.EITHER,
        format=Format.INDIVIDUAL,
        diagnosed=None,
        attending_adult=True,
        preferences=(),
        max_fee_pence=None,
    )
)
@MANY
def test_every_pathway_that_somebody_can_give_is_on_the_list(world: World) -> None:
    candidates = world.candidates(SHORT)
    listed = {
        each.therapist_id: {each.variant, *(other.variant for other in each.other_pathways)}
        for each in candidates
    }
    proposed = {each.variant for each in candidates}

    for therapist in world.directory:
        variants = world.variants(therapist)
        # Whoever is on the list is there once, with all that they can give: staff choose which.
        assert listed.get(therapist.id, variants) == variants
        assert therapist.id in listed or variants <= proposed


@given(worlds() | worlds(**LENIENT), st.randoms(use_true_random=False))
@MANY
def test_the_same_inputs_give_the_same_bytes_in_whatever_order_they_come(world: World, dice: Random) -> None:
    shuffled = replace(world, directory=tuple(dice.sample(world.directory, len(world.directory))))

    assert world.answer().model_dump_json() == shuffled.answer().model_dump_json()


@given(worlds(**LENIENT | {"least": 15, "most": 40}), st.randoms(use_true_random=False))
@MANY
def test_whoever_is_added_takes_nobodys_eligibility(world: World, dice: Random) -> None:
    # Mostly somebody who may be proposed: whoever may not changes nothing.
    ready = dice.sample(READY, 20)
    newcomer = replace(next(filter(world.variants, ready), ready[0]), id=a_therapist("newcomer").id)
    before = world.candidates()
    after = {
        each.therapist_id: each
        for each in replace(world, directory=(*world.directory, newcomer)).candidates()
    }

    event(f"somebody is listed: {bool(before)}; the newcomer is: {newcomer.id in after}")
    if before:
        first, still = before[0], after[before[0].therapist_id]
        # The rest is told by whoever stands beside them, who may now be the newcomer.
        own = {"variant", "other_pathways", "mode", "score", "distance_km", "seats_free", "reasons", "unmet"}
        assert still.model_dump(include=own) == first.model_dump(include=own)
        assert len(after) >= min(len(before), RULES.policy.shortlist_size)


@given(worlds(most=5))
@MANY
def test_everybody_is_on_the_list_or_counted_at_a_gate(world: World) -> None:
    answer = world.answer()

    kept_out = sum(gate.therapists for gate in answer.gates)
    if answer.pathways:
        assert kept_out + len(world.candidates()) == len(world.directory)


@given(worlds(**LENIENT))
@MANY
def test_a_score_is_the_sum_of_its_reasons_and_the_list_is_in_order(world: World) -> None:
    listed = world.candidates()

    assert all(sum(reason.points for reason in each.reasons) == each.score for each in listed)
    assert list(listed) == sorted(listed, key=lambda each: (each.price - each.score, each.therapist_id))
