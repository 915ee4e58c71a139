"""What sets each candidate behind the one above, and what would turn that round, as the rules say."""

import re
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from services.matching.domain import telling, wording
from services.matching.domain.engine import Engine, entry_of
from services.matching.domain.gates import Fit, Search, check
from services.matching.domain.pathways import pathways_of
from services.matching.domain.ranking import explain, look, rank, search_for
from services.matching.domain.therapist import Therapist
from shared.ages import age_on
from shared.contract.ids import TherapistId
from shared.contract.intake import CaseDetails
from shared.contract.matching import Candidate, Shortlist
from shared.contract.vocabulary import Mode, Slot
from tests.matching import oracle
from tests.matching.builders import RULES, THE_DAY, a_search, a_therapist, an_accreditation
from tests.matching.random_matching import plain, random_case, random_therapist

WORLDS, CASES = 40, 25
OF_THE_ORDER = ("Would suit you better with: ", "Somebody else might suit you better with: ")


def listed(*therapists: Therapist, **case: Any) -> tuple[Candidate, ...]:
    found = rank(a_search(**case), therapists, RULES)
    assert isinstance(found, Shortlist)
    return found.candidates


def some_lists() -> Iterator[tuple[Search, Shortlist, dict[TherapistId, Therapist]]]:
    dice = Random(17)
    for _ in range(WORLDS):
        therapists = {each.id: each for each in (random_therapist(dice) for _ in range(60))}
        engine = Engine(RULES.policy, RULES.places, THE_DAY)
        engine.put([entry_of(each) for each in therapists.values()])
        engine.set_prices({each: dice.randint(1, 90) for each in dice.sample(list(therapists), 20)})
        for _ in range(CASES):
            search = search_for(random_case(dice), THE_DAY, RULES)
            found = explain(search, look(search, engine, RULES), therapists, RULES)
            if isinstance(found, Shortlist):
                yield search, found, therapists


def listed_by(case: CaseDetails, candidate: Candidate, entry: Therapist) -> int:
    """The points that somebody would be listed by, by the rules said plainly."""
    asked, therapist = case.model_dump(mode="json"), plain(entry)
    forms = oracle.forms(asked, age_on(THE_DAY, case.date_of_birth))
    form = next(each for each in forms if each["variant"] == candidate.variant)
    mode = oracle.how(asked, therapist)
    assert mode is not None
    terms = oracle.terms(asked, therapist, form, mode, THE_DAY)
    return sum(points for _, _, points in terms) - candidate.price


def said_plainly(
    search: Search, one: Candidate, above: Candidate, entry: Therapist, entry_above: Therapist
) -> list[str]:
    case, limit = search.case, search.case.max_distance_km or RULES.policy.default_distance_km
    kinds: list[tuple[int, list[tuple[str, dict[str, Any]]]]] = [
        (2, [(f"{wording.slot(slot)}s as well", {"availability": (*case.availability, slot)})
             for slot in Slot if slot in entry.slots and slot not in case.availability]),
        (1, [(f"up to {limit + more} km away instead of {limit} km", {"max_distance_km": limit + more})
             for more in (5, 10, 20) if case.mode is not Mode.ONLINE]),
        (1, [("online sessions as well", {"mode": Mode.EITHER})] * (case.mode is Mode.IN_PERSON)
         + [("sessions in person as well", {"mode": Mode.EITHER})] * (case.mode is Mode.ONLINE)),
    ]  # fmt: skip
    found: list[str] = []
    for most, changes in kinds:
        told = [(text, case.model_copy(update=update)) for text, update in changes]
        found += [
            text
            for text, asked in told
            if listed_by(asked, one, entry) > listed_by(asked, above, entry_above)
        ][:most]
    return found


def test_whatever_would_bring_somebody_before_the_one_above_is_named_and_nothing_else() -> None:
    named: set[str] = set()
    for search, found, therapists in some_lists():
        for place, one in enumerate(found.candidates[1:]):
            above = found.candidates[place]
            entries = therapists[one.therapist_id], therapists[above.therapist_id]

            assert [each.text for each in one.rises] == said_plainly(search, one, above, *entries)
            named.update(each.code for each in one.rises)
        assert found.candidates[0].rises == ()

    assert named == {"times", "distance", "mode"}


