"""What is said when nobody can be proposed."""

import pytest

from services.matching.domain.ranking import rank
from shared.contract.matching import NothingFound
from shared.contract.vocabulary import Mode
from tests.matching.builders import RULES, a_search, a_therapist, born
from tests.matching.shortlists import DIRECTORY


def test_nobody_found_says_which_gates_and_how_many() -> None:
    found = rank(
        a_search(languages=("cy",)),
        [a_therapist("ada"), a_therapist("ben"), a_therapist("cem", registration=None)],
        RULES,
    )

    assert isinstance(found, NothingFound)
    assert [(count.gate, count.therapists) for count in found.gates] == [("registration", 1), ("language", 2)]
    assert found.text == (
        "None of 3 therapists can be proposed for IPT: 1 who has no live core registration "
        "and 2 who do not work in a language the client asked for."
    )


def test_of_a_single_therapist_it_is_said_why_that_one_cannot_be_proposed() -> None:
    found = rank(a_search(), [a_therapist(seats_free=0)], RULES)

    assert isinstance(found, NothingFound)
    assert found.text == (
        "The only therapist in the directory cannot be proposed for IPT: that one has no free seat."
    )


def test_no_form_that_fits_says_each_rule() -> None:
    found = rank(a_search(date_of_birth=born(5)), DIRECTORY, RULES)

    assert isinstance(found, NothingFound)
    assert found.pathways == ()
    assert found.text.startswith("No form of therapy that the clinic offers fits: ")
    assert "the client is 5" in found.text


def test_an_empty_directory_says_so() -> None:
    found = rank(a_search(), [], RULES)

    assert isinstance(found, NothingFound)
    assert "no therapist has been imported" in found.text


def test_an_unknown_district_says_so() -> None:
    found = rank(a_search(mode=Mode.IN_PERSON, outcode=None), DIRECTORY, RULES)

    assert isinstance(found, NothingFound)
    assert "postcode district is not known" in found.text


@pytest.mark.parametrize("mode", [Mode.IN_PERSON, Mode.EITHER])
@pytest.mark.parametrize(
    ("outcode", "why"),
    [
        (None, "could be met in person alone, for which no postcode district was given"),
        (
            "CB1",
            "could be met in person alone, and where the client's postcode district lies is not known here",
        ),
    ],
)
def test_nobody_is_called_too_far_away_from_where_nobody_knows(
    mode: Mode, outcode: str | None, why: str
) -> None:
    ada, ben = (a_therapist(name, modes=frozenset({Mode.IN_PERSON})) for name in ("ada", "ben"))
    search = a_search(mode=mode, outcode=outcode)

    one, two = rank(search, [ada], RULES), rank(search, [ada, ben], RULES)

    assert isinstance(one, NothingFound)
    assert isinstance(two, NothingFound)
    assert f"that one {why}." in one.text
    assert f"2 who {why}." in two.text
    assert one.next_best is not None
    assert one.next_best.text == why
    assert "too far" not in one.text + two.text


def test_who_is_too_far_away_is_called_so() -> None:
    ada = a_therapist(modes=frozenset({Mode.IN_PERSON}), outcode="TW20")

    found = rank(a_search(mode=Mode.EITHER, outcode="E1"), [ada], RULES)

    assert isinstance(found, NothingFound)
    assert "that one is too far away." in found.text
