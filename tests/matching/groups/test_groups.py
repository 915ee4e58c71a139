"""Which group a shortlist proposes, on a real database."""

from datetime import timedelta
from typing import Any

import pytest

from services.matching import store
from services.matching.domain.regrouping import MOST_FOR_GROUPS
from services.matching.handlers import Matcher, offer_to_waiting
from services.matching.handlers.reading import open_shortlist
from shared.contract.matching import GroupPlaceHeld, MatchNotFound, MatchProposed
from shared.contract.sealing import opened
from shared.contract.vocabulary import Mode, Slot, Variant
from shared.kit.clock import MovableClock
from shared.kit.database import Database
from tests.matching.builders import a_therapist
from tests.matching.gathering import (
    LEAST,
    MOST,
    Hear,
    a_choice,
    a_leader,
    group_on,
    in_directory,
    in_outbox,
    proposed,
    seats_free,
    shown,
    somebody,
)
from tests.support.builders import id_of


async def test_a_shortlist_says_which_group_staff_would_decide_on(database: Database, hear: Hear) -> None:
    await in_directory(database, a_leader())

    candidate = shown(await proposed(hear))

    group = group_on(candidate)
    assert (candidate.variant, group.slot, group.language) == (Variant.IPT_AST, Slot.TUE_EVENING, "en")
    assert (group.group_id, group.members, group.least, group.most) == (None, 0, LEAST, MOST)
    assert (group.individual_first, group.sessions, group.minutes) == (2, 8, 90)
    assert sum(reason.points for reason in candidate.reasons) == candidate.score
    assert candidate.reasons[-1].text == (
        "Would open a group on Tuesday evenings, which begins once 4 have a place."
    )


async def test_whoever_comes_next_is_proposed_the_group_that_gathers(database: Database, hear: Hear) -> None:
    # Ben has more times in common with the second, but two half groups help nobody.
    ada = a_leader("ada", slots=frozenset({Slot.WED_MORNING}))
    ben = a_leader("ben", slots=frozenset({Slot.TUE_EVENING, Slot.THU_EVENING}))
    times = (Slot.TUE_EVENING, Slot.WED_MORNING, Slot.THU_EVENING)
    await in_directory(database, ada, ben)
    assert shown(await proposed(hear, somebody(12, availability=times))).therapist_id == ben.id
    await hear(a_choice(await proposed(hear, somebody(16, availability=(Slot.WED_MORNING,)))))

    second = shown(await proposed(hear, somebody(16, availability=times)))

    assert second.therapist_id == ada.id
    assert (group_on(second).slot, group_on(second).members) == (Slot.WED_MORNING, 1)
    assert second.reasons[-1].text == "Gathers a group on Wednesday mornings: 1 of at least 4 have a place."


async def test_whoever_comes_next_is_proposed_what_was_proposed_before_any_decision(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader())
    await proposed(hear, somebody(availability=(Slot.WED_MORNING,)))

    group = group_on(shown(await proposed(hear)))

    assert (group.slot, group.members, group.group_id) == (Slot.WED_MORNING, 0, None)


async def test_client_and_therapist_are_promised_no_time_or_language_that_the_group_does_not_have(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader(languages=frozenset({"fr", "en"})))
    await hear(a_choice(await proposed(hear, somebody(availability=(Slot.WED_MORNING,)))))

    both = (Slot.TUE_EVENING, Slot.WED_MORNING)
    second = shown(await proposed(hear, somebody(availability=both, languages=("fr", "en"))))

    assert group_on(second).language == "en"
    for told in (second.for_client, second.for_therapist):
        words = " ".join(told)
        assert "English" in words
        assert "Wednesday morning" in words
        assert "French" not in words
        assert "Tuesday" not in words


async def test_a_group_meets_in_what_its_leader_speaks_and_takes_in_nobody_who_asked_for_another(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader(languages=frozenset({"yue", "bfi"}), seats_offered=1, seats_free=1))
    first = await proposed(hear, somebody(languages=("zh",)))
    await hear(a_choice(first))

    cantonese = shown(await proposed(hear, somebody(languages=("yue",))))
    [signs] = await hear(somebody(languages=("yue", "bfi")))
    [mandarin] = await hear(somebody(languages=("cmn",)))

    assert group_on(shown(first)).language == "yue"
    assert isinstance(signs, MatchNotFound)
    assert isinstance(mandarin, MatchNotFound)
    assert (group_on(cantonese).language, group_on(cantonese).members) == ("yue", 1)


