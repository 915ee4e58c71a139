"""Turns what the web form sends into a submission like any partner's, and faults into advice by field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from services.intake.domain import Refused
from services.intake.pages.questions import LABELS

MOST_FIELDS = 200
_TEXTS = (
    "requester.role",
    "requester.name",
    "requester.email",
    "requester.phone",
    "client.name",
    "client.postcode",
    "client.email",
    "client.phone",
    "looking_for.therapy",
    "looking_for.mode",
    "looking_for.format",
    "story.life_event",
    "story.in_own_words",
    "safety.in_own_words",
)
_LISTS = (
    "looking_for.availability",
    "story.problem_areas",
    "story.conditions",
)
_NUMBERS = ("looking_for.max_distance_km", "looking_for.max_fee_pounds")
_TICKS = (
    "client.may_leave_message",
    "looking_for.attending_adult",
    "consent.to_process",
    "consent.to_share",
)
_YES_OR_NO = (
    "story.diagnosed",
    "safety.thoughts_of_ending_life",
    "safety.harming_self",
    "safety.being_hurt",
    "safety.might_hurt_others",
)
_WISHES = {
    "therapist_gender": None,
    "approach": None,
    "lgbtq_affirming": "yes",
    "neurodivergence_affirming": "yes",
    "faith_aware": "yes",
}


class Unusable(Exception):
    """What was sent cannot have come from the form."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to mend, with the field to jump to."""

    anchor: str
    text: str


class Answers(Mapping[str, list[str]]):
    """The answers as typed, so that nothing is lost when something has to be mended."""

    def __init__(self, values: Mapping[str, list[str]] | None = None) -> None:
        self._values = dict(values or {})

    @classmethod
    def from_body(cls, body: bytes) -> "Answers":
        """Reads application/x-www-form-urlencoded."""
        try:
            return cls(
                parse_qs(body.decode("ascii"), encoding="utf-8", errors="strict", max_num_fields=MOST_FIELDS)
            )
        except (UnicodeDecodeError, ValueError) as error:
            raise Unusable from error

    def __getitem__(self, name: str) -> list[str]:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def text(self, name: str) -> str:
        """The one answer to a question, or nothing."""
        return self._values.get(name, [""])[0]

    def chosen(self, name: str, value: str) -> bool:
        """Whether a choice was made."""
        return value in self._values.get(name, [])

    @property
    def token(self) -> UUID | None:
        """The mark of one opening of the form, by which a second sending is known."""
        try:
            return UUID(self.text("once"))
        except ValueError:
            return None


def document(answers: Answers) -> dict[str, Any]:
    """The submission as JSON; what was left empty is left out."""
    filled: dict[str, Any] = {name: _tidy(answers.text(name)) for name in _TEXTS}
    filled |= {name: answers.get(name, []) for name in _LISTS}
    filled |= {name: _number(_tidy(answers.text(name))) for name in _NUMBERS}
    filled |= {name: {"yes": True, "no": False}.get(answers.text(name)) for name in _YES_OR_NO}
    filled |= {name: answers.chosen(name, "yes") for name in _TICKS}
    filled["client.date_of_birth"] = _date(answers)
    filled["looking_for.languages"] = [language for language in _languages(answers) if language]
    filled["looking_for.preferences"] = list(_preferences(answers))
    sections: dict[str, Any] = {name: {} for name in ("requester", "client", "consent", "looking_for")}
    for path, value in filled.items():
        if value not in ("", None, []):
            section, _, name = path.partition(".")
            sections.setdefault(section, {})[name] = value
    return sections


def advice(refused: Refused) -> list[Advice]:
    """The faults as sentences about the questions of the form, in its order."""
    found: dict[str, Advice] = {}
    for fault in refused.faults:
        holders = [each for each in LABELS if f"{fault.field}.".startswith(f"{each}.")]
        field = max(holders, key=len, default=None)
        label = LABELS[field] if field else "What you sent"
        rule = "is needed" if fault.rule in {"is required", "must not be empty"} else fault.rule
        found.setdefault(field or "form", Advice(field or "form", f"{label} {rule}."))
    order = list(LABELS)
    return sorted(found.values(), key=lambda each: order.index(each.anchor) if each.anchor in LABELS else -1)


def _tidy(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text


def _date(answers: Answers) -> str:
    day, month, year = (
        _tidy(answers.text(f"client.date_of_birth.{part}")) for part in ("day", "month", "year")
    )
    if not day and not month and not year:
        return ""
    return f"{year}-{month:0>2}-{day:0>2}"


def _languages(answers: Answers) -> tuple[str, str]:
    return answers.text("looking_for.languages"), answers.text("looking_for.languages.other")


def _preferences(answers: Answers) -> Iterator[dict[str, str]]:
    for about, only in _WISHES.items():
        strength = answers.text(f"strength.{about}")
        wish = only or answers.text(f"wish.{about}")
        if wish and strength:
            yield {"about": about, "wish": wish, "strength": strength}
