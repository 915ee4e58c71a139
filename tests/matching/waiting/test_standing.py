"""An open proposal stands as long as everybody on it may still be proposed, and as it was shown."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.matching.domain.policy import read_policy
from services.matching.domain.ranking import rank, search_for
from services.matching.domain.standing import stands
from shared.contract.matching import Shortlist
from shared.contract.vocabulary import Mode, RequesterRole
from tests.matching.builders import RULES, THE_DAY, a_registration, a_search, a_therapist, born
from tests.matching.policies import changed
from tests.support.builders import a_case, a_group

FAR, NEAR = "HA3", "E2"


@pytest.mark.parametrize(
    ("changes", "still"),
    [
        ({}, True),
        ({"seats_free": 0}, True),
        ({"fee_pence": 8_500}, True),
        ({"seats_offered": 0, "seats_free": 0}, False),
        ({"registration": a_registration(expires_on=THE_DAY - timedelta(days=1))}, False),
        ({"outcode": NEAR}, False),
    ],
)
def test_what_may_change_about_somebody_who_was_proposed_online(changes: dict[str, Any], still: bool) -> None:
    search = a_search(mode=Mode.EITHER, max_distance_km=2)
    shown = a_therapist(outcode=FAR)
    found = rank(search, [shown], RULES)

    assert isinstance(found, Shortlist)
    assert found.candidates[0].mode is Mode.ONLINE
    now = a_therapist(**({"outcode": FAR} | changes))
    assert stands(search, found, {now.id: now}, RULES) is still


@pytest.mark.parametrize(
    ("asked", "shown", "now", "still"),
    [
        ("zh", "zh", "yue", True),
        ("no", "no", "nb", True),
        ("zh", "yue", "cmn", False),
        ("pl", "pl", "en", False),
    ],
)
def test_what_a_leader_may_say_anew_of_the_language_that_a_group_was_shown_in(
    asked: str, shown: str, now: str, *, still: bool
) -> None:
    ada, search = a_therapist(languages=frozenset({shown})), a_search(languages=(asked,))
    found = rank(search, [ada], RULES)
    assert isinstance(found, Shortlist)
    [candidate] = found.candidates
    in_group = candidate.model_copy(update={"group": a_group(language=shown)})
    listed = found.model_copy(update={"candidates": (in_group,)})

    changed_entry = replace(ada, languages=frozenset({now}))

    assert stands(search, listed, {ada.id: ada}, RULES)
    assert stands(search, listed, {ada.id: changed_entry}, RULES) is still


def test_who_is_no_longer_in_the_directory_may_not_be_proposed() -> None:
    search = a_search()
    found = rank(search, [a_therapist("ada"), a_therapist("ben")], RULES)

    assert isinstance(found, Shortlist)
    ada = a_therapist("ada")
    assert not stands(search, found, {ada.id: ada}, RULES)


@pytest.mark.parametrize("age", [12, 16, 18])
@pytest.mark.parametrize("asked_by", [RequesterRole.SELF, RequesterRole.PARENT])
def test_a_birthday_that_changes_which_pathways_fit_or_what_is_told_of_them_renews(
    age: int, asked_by: RequesterRole
) -> None:
    ada = a_therapist("ada")
    case = a_case(date_of_birth=born(age), attending_adult=True)
    eve = search_for(case, THE_DAY - timedelta(days=1), RULES, asked_by=asked_by)
    found = rank(eve, [ada], RULES)

    assert isinstance(found, Shortlist)
    assert stands(eve, found, {ada.id: ada}, RULES)
    assert not stands(search_for(case, THE_DAY, RULES, asked_by=asked_by), found, {ada.id: ada}, RULES)


def test_a_birthday_that_changes_no_more_than_the_age_in_a_rule_leaves_a_proposal_alone() -> None:
    ada = a_therapist("ada")
    case = a_case(date_of_birth=born(35))
    eve = search_for(case, THE_DAY - timedelta(days=1), RULES)
    found = rank(eve, [ada], RULES)

    assert isinstance(found, Shortlist)
    assert stands(search_for(case, THE_DAY, RULES), found, {ada.id: ada}, RULES)


@pytest.mark.parametrize(
    ("after", "before", "now", "still"),
    [
        ("\n", 'version = "2026-11"', 'version = "2026-12"', True),
        ("[sources]", "Cuijpers 2016", "Cuijpers and others 2016", True),
        ("[evidence.ipt]", 'depression = { tier = "strong"', 'depression = { tier = "moderate"', False),
        ("[evidence.ipt]", "how severe it is was not asked", "ask how severe it is", False),
    ],
    ids=["another version", "a source reworded", "another tier", "a caution reworded"],
)
def test_another_policy_renews_a_proposal_only_where_it_changes_what_staff_weigh(
    after: str, before: str, now: str, still: bool
) -> None:
    ada, search = a_therapist("ada"), a_search()
    other = replace(RULES, policy=read_policy(changed(after, before, now)))
    found = rank(search, [ada], RULES)

    assert isinstance(found, Shortlist)
    assert stands(search, found, {ada.id: ada}, other) is still