def test_what_is_less_and_more_adds_up_to_the_points_behind() -> None:
    for _, found, _ in some_lists():
        for place, one in enumerate(found.candidates[1:]):
            above = found.candidates[place]
            apart = (above.score - above.price) - (one.score - one.price)
            less, more = (
                sum(map(int, re.findall(rf"(\d+) {word} for", one.behind))) for word in ("less", "more")
            )

            assert less - more == apart
            assert above.name in one.behind
            assert one.behind.startswith(("As many points as", f"{apart} point"))
        assert found.candidates[0].behind == ""


def test_the_client_hears_what_would_change_the_order_and_nothing_of_anybody_else() -> None:
    for search, found, therapists in some_lists():
        concessions = [each.text for each in found.concessions]
        pathways = {each.variant: each for each in pathways_of(search.case, search.on, RULES.policy).fitting}
        for place, one in enumerate(found.candidates):
            pathway, therapist = pathways[one.variant], therapists[one.therapist_id]
            fit = check(search, pathway, therapist, RULES.policy, RULES.places)
            assert isinstance(fit, Fit)
            rises = [each.text for each in one.rises]
            last = OF_THE_ORDER[place == 0] + "; ".join(rises if place else concessions) + "."

            plainly = telling.for_client(search, fit)
            assert one.for_client == (*plainly, *[last] * bool(rises if place else concessions))


def test_staff_read_what_sets_somebody_behind_and_what_would_turn_it_round() -> None:
    ada = a_therapist("ada", slots=frozenset({Slot.TUE_EVENING}))
    ben = a_therapist(
        "ben",
        slots=frozenset({Slot.MON_MORNING}),
        fee_pence=7_000,
        accreditations=(an_accreditation(cases=24),),
    )

    first, second = listed(ada, ben)

    assert (first.behind, first.rises) == ("", ())
    assert second.behind == (
        "36 points behind Ada Sampleford: 50 less for times in common, 10 more for experience "
        "and 4 more for fee."
    )
    assert [(each.code, each.text) for each in second.rises] == [("times", "Monday mornings as well")]
    assert second.for_client[-1] == "Would suit you better with: Monday mornings as well."
    assert first.for_client[-1] == "Somebody else might suit you better with: Monday mornings as well."


def test_of_two_times_at_most_the_first_of_the_week_are_named() -> None:
    ada = a_therapist("ada", slots=frozenset({Slot.TUE_EVENING}))
    free = frozenset({Slot.SUN_EVENING, Slot.FRI_MORNING, Slot.MON_MORNING})
    ben = a_therapist("ben", slots=free, accreditations=(an_accreditation(cases=24),))

    [_, second] = listed(ada, ben)

    assert [each.text for each in second.rises] == ["Monday mornings as well", "Friday mornings as well"]


@pytest.mark.parametrize("cases", [20, 21])
def test_of_equals_it_is_said_that_their_order_says_nothing(cases: int) -> None:
    twins = a_therapist("ada"), a_therapist("ben", accreditations=(an_accreditation(cases=cases),))

    first, second = listed(*twins)

    assert (first.name in second.behind) is True
    assert second.behind.endswith("says nothing.") is (cases == 20)
    assert second.rises == ()


def test_the_price_of_a_seat_is_among_what_sets_somebody_behind() -> None:
    dear, fair = a_therapist("ada"), a_therapist("ben")
    engine = Engine(RULES.policy, RULES.places, THE_DAY)
    engine.put([entry_of(dear), entry_of(fair)])
    engine.set_prices({dear.id: 30})
    search = replace(a_search(), credit=0)

    found = explain(search, look(search, engine, RULES), {each.id: each for each in (dear, fair)}, RULES)

    assert isinstance(found, Shortlist)
    assert found.candidates[1].behind == (
        "30 points behind Ben Sampleford: 30 less for keeping the seat for others."
    )
