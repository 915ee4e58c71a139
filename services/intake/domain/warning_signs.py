"""Finds signs that a person should look at first: never a level, never a reason to refuse."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from shared.ages import age_on
from shared.contract.intake import Flag
from shared.contract.submission import Submission
from shared.contract.vocabulary import Condition, FlagKind

LONGEST_EVIDENCE = 300
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|[\r\n]+")
_ANSWERS = {
    "thoughts_of_ending_life": FlagKind.SUICIDAL_THOUGHTS,
    "harming_self": FlagKind.SELF_HARM,
    "being_hurt": FlagKind.BEING_HURT,
    "might_hurt_others": FlagKind.HARM_TO_OTHERS,
}


@dataclass(frozen=True, slots=True)
class WarningWords:
    """The versioned list of words, one pattern per kind of flag."""

    version: str
    patterns: dict[FlagKind, re.Pattern[str]]

    @classmethod
    def from_toml(cls, text: str) -> "WarningWords":
        """Reads the list; a kind that is not in the contract is an error."""
        document = tomllib.loads(text)
        words: dict[str, list[str]] = document["words"]
        return cls(document["version"], {FlagKind(kind): _pattern(listed) for kind, listed in words.items()})

    def seen_in(self, field: str, text: str) -> Iterator[Flag]:
        """One flag per kind and sentence, with the sentence as its evidence."""
        for sentence in _SENTENCE_END.split(_plain(text)):
            for kind, pattern in self.patterns.items():
                found = pattern.search(sentence)
                if found:
                    yield Flag(kind=kind, field=field, evidence=_around(sentence.strip(), found[0]))


def flags_in(submission: Submission, today: date, words: WarningWords) -> tuple[Flag, ...]:
    """Every sign in the answers and in the person's own words, in the order of the form."""
    return tuple(
        dict.fromkeys(
            (
                *_from_conditions(submission),
                *words.seen_in("story.in_own_words", submission.story.in_own_words),
                *_from_answers(submission, today),
                *words.seen_in("safety.in_own_words", submission.safety.in_own_words),
            )
        )
    )


def _from_conditions(submission: Submission) -> Iterator[Flag]:
    if Condition.PSYCHOSIS in submission.story.conditions:
        yield Flag(kind=FlagKind.PSYCHOSIS, field="story.conditions", evidence="named: psychosis")


def _from_answers(submission: Submission, today: date) -> Iterator[Flag]:
    for answer, kind in _ANSWERS.items():
        if getattr(submission.safety, answer):
            yield Flag(kind=kind, field=f"safety.{answer}", evidence="answered yes")
    if submission.safety.being_hurt and age_on(today, submission.client.date_of_birth) < 18:
        evidence = "answered yes, for somebody under 18"
        yield Flag(kind=FlagKind.CHILD_AT_RISK, field="safety.being_hurt", evidence=evidence)


def _pattern(words: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?<!\w){_loose(word)}" for word in words), re.IGNORECASE)


def _loose(word: str) -> str:
    stem = word.removesuffix("*")
    ending = r"\w*" if word.endswith("*") else r"(?!\w)"
    return r"\s+".join(re.escape(part) for part in stem.split()) + ending


def _plain(text: str) -> str:
    """Typographic apostrophes and hyphens as typed ones, so that one spelling in the list is enough."""
    return text.translate(str.maketrans("’‘ʼ‐‑", "'''--"))


def _around(sentence: str, found: str) -> str:
    """The sentence, or the part of a long one in which the words stand."""
    if len(sentence) <= LONGEST_EVIDENCE:
        return sentence
    middle = sentence.index(found) + len(found) // 2
    start = max(0, min(middle - LONGEST_EVIDENCE // 2, len(sentence) - LONGEST_EVIDENCE))
    return (
        "…" * (start > 0)
        + sentence[start : start + LONGEST_EVIDENCE]
        + "…" * (start + LONGEST_EVIDENCE < len(sentence))
    )
