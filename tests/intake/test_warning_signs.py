"""Signs that a person should look at first."""

from typing import Any

import pytest

from services.intake.domain import WarningWords
from shared.contract.intake import Flag
from shared.contract.vocabulary import FlagKind
from tests.intake.builders import RULEBOOK, taken


def flags(changes: dict[str, Any]) -> tuple[Flag, ...]:
    return taken(changes).details.flags


def kinds(text: str) -> set[FlagKind]:
    return {flag.kind for flag in flags({"story.in_own_words": text})}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("thoughts_of_ending_life", FlagKind.SUICIDAL_THOUGHTS),
        ("harming_self", FlagKind.SELF_HARM),
        ("being_hurt", FlagKind.BEING_HURT),
        ("might_hurt_others", FlagKind.HARM_TO_OTHERS),
    ],
)
def test_an_answer_of_yes_is_flagged_with_its_field(answer: str, kind: FlagKind) -> None:
    assert flags({f"safety.{answer}": True}) == (
        Flag(kind=kind, field=f"safety.{answer}", evidence="answered yes"),
    )


def test_no_answer_and_no_are_not_flagged() -> None:
    assert flags({"safety": {"harming_self": False, "being_hurt": None}}) == ()


def test_a_child_who_is_being_hurt_is_flagged_as_a_child_at_risk() -> None:
    found = flags({"client.date_of_birth": "2010-01-01", "safety.being_hurt": True})

    assert {flag.kind for flag in found} == {FlagKind.BEING_HURT, FlagKind.CHILD_AT_RISK}


def test_a_condition_can_be_a_sign() -> None:
    [flag] = flags({"story.conditions": ["depression", "psychosis"]})

    assert (flag.kind, flag.field) == (FlagKind.PSYCHOSIS, "story.conditions")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Some days I want to die.", FlagKind.SUICIDAL_THOUGHTS),
        ("I feel SUICIDAL", FlagKind.SUICIDAL_THOUGHTS),
        ("I don’t want to be here any more", FlagKind.SUICIDAL_THOUGHTS),
        ("She says she will kill  herself", FlagKind.SUICIDAL_THOUGHTS),
        ("They would be better off without me", FlagKind.SUICIDAL_THOUGHTS),
        ("I took an overdose last year", FlagKind.SUICIDAL_THOUGHTS),
        ("I want to end my own life", FlagKind.SUICIDAL_THOUGHTS),
        ("I don't want to exist anymore", FlagKind.SUICIDAL_THOUGHTS),
        ("I keep thinking about ending things", FlagKind.SUICIDAL_THOUGHTS),
        ("sometimes I think I will kill my self", FlagKind.SUICIDAL_THOUGHTS),
        ("I want to disappear for ever", FlagKind.SUICIDAL_THOUGHTS),
        ("last week I cut my wrists", FlagKind.SELF_HARM),
        ("she tried to slit her wrists", FlagKind.SELF_HARM),
        ("he said he wants to kill me", FlagKind.BEING_HURT),
        ("My husband is strangling me", FlagKind.BEING_HURT),
        ("I could kill my father", FlagKind.HARM_TO_OTHERS),
        ("I have been self-harming", FlagKind.SELF_HARM),
        ("he is cutting himself again", FlagKind.SELF_HARM),
        ("sometimes I could kill him", FlagKind.HARM_TO_OTHERS),
        ("My husband hits me", FlagKind.BEING_HURT),
        ("I'm scared of him", FlagKind.BEING_HURT),
        ("it is an abusive relationship", FlagKind.BEING_HURT),
        ("He hit the children", FlagKind.CHILD_AT_RISK),
        ("social services came", FlagKind.CHILD_AT_RISK),
        ("I keep hearing voices", FlagKind.PSYCHOSIS),
        ("she is paranoid", FlagKind.PSYCHOSIS),
        ("we are both drinking too much", FlagKind.SUBSTANCES),
    ],
)
def test_words_are_found_in_what_people_write(text: str, kind: FlagKind) -> None:
    assert kind in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "Since the move I hardly know myself.",
        "My father died in March and I cannot stop crying.",
        "We argue about money, and my skill set is not what it was.",
        "I want to diet and dye my hair.",
        "The methodology of the course was crackling with life.",
        "I was touched by my friend's help.",
        "She wears tweed and restarts everything.",
        "",
    ],
)
def test_ordinary_distress_is_not_flagged(text: str) -> None:
    assert kinds(text) == set()


def test_harm_to_oneself_is_not_taken_for_harm_to_others() -> None:
    assert kinds("I want to kill my self") == {FlagKind.SUICIDAL_THOUGHTS}


def test_a_denial_is_flagged_too_for_a_person_judges_it() -> None:
    assert kinds("I have never thought of suicide.") == {FlagKind.SUICIDAL_THOUGHTS}


def test_the_evidence_is_the_sentence_and_nothing_more() -> None:
    [flag] = flags({"story.in_own_words": "We moved in May. I want to die! My sister helps.\nShe is kind."})

    assert flag.evidence == "I want to die!"


def test_a_long_sentence_is_cut_around_the_words() -> None:
    [flag] = flags({"story.in_own_words": "and so on " * 90 + "I want to die " + "and so forth " * 90})

    assert "I want to die" in flag.evidence
    assert len(flag.evidence) <= 302


def test_each_field_keeps_its_own_evidence() -> None:
    found = flags({"story.in_own_words": "I want to die.", "safety.in_own_words": "I want to die."})

    assert [flag.field for flag in found] == ["story.in_own_words", "safety.in_own_words"]


def test_the_list_names_its_version_and_speaks_of_every_kind() -> None:
    assert RULEBOOK.warning_words.version
    assert set(RULEBOOK.warning_words.patterns) == set(FlagKind)


def test_a_list_with_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="gloom"):
        WarningWords.from_toml('version = "1"\n[words]\ngloom = ["sad"]\n')


def test_what_is_written_about_safety_reaches_the_reviewer_even_without_a_flag() -> None:
    details = taken(
        {"story.in_own_words": "We moved.", "safety.in_own_words": "I manage, with my sister."}
    ).details

    assert details.in_own_words == "We moved.\n\nAbout safety: I manage, with my sister."
    assert details.flags == ()