@pytest.mark.parametrize(
    ("works_in", "first", "second"),
    [
        ("en fr", "fr", "en fr"),
        ("no nb", "no", "nb"),
        ("yue cmn", "cmn", "zh"),
    ],
)
async def test_a_group_that_others_would_open_as_well_may_be_opened_in_their_language(
    database: Database, hear: Hear, works_in: str, first: str, second: str
) -> None:
    await in_directory(database, a_leader(languages=frozenset(works_in.split())))
    await proposed(hear, somebody(languages=(first,)))
    beside = await proposed(hear, somebody(languages=tuple(second.split())))

    said = await hear(a_choice(beside))

    assert (group_on(shown(beside)).language, group_on(shown(beside)).group_id) == (first, None)
    assert [type(each) for each in said] == [GroupPlaceHeld]


async def test_a_group_is_opened_in_a_language_that_the_client_named_where_it_is_clear(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader(languages=frozenset({"yue", "cmn"})))

    told = shown(await proposed(hear, somebody(languages=("zh", "cmn"))))

    assert group_on(told).language == "cmn"


async def test_a_leader_who_says_which_language_theirs_is_leads_on(database: Database, hear: Hear) -> None:
    await in_directory(database, a_leader(languages=frozenset({"zh"})))
    await hear(a_choice(await proposed(hear, somebody(languages=("zh",)))))
    await in_directory(database, a_leader(languages=frozenset({"yue"})))

    second = shown(await proposed(hear, somebody(languages=("zh",))))

    assert (group_on(second).language, group_on(second).members) == ("zh", 1)


async def test_a_group_is_opened_when_most_of_those_who_look_for_one_can_come(
    database: Database, hear: Hear, matcher: Matcher
) -> None:
    first = somebody()
    for request in (first, *(somebody(availability=(Slot.WED_MORNING,)) for _ in range(2))):
        [said] = await hear(request)
        assert isinstance(said, MatchNotFound)
    await in_directory(database, a_leader())

    await offer_to_waiting(database, matcher)

    async with database.transaction() as tx:
        asked = await store.lock_request(tx, first.request_id)
        assert asked is not None
        assert asked.proposal_id is not None
        shortlist = await open_shortlist(tx, asked.proposal_id)
    assert shortlist is not None
    assert group_on(shortlist.candidates[0]).slot is Slot.WED_MORNING


@pytest.mark.parametrize("look", ["seekers", "slots_in_use", "joinable_groups"])
async def test_a_decision_that_comes_while_others_are_looked_at_hides_no_group(
    database: Database, hear: Hear, monkeypatch: pytest.MonkeyPatch, look: str
) -> None:
    await in_directory(database, a_leader("ada"), a_leader("ben"))
    first = await proposed(hear)
    looks = getattr(store, look)

    async def looks_and_is_overtaken(*arguments: Any) -> Any:
        seen = await looks(*arguments)
        monkeypatch.undo()
        await hear(a_choice(first))
        return seen

    monkeypatch.setattr(store, look, looks_and_is_overtaken)
    second = await proposed(hear)

    assert shown(second).therapist_id == shown(first).therapist_id
    assert group_on(shown(second)).slot is group_on(shown(first)).slot


async def test_no_time_in_common_means_no_group(database: Database, hear: Hear) -> None:
    await in_directory(database, a_leader())

    [said] = await hear(somebody(availability=(Slot.SUN_EVENING,)))

    assert isinstance(said, MatchNotFound)
    found = opened(said.findings)
    assert found.text == "No group gathers, and none can be opened, at a time that the client has."
    assert [(each.gate, each.therapists) for each in found.gates] == [("group_time", 1)]


