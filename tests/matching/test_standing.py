"""An open proposal stands as long as everybody on it may still be proposed, and as it was shown."""

from datetime import timedelta
from typing import Any

import pytest

from services.matching.domain.ranking import rank
from services.matching.domain.standing import stands
from shared.contract.matching import Shortlist
from shared.contract.vocabulary import Mode
from tests.matching.builders import RULES, THE_DAY, a_registration, a_search, a_therapist

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


def test_who_is_no_longer_in_the_directory_may_not_be_proposed() -> None:
    search = a_search()
    found = rank(search, [a_therapist("ada"), a_therapist("ben")], RULES)

    assert isinstance(found, Shortlist)
    ada = a_therapist("ada")
    assert not stands(search, found, {ada.id: ada}, RULES)
