"""What a letter says: from a template, which is text, come the text and the HTML alike."""

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from jinja2 import DictLoader, Environment, StrictUndefined

from services.notify.domain.mail import Letter
from shared.contract.matching import GroupMeeting
from shared.contract.vocabulary import MessageKind, Mode

LINE = 74

_LINK = re.compile(r"\[(?P<label>[^\]]+)\] (?P<url>https?://\S+)")
# The form is open to everyone: what does not look like a name must not travel under the clinic's.
_NOT_A_NAME = re.compile(r"://|www\.|[@<>\[\]{}#/\\:0-9\x00-\x1f]|\w\.\w{2}", re.IGNORECASE)
_LONGEST_GREETING = 60

_WAYS: Mapping[Mode, str] = {
    Mode.ONLINE: "You will meet online",
    Mode.IN_PERSON: "You will meet in person",
    Mode.EITHER: "You can meet online or in person, whichever suits",
}
_DAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a letter: a heading, a paragraph, a list or a link."""

    kind: str
    lines: tuple[str, ...]
    url: str = ""

    def as_text(self) -> str:
        """The piece in plain text."""
        if self.kind == "list":
            return "\n".join(_wrapped(line, "- ", "  ") for line in self.lines)
        if self.kind == "link":
            return f"{_wrapped(self.lines[0] + ':')}\n{self.url}"
        return _wrapped(self.lines[0])


class Letters:
    """Writes every kind of letter; built once from the templates."""

    def __init__(self, templates: Mapping[str, str], clinic: str) -> None:
        plain = {
            "loader": DictLoader(dict(templates)),
            "undefined": StrictUndefined,
            "trim_blocks": True,
            "lstrip_blocks": True,
        }
        self._texts = Environment(autoescape=False, **plain)  # type: ignore[arg-type]  # noqa: S701 - text
        self._pages = Environment(autoescape=True, **plain)  # type: ignore[arg-type]
        self._clinic = clinic

    @classmethod
    def read(cls, folder: Path, clinic: str) -> Self:
        """Reads the templates of a folder."""
        files = sorted(folder.glob("*.txt")) + sorted(folder.glob("*.html"))
        return cls({path.name: path.read_text("utf-8") for path in files}, clinic)

    def write(self, kind: MessageKind, **facts: object) -> Letter:
        """The letter of a kind; a fact that a template needs and does not get is an error."""
        source = self._texts.get_template(f"{kind}.txt").render(clinic=self._clinic, **facts)
        subject, _, body = source.strip().partition("\n")
        blocks = tuple(_blocks(body))
        page = self._pages.get_template("letter.html").render(
            subject=subject, blocks=blocks, clinic=self._clinic
        )
        text = "\n\n".join(block.as_text() for block in blocks) + "\n"
        return Letter(subject=subject.strip(), text=text, html=page)


def meetings(mode: Mode, group: GroupMeeting | None = None) -> str:
    """How client and therapist will meet, in words that suit both of them."""
    if group is None:
        return f"{_WAYS[mode]}."
    day, _, part = group.slot.partition("_")
    together = f"{_WAYS[mode]}, in a group on {_DAYS[day]} {part}s."
    match group.individual_first:
        case 0:
            return together
        case 1:
            return f"{together} The first meeting is one to one."
        case number:
            return f"{together} The first {number} meetings are one to one."


def greeting_name(name: str) -> str:
    """The name to greet somebody by; empty if it could be anything else, such as an advertisement."""
    usable = 0 < len(name) <= _LONGEST_GREETING and not _NOT_A_NAME.search(name)
    return " ".join(name.split()) if usable else ""


def _blocks(body: str) -> Iterator[Block]:
    for piece in re.split(r"\n\s*\n", body.strip()):
        text = " ".join(piece.split())
        if text.startswith("# "):
            yield Block("heading", (text[2:],))
        elif text.startswith("- "):
            yield Block("list", tuple(" ".join(item.split()) for item in re.split(r"(?m)^- ", piece)[1:]))
        elif link := _LINK.fullmatch(text):
            yield Block("link", (link["label"],), link["url"])
        else:
            yield Block("paragraph", (text,))


def _wrapped(line: str, first: str = "", then: str = "") -> str:
    return textwrap.fill(
        line,
        LINE,
        initial_indent=first,
        subsequent_indent=then,
        break_long_words=False,
        break_on_hyphens=False,
    )