async def test_the_one_leader_with_a_time_is_found_behind_many_who_suit_better(
    database: Database, hear: Hear
) -> None:
    better = [a_leader(f"better {number}") for number in range(2 * MOST_FOR_GROUPS + 1)]
    last = a_leader("last", slots=frozenset({Slot.SUN_EVENING}), problem_areas=frozenset())
    nobody = somebody(availability=(Slot.SAT_MORNING,))
    await in_directory(database, *better, last)

    candidate = shown(await proposed(hear, somebody(availability=(Slot.SUN_EVENING,))))
    [said] = await hear(nobody)

    assert (candidate.therapist_id, group_on(candidate).slot) == (last.id, Slot.SUN_EVENING)
    assert isinstance(said, MatchNotFound)
    counted = {each.gate: each.therapists for each in opened(said.findings).gates}
    assert counted == {"group_time": len(better) + 1}


async def test_without_a_time_for_a_group_another_form_is_proposed(database: Database, hear: Hear) -> None:
    await in_directory(database, a_therapist("ada"))

    candidate = shown(await proposed(hear, somebody(availability=(Slot.SUN_EVENING,))))

    assert (candidate.variant, candidate.group) == (Variant.IPT_A, None)


@pytest.mark.parametrize(
    "other",
    [
        {"age": 12},
        {"availability": (Slot.WED_MORNING,)},
        {"mode": Mode.IN_PERSON, "outcode": "E2"},
    ],
    ids=["age", "time", "mode"],
)
async def test_whoever_does_not_fit_a_group_is_not_put_into_it(
    database: Database, hear: Hear, other: dict[str, Any]
) -> None:
    await in_directory(database, a_leader())
    await hear(a_choice(await proposed(hear, somebody(16, availability=(Slot.TUE_EVENING,)))))

    [said] = await hear(somebody(**other))

    candidate = shown(said) if isinstance(said, MatchProposed) else None
    assert candidate is None or group_on(candidate).group_id is None


async def test_a_group_that_gathers_needs_no_further_seat(database: Database, hear: Hear) -> None:
    await in_directory(database, a_leader(seats_offered=1, seats_free=1))
    await hear(a_choice(await proposed(hear)))
    assert await seats_free(database) == 0

    candidate = shown(await proposed(hear))

    assert group_on(candidate).members == 1
    assert candidate.seats_free == 0


async def test_whoever_leads_a_group_that_gathers_is_not_said_to_be_kept_off_by_having_no_seat(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader(seats_offered=1, seats_free=1))
    await hear(a_choice(await proposed(hear)))

    shortlist = opened((await proposed(hear)).shortlist)

    assert [each.therapist_id for each in shortlist.candidates] == [id_of("ada")]
    assert (shortlist.gates, shortlist.next_best) == ((), None)


async def test_a_full_caseload_is_the_next_best_for_a_group_only_with_a_time_for_one(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader(seats_offered=0, seats_free=0))

    said = [(await hear(somebody(availability=(slot,))))[0] for slot in (Slot.TUE_EVENING, Slot.SUN_EVENING)]

    missed = [opened(each.findings).next_best for each in said if isinstance(each, MatchNotFound)]
    assert [each and each.gate for each in missed] == ["seat", None]


async def test_all_who_would_open_one_group_speak_for_one_seat_until_it_is_open(
    database: Database, hear: Hear
) -> None:
    await in_directory(database, a_leader())

    async def spoken_for() -> int:
        async with database.transaction() as tx:
            return sum((await store.spoken_for(tx)).values())

    proposals = [await proposed(hear, somebody(availability=(Slot.TUE_EVENING,))) for _ in range(3)]
    one_group = await spoken_for()
    await proposed(hear, somebody(availability=(Slot.WED_MORNING,)))
    another = await spoken_for()
    await hear(a_choice(proposals[0]))

    assert (one_group, another, await spoken_for()) == (1, 2, 1)


async def test_those_who_wait_are_all_proposed_the_one_group_that_the_last_seat_allows(
    database: Database, hear: Hear, matcher: Matcher, clock: MovableClock
) -> None:
    waiting = [somebody() for _ in range(MOST + 1)]
    for each in waiting:
        await hear(each)
        clock.move(timedelta(minutes=1))

    await in_directory(database, a_leader(seats_offered=1, seats_free=1))
    await offer_to_waiting(database, matcher)

    said = await in_outbox(database)
    assert said == [(str(each.request_id), "match-proposed") for each in waiting[:MOST]]
